"""Fuses the scores of both legs into one order, by convex combination or by reciprocal ranks; all pure functions.

A leg's figure that is missing counts 0. Every part of a score is kept, so that the parts of a row sum to its score.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.figures import decimal
from engine.lazy_dataclass import dataclass
from engine.records import DEFAULT_CONSTANTS, RECIPROCAL, FusionConstants, SearchSettings, Verdict, Weights
from engine.retrieval.candidate_retrieval import Candidates
from engine.retrieval.fts_query import FtsQuery
from engine.retrieval.late_interaction import shares
from engine.retrieval.pending_passages import expected_meaning
from engine.retrieval.tie_break import final_order

LONG_QUERY_WEIGHTS = (0.9, 0.1)
LONG_QUERY_STEMS = 25  # ArguAna's whole paragraphs: vectors alone reach .42 to .58 there, words .32
FEEDBACK_DEPTH = 5  # passages that move the query
MMR_DEPTH = 100  # places that are chosen anew; the rest follow in the order that they had
RRF_K = 60  # Cormack, Clarke and Buettcher, SIGIR 2009
RRF_LONG_QUERY_WORDS = 50
LONG_QUERY_CUTOFF = 25.0  # of the published cut-off by distance: long questions lie far from everything
RRF_STEEPNESS = 2.0  # of the logistic, per unit of idf
RRF_KEYWORD_RANGE = (0.35, 0.55)
PUBLISHED_KEYWORD_RANGE = (0.1, 0.6)
LEAST_RARITY = 1e-6  # a word in every passage still counts, barely

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Candidates in their final fused order: `order` indexes them, best first; the parts are in candidate order.

    A leg alone orders only what it brought itself, so `order` may be shorter than the parts.
    vector + keyword + rare + around + feedback + memory + late = score, each of shape (n,). `lift` is what a passage
    gets as its part `rare` that holds all that the query says in rare words.
    """

    order: NDArray[np.int64]
    score: Floats
    vector: Floats
    keyword: Floats
    feedback: Floats | None
    weights: Weights
    memory: Floats | None = None
    rare: Floats | None = None
    lift: float = 0.0
    around: Floats | None = None
    late: Floats | None = None


def rank(candidates: Candidates, settings: SearchSettings, verdict: Verdict) -> Ranking:
    """Order the candidates as the settings say. The verdict matters only in that "none" switches feedback off.

    Memory counts in the fusion `convex` only: a leg alone shows that leg, and beside reciprocal ranks, all below .033,
    a lift of .2 would leave nothing else to see.
    """
    ranking = _with_late(candidates, _joined(candidates, settings, verdict), settings)
    order = ranking.order
    if candidates.recalled is not None and ranking.memory is None:
        order = order[~candidates.recalled[order]]
    near = _near_enough(candidates, settings)
    if near is not None:
        order = order[near[order] | (candidates.keyword_rank[order] > 0)]
    if settings.diversity is not None:
        order = marginal_order(candidates, order, ranking.score, settings.diversity)
    return ranking if order is ranking.order else replace(ranking, order=order)


def _joined(candidates: Candidates, settings: SearchSettings, verdict: Verdict) -> Ranking:
    if settings.fusion in RECIPROCAL:
        return _reciprocal(candidates, settings)
    weights = convex_weights(candidates.fts_query, settings)
    constants = settings.used_constants
    lift = constants.rare * weights.keyword if settings.fusion == "convex" else 0.0  # a leg alone shows that leg
    ranking = _convex(candidates, weights, candidates.cosine.astype(np.float64), lift)
    if settings.fusion == "vector":
        return replace(ranking, order=ranking.order[candidates.vector_rank[ranking.order] > 0])
    if settings.fusion == "keyword":
        return replace(ranking, order=ranking.order[candidates.keyword_rank[ranking.order] > 0])
    ranking = _with_surroundings(candidates, ranking, constants.around)
    if settings.feedback and verdict != "none":
        ranking = _with_feedback(candidates, ranking, _steering(candidates, ranking, settings), constants)
    return _with_memory(candidates, ranking) if settings.memory else ranking


def convex_weights(fts_query: FtsQuery, settings: SearchSettings) -> Weights:
    """Choose the leg weights of the convex combination, and say why."""
    if settings.fusion == "vector":
        return Weights(1.0, 0.0, "by meaning alone")
    if settings.fusion == "keyword":
        return Weights(0.0, 1.0, "by words alone")
    if settings.weights is not None:
        return Weights(*settings.weights, "as asked")
    if len(fts_query.readings) > LONG_QUERY_STEMS:
        return Weights(*LONG_QUERY_WEIGHTS, f"a long question: {len(fts_query.readings)} different words")
    constants = settings.constants or DEFAULT_CONSTANTS
    reason = "the default" if constants == DEFAULT_CONSTANTS else "fitted to what you judged"
    return Weights(constants.meaning, 1.0 - constants.meaning, reason)


def similarity(cosine: Floats, background: float) -> Floats:
    """Rescale cosines so that unrelated texts lie at 0 for every model, whatever its anisotropy; NaN becomes 0."""
    return np.where(np.isnan(cosine), 0.0, (cosine - background) / (1.0 - background))


def _convex(
    candidates: Candidates, weights: Weights, cosine: Floats, lift: float, bm25: Floats | None = None
) -> Ranking:
    bm25 = candidates.bm25 if bm25 is None else bm25
    s = similarity(cosine, candidates.background)
    best = max(float(s.max(initial=0.0)), 0.0)
    vector = weights.vector * s / (1.0 + best)
    ceiling = max(float(bm25.max(initial=0.0)), candidates.keyword_ceiling)
    k = bm25 / ceiling if ceiling > 0 else np.zeros_like(bm25)
    keyword = weights.keyword * k
    if candidates.held is not None:  # what the encoder cannot read is as near as its words make it
        keyword = keyword + candidates.held * max(float(vector.max(initial=0.0)), 0.0)
    if candidates.pending is not None:  # what has no vector yet is as near as its words let expect
        keyword = keyword + expected_meaning(candidates.pending, vector, k)
    score = vector + keyword
    rare = lift * candidates.rare if lift and candidates.rare.any() else None
    if rare is not None:
        score = score + rare
    return Ranking(_order(candidates, score), score, vector, keyword, None, weights, rare=rare, lift=lift)


def _with_surroundings(candidates: Candidates, plain: Ranking, around: float) -> Ranking:
    """Score the first candidates by what stands around them too."""
    if candidates.surroundings is None or candidates.query_vector is None:
        return plain
    again = _among(candidates, plain, candidates.query_vector, candidates.cosine.astype(np.float64), around)
    return replace(plain, order=again.order, score=again.score, around=again.score - plain.score)


def _among(candidates: Candidates, plain: Ranking, query: NDArray[Any], cosine: Floats, around: float) -> Ranking:
    """Score by a query vector and the cosines that it gives, the share `around` of both legs being what is around."""
    found = candidates.surroundings
    if found is None:
        return _convex(candidates, plain.weights, cosine, plain.lift)
    own, bm25 = cosine[found.places], candidates.bm25.copy()
    cosine = cosine.copy()
    cosine[found.places] += around * (found.vectors @ query - own)
    bm25[found.places] += around * np.maximum(found.bm25 - bm25[found.places], 0.0)
    return _convex(candidates, plain.weights, cosine, plain.lift, bm25)


def _steering(candidates: Candidates, plain: Ranking, settings: SearchSettings) -> Floats:
    """Return the scores by which passages sharpen the search: what was marked right leads, what was marked wrong not.

    What was only opened has no say here: it would gain far more than its quarter. On development queries (SciFact's
    train split in two halves, NFCorpus's dev) marks that steer gave .012, .016 and .006 more NDCG@10 than marks that
    were added after the feedback.
    """
    if not settings.memory or not len(candidates.recollection.ids):
        return plain.score
    return plain.score + candidates.recollection.given_to(candidates.ids, by_marks_alone=True)


def _with_feedback(candidates: Candidates, plain: Ranking, steering: Floats, constants: FusionConstants) -> Ranking:
    """Apply pseudo-relevance feedback: move the query towards the first passages and score again.

    It is Rocchio's, with the passages weighted by a softmax of their scores.
    """
    top = _order(candidates, steering)[:FEEDBACK_DEPTH]
    top = top[~np.isnan(candidates.cosine[top])]
    if candidates.query_vector is None or not len(top):
        return plain
    heat = np.exp(constants.sharpness * (steering[top] - steering[top].max()))
    moved = (1.0 - constants.keep) * (heat / heat.sum()) @ candidates.vectors[top].astype(np.float64)
    moved += constants.keep * candidates.query_vector
    norm = float(np.linalg.norm(moved))
    if norm == 0.0:
        return plain
    cosine = candidates.vectors.astype(np.float64) @ (moved / norm)
    cosine[np.isnan(candidates.cosine)] = np.nan
    again = _among(candidates, plain, moved / norm, cosine, constants.around)
    feedback = again.score - plain.score
    return replace(plain, order=again.order, score=again.score, feedback=feedback)


def _with_memory(candidates: Candidates, ranking: Ranking) -> Ranking:
    """Add what marks on past queries give, as `query_memory` has it."""
    if not len(candidates.recollection.ids):
        return ranking
    memory = candidates.recollection.given_to(candidates.ids)
    score = ranking.score + memory
    return replace(ranking, order=_order(candidates, score), score=score, memory=memory)


def _with_late(candidates: Candidates, ranking: Ranking, settings: SearchSettings) -> Ranking:
    """Add what late interaction changes; a leg alone shows that leg."""
    if candidates.late is None or not settings.late or settings.fusion in ("vector", "keyword"):
        return ranking
    late = shares(candidates.late, ranking.order, ranking.score, settings.late)
    if late is None:
        return ranking
    score = ranking.score + late
    return replace(ranking, order=_order(candidates, score), score=score, late=late)


def _reciprocal(candidates: Candidates, settings: SearchSettings) -> Ranking:
    weights = (
        Weights(*settings.weights, "as asked")
        if settings.weights is not None
        else published_weights(candidates.fts_query)
        if settings.fusion == "rrf-published"
        else adaptive_weights(candidates.fts_query)
    )
    near = _near_enough(candidates, settings)
    vector = weights.vector * _reciprocal_rank(candidates.vector_rank)
    vector = vector if near is None else np.where(near, vector, 0.0)
    keyword = weights.keyword * _reciprocal_rank(candidates.keyword_rank)
    if candidates.pending is not None:  # what has no vector yet is expected at the rank that its words give it
        keyword = keyword + weights.vector * candidates.pending * _reciprocal_rank(candidates.keyword_rank)
    score = vector + keyword
    return Ranking(_order(candidates, score), score, vector, keyword, None, weights)


def _near_enough(candidates: Candidates, settings: SearchSettings) -> NDArray[np.bool_] | None:
    """Tell what lies within the published cut-off: a multiple of the least distance. None where all of it does."""
    if settings.cutoff is None:
        return None
    distance = np.nan_to_num(1.0 - candidates.cosine, nan=np.inf)
    least = float(distance.min(initial=np.inf))
    if not 0.0 < least < np.inf:
        return None
    long = candidates.fts_query.word_count > RRF_LONG_QUERY_WORDS
    near: NDArray[np.bool_] = distance <= least * (LONG_QUERY_CUTOFF if long else settings.cutoff)
    return near


def _reciprocal_rank(rank: NDArray[np.int64]) -> Floats:
    return np.where(rank > 0, 1.0 / (RRF_K + np.maximum(rank, 1)), 0.0)


def adaptive_weights(fts_query: FtsQuery) -> Weights:
    """Weigh words more the rarer they are, after the rule of vstash; unknown words are left out.

    As published, the rule lost .012 NDCG@10 to fixed halves on the development queries, because the function words of a
    whole question drown its subject. So the mean is weighted by the square of the idf, and the range is .35 to .55:
    level with fixed halves there (.4980 and .4982).
    """
    return _by_rarity(fts_query, RRF_KEYWORD_RANGE, power=2)


def published_weights(fts_query: FtsQuery) -> Weights:
    """Weigh words by their rarity as vstash does it (arXiv 2604.15484): a logistic of the mean idf, from .1 to .6."""
    return _by_rarity(fts_query, PUBLISHED_KEYWORD_RANGE, power=0)


def _by_rarity(fts_query: FtsQuery, keyword_range: tuple[float, float], *, power: int) -> Weights:
    """Return weights by a logistic of the mean idf about half its range; the mean is weighted by a power of the idf."""
    if fts_query.word_count > RRF_LONG_QUERY_WORDS:
        return Weights(0.9, 0.1, f"{fts_query.word_count} words: meaning leads")
    known = [reading.documents for reading in fts_query.readings if reading.documents > 0]
    if not known or fts_query.rows < 2:
        return Weights(0.9, 0.1, "no word of the query is known here")
    rarities = [max(math.log(fts_query.rows / (count + 1)), LEAST_RARITY) for count in known]
    mean = sum(rarity ** (power + 1) for rarity in rarities) / sum(rarity**power for rarity in rarities)
    middle = math.log(fts_query.rows) / 2
    share = 1.0 / (1.0 + math.exp(-RRF_STEEPNESS * (mean - middle)))
    low, high = keyword_range
    keyword = low + (high - low) * share
    how = "rare" if share > 0.7 else "common" if share < 0.3 else "of middling rarity"
    return Weights(
        1.0 - keyword, keyword, f"the words are {how} here (idf {decimal(mean, 2)} against {decimal(middle, 2)})"
    )


def _order(candidates: Candidates, score: Floats) -> NDArray[np.int64]:
    return final_order(score, candidates.cosine, candidates.tie)


# --- MMR: maximal marginal relevance within a document --------------------------------------------------------------


def marginal_order(
    candidates: Candidates, order: NDArray[np.int64], score: NDArray[np.float64], relevance: float
) -> NDArray[np.int64]:
    """List several passages of a document only where they say different things.

    The published way (arXiv 2604.15484, after Carbonell and Goldstein, SIGIR 1998): a passage gives up a part of its
    score for its likeness to the passages of the same document that are listed already; other documents do not matter
    to it. Returns the order by `relevance` x score, scaled to 0 to 1, less (1 - `relevance`) x likeness.
    """
    if not len(order):
        return order
    lowest, highest = float(score[order].min()), float(score[order].max())
    worth = relevance * (score[order] - lowest) / ((highest - lowest) or 1.0)
    documents, vectors = candidates.documents[order], candidates.vectors[order]
    likeness = np.zeros(len(order))
    waiting = np.ones(len(order), np.bool_)
    chosen: list[int] = []
    for _ in range(min(MMR_DEPTH, len(order))):
        best = int(np.argmax(np.where(waiting, worth - (1.0 - relevance) * likeness, -np.inf)))
        chosen.append(best)
        waiting[best] = False
        siblings = np.flatnonzero(documents == documents[best])
        likeness[siblings] = np.maximum(likeness[siblings], vectors[siblings] @ vectors[best])
    anew: NDArray[np.int64] = order[np.concatenate([np.asarray(chosen, np.int64), np.flatnonzero(waiting)])]
    return anew
