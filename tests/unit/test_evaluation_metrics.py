"""The measures against values worked out by hand, the bootstrap, and what two splits have in common."""

from __future__ import annotations

from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.evaluation.beir import JudgedQuery
from engine.evaluation.leakage import leakage
from engine.evaluation.metrics import ndcg, recall, reciprocal_rank, score
from engine.evaluation.significance import macro_bootstrap, paired_bootstrap

GRADES = {"a": 2, "b": 1, "c": 3, "z": 0}


def test_ndcg_has_linear_gains() -> None:
    # found: 2/1 + 0 + 1/2 = 2.5; ideal: 3/1 + 2/1.58496 + 1/2 = 4.76186
    assert ndcg(["a", "x", "b"], GRADES) == pytest.approx(2.5 / (3.5 + 2 / log2(3)))
    assert ndcg(["a", "x", "b"], GRADES) == pytest.approx(0.525005, abs=1e-6)


def test_ndcg_of_the_ideal_ranking_is_one() -> None:
    assert ndcg(["c", "a", "b", "z"], GRADES) == pytest.approx(1)


def test_ndcg_looks_at_ten_documents_only() -> None:
    nine = [f"x{number}" for number in range(9)]
    assert ndcg([*nine, "a"], {"a": 1}) == pytest.approx(1 / log2(11))
    assert ndcg([*nine, "x9", "a"], {"a": 1}) == 0


def test_the_ideal_of_ndcg_is_cut_at_ten_too() -> None:
    grades = {f"d{number}": 1 for number in range(30)}
    assert ndcg(list(grades), grades) == pytest.approx(1)


def test_a_negative_grade_gains_nothing() -> None:
    assert ndcg(["bad", "a"], {"bad": -1, "a": 1}) == pytest.approx(1 / log2(3))


def test_reciprocal_rank_is_that_of_the_first_relevant_document() -> None:
    assert reciprocal_rank(["z", "x", "b", "a"], GRADES) == pytest.approx(1 / 3)
    assert reciprocal_rank([*(f"x{number}" for number in range(10)), "a"], GRADES) == 0


def test_recall_counts_the_relevant_among_the_first_hundred() -> None:
    others = [f"x{number}" for number in range(98)]
    assert recall(["a", *others, "b", "c"], GRADES) == pytest.approx(2 / 3)


def test_an_empty_ranking_scores_nothing() -> None:
    measured = score("q", [], GRADES)
    assert (measured.ndcg_at_10, measured.mrr_at_10, measured.recall_at_100) == (0, 0, 0)


@given(st.permutations(list("abcz")), st.dictionaries(st.sampled_from("abcz"), st.integers(0, 3), min_size=1))
def test_every_measure_lies_between_nothing_and_one(ranking: list[str], grades: dict[str, int]) -> None:
    measured = score("q", ranking, grades)
    for value in (measured.ndcg_at_10, measured.mrr_at_10, measured.recall_at_100):
        assert 0 <= value <= 1 + 1e-12


# --- significance -------------------------------------------------------------------------------------------------


def test_a_steady_gain_is_significant() -> None:
    baseline = np.linspace(0, 1, 200)
    gains = 0.02 + 0.05 * np.sin(np.arange(200))
    difference = paired_bootstrap(baseline + gains, baseline)
    assert difference.mean == pytest.approx(gains.mean())
    assert difference.low < difference.mean < difference.high
    assert difference.significant
    assert difference.queries == 200


def test_the_interval_is_as_wide_as_theory_says() -> None:
    gains = np.random.default_rng(5).normal(0.0, 0.2, 400)
    difference = paired_bootstrap(gains, np.zeros(400))
    standard_error = gains.std() / 20
    assert difference.high - difference.low == pytest.approx(2 * 1.96 * standard_error, rel=0.05)


def test_a_gain_on_a_few_queries_is_not_significant() -> None:
    candidate = [0.5] * 20
    assert not paired_bootstrap(candidate, [*candidate[:-2], 0.9, 0.0]).significant


def test_the_same_scores_give_the_same_interval() -> None:
    scores = np.random.default_rng(1).random(50)
    assert paired_bootstrap(scores, scores**2) == paired_bootstrap(scores, scores**2)


def test_collections_count_the_same_however_many_queries_they_have() -> None:
    difference = macro_bootstrap([([0.4] * 300, [0.0] * 300), ([0.0] * 3, [0.2] * 3)])
    assert (difference.mean, difference.low, difference.high) == pytest.approx((0.1, 0.1, 0.1))


def test_scores_of_other_queries_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="same queries"):
        paired_bootstrap([0.1, 0.2], [0.1])


# --- leakage ------------------------------------------------------------------------------------------------------

TRAIN = (JudgedQuery("t1", "Vitamin D lowers the risk of falls in old age", {"d1": 1, "d9": 0}),)
TEST = (
    JudgedQuery("s1", "does sunlight help", {"d1": 1}),
    JudgedQuery("s2", "Vitamin D raises the risk of falls in old age.", {"d2": 1}),
    JudgedQuery("s3", "vitamin and age", {"d9": 1}),
)


def test_test_queries_that_share_a_document_or_words_with_train_are_named() -> None:
    found = leakage(TRAIN, TEST)
    assert found.shared_document == {"s1"}
    assert found.near_copy == {"s2"}
    assert found.clean == ("s3",)
    assert found.counts() == {"test": 3, "shared_document": 1, "near_copy": 1, "clean": 1}


def test_near_copies_are_told_by_cosine_where_vectors_are_given() -> None:
    train = np.array([[1, 0]], dtype=np.float32)
    test = np.array([[0.6, 0.8], [0.8, 0.6], [0.96, 0.28]], dtype=np.float32)
    assert leakage(TRAIN, TEST, (train, test)).near_copy == {"s3"}


def test_an_empty_train_split_touches_nothing() -> None:
    empty = np.empty((0, 2), dtype=np.float32)
    assert leakage((), TEST).clean == ("s1", "s2", "s3")
    assert leakage((), TEST, (empty, np.eye(3, 2, dtype=np.float32))).clean == ("s1", "s2", "s3")
