"""Tiers: fitted to what foreign queries reach, read in deviations."""

from __future__ import annotations

import numpy as np
import pytest

from engine.retrieval import tiers


@pytest.fixture(scope="module")
def cuts() -> tiers.Cuts:
    noise = np.random.default_rng(1)
    queries = noise.normal(0.2, 0.05, 600).tolist()
    rows = [sorted(noise.normal(0.15, 0.05, 10).tolist(), reverse=True) for _ in queries]
    return tiers.fit(queries, rows, passages=5000)


def test_the_scale_is_the_median_and_the_scaled_deviation(cuts):
    assert cuts.query.median == pytest.approx(0.2, abs=0.01)
    assert cuts.query.deviation == pytest.approx(0.05, abs=0.01)


def test_the_best_of_ten_rows_lies_above_the_rows(cuts):
    assert cuts.best.median > cuts.row.median + cuts.row.deviation


def test_verdicts_are_read_in_deviations(cuts):
    reached = [tiers.verdict(cuts.query.at(far), 0.0, cuts) for far in (3.1, 2.1, 1.1, 0.9)]
    assert reached == ["strong", "likely", "weak", "none"]


def test_a_single_outstanding_row_makes_a_query_likely(cuts):
    assert tiers.verdict(cuts.query.at(0), cuts.best.at(3.1), cuts) == "likely"


def test_rows_are_strong_likely_or_weak(cuts):
    assert [tiers.tier(cuts.row.at(far), cuts) for far in (3.1, 1.1, 0.5)] == ["strong", "likely", "weak"]


def test_a_row_far_below_the_best_of_its_query_is_trusted_less(cuts):
    strong = cuts.row.at(3.1)
    assert tiers.tier(strong, cuts.of_query(strong * 1.05)) == "strong"
    assert tiers.tier(strong, cuts.of_query(strong * 1.3)) == "likely"
    assert tiers.tier(strong, cuts.of_query(strong * 1.5)) == "weak"


def test_the_best_row_lowers_no_cut(cuts):
    weak = cuts.row.at(0.5)
    assert tiers.tier(weak, cuts.of_query(weak)) == "weak"


def test_cuts_survive_being_stored(cuts):
    assert tiers.Cuts.from_json(cuts.to_json()) == cuts


def test_where_all_foreign_queries_reach_the_same_no_cut_lies_on_that_value():
    flat = tiers.fit([0.3] * 600, [[0.3]] * 600, passages=10)
    assert flat.query.at(1) > 0.3
    assert flat.row_likely > 0.3


@pytest.mark.parametrize(("passages", "count"), [(1, 1), (4, 1), (10, 2), (49, 9), (50, 10), (10_000, 10)])
def test_small_libraries_average_a_fifth_of_their_passages(passages, count):
    assert tiers.best_count(passages) == count


def test_a_querys_signal_joins_its_best_cosines_and_the_best_coverage():
    cosines = np.array([0.5] * 10 + [0.1], np.float32)
    assert tiers.query_signal(cosines, [0.2, 1.0, 0.5, 9.0], 1000) == pytest.approx(0.5 + 0.2 * 1.0)


def test_words_alone_are_never_strong():
    assert {tiers.tier_by_words(share / 10) for share in range(11)} == {"likely", "weak"}


def test_guessed_cuts_move_with_the_background_of_the_model():
    assert tiers.unfitted(0.6).row_strong > tiers.unfitted(0.05).row_strong
    assert tiers.unfitted(0.05).passages == 0
