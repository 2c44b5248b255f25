"""How far two models and two rankings agree: against scipy and scikit-learn, and against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.evaluation.model_agreement import confusion, correlation, kappa, threshold_curve
from engine.evaluation.rank_agreement import overlap, rank_biased_overlap

RANKINGS = st.integers(0, 12).flatmap(lambda size: st.permutations(range(15)).map(lambda rows: rows[:size]))


def test_overlap_is_the_share_of_the_first_ten_that_both_have() -> None:
    assert overlap("abcdefghij", "jihgfedcba") == 1
    assert overlap("abcdefghijk", "kabcdefghij") == 0.9
    assert overlap("abcd", "ax") == 0.25


def test_two_empty_rankings_agree_and_one_empty_ranking_agrees_with_nothing() -> None:
    assert overlap("", "") == rank_biased_overlap("", "") == 1
    assert overlap("", "a") == rank_biased_overlap("", "a") == rank_biased_overlap("a", "") == 0


def test_rank_biased_overlap_of_equal_length_is_that_of_the_formula() -> None:
    # a b c, a c b at p = .9: shared 1, 1, 3 of depths 1, 2, 3
    by_hand = 0.1 / 0.9 * (1 * 0.9 + 0.5 * 0.81 + 1 * 0.729) + 1 * 0.729
    assert rank_biased_overlap("abc", "acb") == pytest.approx(by_hand)


def test_rank_biased_overlap_of_uneven_length_extrapolates_the_shorter_one() -> None:
    # a / b a at p = .5; X: 0, 1. The short one ends at depth 1 with nothing shared
    by_hand = (0 / 1 * 0.5 + 1 / 2 * 0.25) + ((1 - 0) / 2 + 0) * 0.25
    assert rank_biased_overlap("a", "ba", 0.5) == pytest.approx(by_hand)
    assert rank_biased_overlap("ab", "abcd") == pytest.approx(1)  # what is known agrees, and is taken to go on


@given(RANKINGS, RANKINGS)
def test_rank_biased_overlap_is_even_handed_and_a_share(first: list[int], second: list[int]) -> None:
    found = rank_biased_overlap(first, second)
    assert found == pytest.approx(rank_biased_overlap(second, first))
    assert -1e-9 <= found <= 1 + 1e-9
    assert rank_biased_overlap(first, first) == pytest.approx(1)


def test_an_exchange_at_the_top_costs_more_than_one_at_the_bottom() -> None:
    assert rank_biased_overlap("abcdefghij", "bacdefghij") < rank_biased_overlap("abcdefghij", "abcdefghji")


def test_kappa_takes_off_what_chance_reaches() -> None:
    # 20 both yes, 15 both no, of 50: observed .7; chance .5 (Cohen's textbook case): kappa .4
    assert kappa([[20, 5], [10, 15]]) == pytest.approx(0.4)
    assert kappa([[95, 5], [0, 0]]) == 0  # 95 in 100 agree, and nothing is told
    assert kappa([[7, 0], [0, 3]]) == 1
    assert kappa([[0, 0], [0, 0]]) == kappa([[9, 0], [0, 0]]) == 0


def test_correlations_are_those_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    generator = np.random.default_rng(3)
    first = generator.normal(size=400).round(1)  # rounded: equal values share a rank
    second = (first + generator.normal(size=400)).round(1)
    found = correlation(first, second)
    assert found.pearson == pytest.approx(stats.pearsonr(first, second).statistic)
    assert found.spearman == pytest.approx(stats.spearmanr(first, second).statistic)


def test_kappa_and_confusion_are_those_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    generator = np.random.default_rng(4)
    tiers = ["strong", "likely", "weak"]
    first = [tiers[each] for each in generator.integers(3, size=300)]
    second = [one if generator.random() < 0.6 else tiers[generator.integers(3)] for one in first]
    table = confusion(first, second)
    assert np.array_equal(table, metrics.confusion_matrix(first, second, labels=tiers))
    assert kappa(table) == pytest.approx(metrics.cohen_kappa_score(first, second))


def test_a_curve_is_that_of_scikit_learn_at_each_of_its_points() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    generator = np.random.default_rng(5)
    first = generator.normal(0.3, 0.2, 500)
    second = (first + generator.normal(0, 0.1, 500)).round(2)
    curve = threshold_curve(first, second, 0.5, points=9)
    assert curve is not None
    for point in (*curve.points, curve.carried, curve.fitted):
        above, counted = second >= point.cut, first >= 0.5
        assert point.agreement == pytest.approx(metrics.accuracy_score(counted, above))
        expected = 0.0 if len(set(above)) < 2 else metrics.cohen_kappa_score(counted, above)
        assert point.kappa == pytest.approx(expected, abs=1e-12)
    tried = [metrics.cohen_kappa_score(first >= 0.5, second >= cut) for cut in np.unique(second)[1:]]
    assert curve.fitted.kappa == pytest.approx(max(tried))


def test_a_cut_carried_over_to_another_scale_disagrees_until_it_is_fitted_anew() -> None:
    generator = np.random.default_rng(6)
    first = generator.normal(0.2, 0.15, 2_000)
    second = 0.7 + first / 5  # every cosine lies above the cut of the model in use
    curve = threshold_curve(first, second, 0.5)
    assert curve is not None
    assert curve.carried.agreement < 0.1 and curve.carried.kappa == pytest.approx(0)
    assert curve.fitted.agreement == 1 and curve.fitted.kappa == 1
    assert 0.79 < curve.fitted.cut <= 0.801


def test_a_ruined_model_agrees_in_most_pairs_and_kappa_tells() -> None:
    """Nine in ten passages lie below the cut: noise that finds none of the others agrees in all of those."""
    generator = np.random.default_rng(7)
    first = np.where(np.arange(2_000) % 10 == 0, 0.7, 0.2)
    curve = threshold_curve(first, generator.normal(0.3, 0.1, 2_000), 0.5)
    assert curve is not None
    assert max(point.agreement for point in curve.points) >= 0.89
    assert curve.fitted.kappa < 0.1


def test_what_is_no_number_is_no_pair() -> None:
    found = correlation([0.1, float("nan"), 0.3, 0.4], [0.2, 0.1, float("inf"), 0.5])
    assert found.pearson == pytest.approx(1)
    assert threshold_curve([float("nan")], [0.1], 0.5) is None
    assert threshold_curve([], [], 0.5) is None
    assert correlation([0.1], [0.2]).pearson is None
    assert correlation([0.1, 0.2], [0.3, 0.3]).spearman is None
