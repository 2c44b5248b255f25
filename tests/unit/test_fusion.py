"""Fusion as pure arithmetic on hand-made candidates."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from engine.records import SearchSettings, WordReading
from engine.retrieval.candidate_retrieval import Candidates
from engine.retrieval.fts_query import FtsQuery
from engine.retrieval.fusion import adaptive_weights, convex_weights, published_weights, rank
from engine.retrieval.near_duplicates import rows
from engine.store.bm25 import idf

BACKGROUND = 0.05


def fts_query(*counts: int, rows: int = 1000, words: int | None = None) -> FtsQuery:
    readings = tuple(WordReading(f"w{n}", count, idf(count, rows)) for n, count in enumerate(counts))
    known = tuple(n for n, count in enumerate(counts) if count)
    return FtsQuery(readings=readings, rows=rows, known=known, word_count=len(counts) if words is None else words)


def candidates(cosine, bm25, *, asked: FtsQuery | None = None, documents=None, vectors=None, rare=None) -> Candidates:
    cosine = np.asarray(cosine, np.float32)
    bm25 = np.asarray(bm25, np.float64)
    count = len(cosine)
    if vectors is None:  # in a plane: the query along x, each passage at its cosine
        vectors = np.stack([cosine, np.sqrt(1 - np.nan_to_num(cosine) ** 2)], axis=1).astype(np.float32)
    asked = asked or fts_query(10, 20)
    return Candidates(
        ids=np.arange(1, count + 1),
        documents=np.arange(count) if documents is None else np.asarray(documents),
        tie=np.arange(count),
        cosine=cosine,
        bm25=bm25,
        vector_rank=_ranks(cosine),
        keyword_rank=np.where(bm25 > 0, _ranks(bm25), 0),
        vectors=np.nan_to_num(vectors),
        query_vector=np.array([1, 0], np.float32),
        fts_query=asked,
        background=BACKGROUND,
        keyword_ceiling=asked.ceiling,
        rare=np.zeros(count) if rare is None else np.asarray(rare, np.float64),
        truncated=False,
    )


def _ranks(values):
    order = np.argsort(-values, kind="stable")
    ranks = np.empty(len(values), np.int64)
    ranks[order] = np.arange(1, len(values) + 1)
    return ranks


PLAIN = SearchSettings(feedback=False)


def test_the_convex_score_is_the_formula_of_the_design():
    found = candidates([0.6, 0.3], [4.0, 8.0])
    ranking = rank(found, PLAIN, "strong")
    s = [(cosine - BACKGROUND) / (1 - BACKGROUND) for cosine in (0.6, 0.3)]
    assert np.allclose(ranking.vector, [0.8 * each / (1 + s[0]) for each in s], atol=1e-6)
    assert np.allclose(ranking.keyword, [0.2 * 4 / 8, 0.2], atol=1e-9)
    assert np.allclose(ranking.score, ranking.vector + ranking.keyword)


def test_noise_among_common_words_is_no_full_vote():
    found = candidates([0.6, 0.3], [0.01, 0.02], asked=fts_query(10, 20))
    assert rank(found, PLAIN, "strong").keyword.max() < 0.01


def test_a_missing_vector_counts_nothing_and_hurts_nobody():
    ranking = rank(candidates([np.nan, 0.4], [8.0, 4.0]), SearchSettings(), "strong")
    assert ranking.vector[0] == 0.0
    assert np.isfinite(ranking.score).all()


def test_cosines_below_the_background_do_not_turn_the_scale_round():
    ranking = rank(candidates([-0.3, -0.4], [0.0, 0.0]), PLAIN, "none")
    assert ranking.order.tolist() == [0, 1]


def test_feedback_lifts_what_is_like_the_first_rows_and_is_told_apart():
    vectors = np.array([[0.8, 0.6], [0.5, 0.866], [0.52, -0.854]], np.float32)
    found = candidates([0.8, 0.5, 0.52], [9.0, 0.0, 0.0], vectors=vectors)
    before, after = rank(found, PLAIN, "strong"), rank(found, SearchSettings(), "strong")
    assert before.order.tolist() == [0, 2, 1]
    assert after.order.tolist() == [0, 1, 2]
    assert after.feedback is not None
    assert np.allclose(after.vector + after.keyword + after.feedback, after.score)
    assert np.allclose(after.vector, before.vector)


@pytest.mark.parametrize("fusion", ["rrf", "vector", "keyword"])
def test_feedback_is_off_for_other_fusions(fusion):
    assert rank(candidates([0.6, 0.3], [4.0, 8.0]), SearchSettings(fusion=fusion), "strong").feedback is None


@pytest.mark.parametrize("fusion", ["convex", "rrf"])
def test_the_cutoff_drops_what_is_far_in_meaning_and_has_no_word(fusion):
    found = candidates([0.9, 0.85, 0.2, 0.1], [0.0, 0.0, 0.0, 8.0])
    assert rank(found, SearchSettings(fusion=fusion, cutoff=2.0), "strong").order.tolist() in ([0, 1, 3], [3, 0, 1])
    long = candidates([0.9, 0.85, 0.2, 0.1], [0.0, 0.0, 0.0, 8.0], asked=fts_query(10, words=51))
    assert len(rank(long, SearchSettings(fusion=fusion, cutoff=2.0), "strong").order) == 4


def test_with_diversity_a_document_is_listed_again_for_what_is_different_in_it():
    vectors = np.array([[1, 0, 0], [0.999, 0.04, 0], [0, 1, 0], [0.5, 0.5, 0.7]], np.float32)
    found = candidates([0.9, 0.89, 0.7, 0.6], [0, 0, 0, 0], documents=[1, 1, 1, 2], vectors=vectors)
    settings = SearchSettings(feedback=False, diversity=0.5, collapse=0.0)
    ranking = rank(found, settings, "strong")
    assert ranking.order.tolist() == [0, 2, 3, 1]
    assert [row.passage for row in rows(found, ranking.order, settings, limit=3)] == [0, 2, 3]


def test_feedback_is_off_where_nothing_was_found():
    assert rank(candidates([0.6, 0.3], [4.0, 8.0]), SearchSettings(), "none").feedback is None


def test_a_leg_alone_lists_only_what_it_brought():
    found = candidates([0.6, 0.3, 0.2], [0.0, 8.0, 4.0])
    assert rank(found, SearchSettings(fusion="keyword"), "strong").order.tolist() == [1, 2]
    assert rank(found, SearchSettings(fusion="vector"), "strong").order.tolist() == [0, 1, 2]


def test_reciprocal_ranks_are_weighed_and_summed():
    ranking = rank(candidates([0.6, 0.3], [4.0, 8.0]), SearchSettings(fusion="rrf", weights=(0.5, 0.5)), "strong")
    assert np.allclose(ranking.score, [0.5 / 61 + 0.5 / 62] * 2)
    assert ranking.order.tolist() == [0, 1]  # a tie: the nearer in meaning comes first


def test_long_questions_lean_on_meaning_and_say_so():
    weights = convex_weights(fts_query(*range(1, 27)), SearchSettings())
    assert (weights.vector, weights.keyword) == (0.9, 0.1)
    assert "26" in weights.reason


def test_the_published_weights_follow_the_mean_idf_from_a_tenth_to_six_tenths():
    """The rule of arXiv 2604.15484, worked out by hand: idf = ln(N / (df + 1)), half of ln N is the middle."""
    mean, middle = (math.log(1000 / 3) + math.log(1000 / 401)) / 2, math.log(1000) / 2
    share = 1 / (1 + math.exp(-2 * (mean - middle)))
    weights = published_weights(fts_query(2, 400))
    assert weights.keyword == pytest.approx(0.1 + 0.5 * share)
    assert weights.vector + weights.keyword == pytest.approx(1.0)
    long = replace(fts_query(2, 400), word_count=51)
    assert (published_weights(long).vector, published_weights(long).keyword) == (0.9, 0.1)


def test_both_reciprocal_fusions_differ_in_their_weights_alone():
    found = candidates([0.6, 0.3], [4.0, 8.0], asked=fts_query(2, 900))
    ours, published = (rank(found, SearchSettings(fusion=name), "strong") for name in ("rrf", "rrf-published"))
    assert ours.weights != published.weights
    for ranking in (ours, published):
        assert ranking.vector == pytest.approx(ranking.weights.vector / np.array([61.0, 62.0]))
        assert ranking.keyword == pytest.approx(ranking.weights.keyword / np.array([62.0, 61.0]))


def test_rare_words_weigh_more_than_common_ones_in_adaptive_fusion():
    rare, common = adaptive_weights(fts_query(2, 900)), adaptive_weights(fts_query(400, 900))
    assert rare.keyword > common.keyword
    assert math.isclose(rare.vector + rare.keyword, 1.0)
    assert adaptive_weights(fts_query(0, 0)).keyword == 0.1
    assert adaptive_weights(fts_query(2, words=51)).keyword == 0.1


def test_equal_scores_are_ordered_by_path_and_place():
    found = candidates([0.5, 0.5, 0.5], [1.0, 1.0, 1.0])
    assert rank(found, PLAIN, "strong").order.tolist() == [0, 1, 2]


def test_rows_take_one_passage_a_document_and_fill_the_limit():
    found = candidates([0.9, 0.8, 0.7, 0.6], [0, 0, 0, 0], documents=[7, 7, 8, 9], vectors=np.eye(4, dtype=np.float32))
    listed = rows(found, np.arange(4), SearchSettings(), limit=2)
    assert [row.passage for row in listed] == [0, 2]
    assert listed[0].more == (1,)
    apart = rows(found, np.arange(4), SearchSettings(group=False), limit=4)
    assert [row.passage for row in apart] == [0, 1, 2, 3]


def test_near_duplicates_of_other_documents_collapse_and_those_of_the_same_do_not():
    same = np.array([[1, 0], [1, 0], [0, 1], [1, 0]], np.float32)
    found = candidates([0.9, 0.8, 0.7, 0.6], [0, 0, 0, 0], documents=[1, 2, 3, 1], vectors=same)
    listed = rows(found, np.arange(4), SearchSettings(), limit=4)
    assert [(row.passage, row.more, row.duplicates) for row in listed] == [(0, (3,), (1,)), (2, (), ())]


def test_of_near_duplicates_that_follow_each_other_the_one_with_the_first_path_leads():
    same = np.array([[1, 0], [1, 0], [0, 1], [1, 0], [1, 0]], np.float32)
    found = candidates([0.9, 0.8, 0.7, 0.6, 0.5], [0] * 5, documents=[3, 2, 4, 1, 2], vectors=same)
    found = replace(found, tie=np.array([3, 1, 4, 0, 2]))
    for limit in (1, 4):  # the first path of all does not, for another row stands between
        first = rows(found, np.arange(5), SearchSettings(), limit=limit)[0]
        assert (first.passage, first.more, first.duplicates, first.grouped) == (1, (4,), (0, 3), 1)
    assert [row.passage for row in rows(found, np.arange(5), SearchSettings(), limit=4)] == [1, 2]
