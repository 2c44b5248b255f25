"""Measures one ranking against the grades of its documents: NDCG, MRR, recall. All measures run from 0 to 1.

A ranking is a sequence of document ids, best first and each at most once; documents without a grade count as not
relevant, and so do grades of 0 and below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2

NDCG_DEPTH = 10
MRR_DEPTH = 10
RECALL_DEPTH = 100
SHALLOW_RECALL_DEPTH = 10

Grades = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class QueryScore:
    """The measures of one query's ranking."""

    query: str
    ndcg_at_10: float
    mrr_at_10: float
    recall_at_100: float
    recall_at_10: float


def score(query: str, ranking: Sequence[str], grades: Grades) -> QueryScore:
    """Measure the ranking that answered a query."""
    return QueryScore(
        query,
        ndcg(ranking, grades),
        reciprocal_rank(ranking, grades),
        recall(ranking, grades),
        recall(ranking, grades, SHALLOW_RECALL_DEPTH),
    )


def ndcg(ranking: Sequence[str], grades: Grades, depth: int = NDCG_DEPTH) -> float:
    """Give the normalised discounted cumulative gain with linear gains, as trec_eval's ndcg_cut has it.

    The ideal ranking is that of all graded documents, found or not. Järvelin and Kekäläinen, 2002.
    """
    ideal = _discounted(sorted((max(grade, 0) for grade in grades.values()), reverse=True)[:depth])
    return _discounted([max(grades.get(document, 0), 0) for document in ranking[:depth]]) / ideal if ideal else 0.0


def reciprocal_rank(ranking: Sequence[str], grades: Grades, depth: int = MRR_DEPTH) -> float:
    """Give 1 / the rank of the first relevant document, or 0 where none is among the first `depth`."""
    ranks = (rank for rank, document in enumerate(ranking[:depth], 1) if grades.get(document, 0) > 0)
    return 1 / next(ranks, float("inf"))


def recall(ranking: Sequence[str], grades: Grades, depth: int = RECALL_DEPTH) -> float:
    """Give the share of the relevant documents that are among the first `depth`."""
    relevant = {document for document, grade in grades.items() if grade > 0}
    return len(relevant.intersection(ranking[:depth])) / len(relevant) if relevant else 0.0


def _discounted(gains: Sequence[int]) -> float:
    return sum(gain / log2(rank + 1) for rank, gain in enumerate(gains, 1))
