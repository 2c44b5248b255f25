"""Judges retrieval on collections in BEIR layout: reads them, measures, compares and reports.

`engine.evaluation.evaluator` is the way in; what is judged is handed in as a `Searcher`.
"""

from __future__ import annotations

from engine.evaluation.beir import Collection, JudgedQuery, collection_documents
from engine.evaluation.evaluator import CollectionResult, Ranking, Searcher, compare, evaluate, judge

__all__ = [
    "Collection",
    "CollectionResult",
    "JudgedQuery",
    "Ranking",
    "Searcher",
    "collection_documents",
    "compare",
    "evaluate",
    "judge",
]
