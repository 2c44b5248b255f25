"""Queries that are fused together score as the engine fuses each of them."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from engine.records import DEFAULT_CONSTANTS, FusionConstants
from engine.retrieval.candidate_retrieval import Candidates
from engine.retrieval.near_duplicates import first_of_rows, rows
from engine.retrieval.surroundings import Surroundings
from training import fusion_fit
from training.fused_queries import LEAST_COLLAPSE, FusedQueries
from training.fusion_candidates import AskedQuery, settings_of

DIMENSION = 12
TRIED = [
    DEFAULT_CONSTANTS,
    *(replace(DEFAULT_CONSTANTS, **{name: value}) for name, values in fusion_fit.GRID.items() for value in values),
    FusionConstants(meaning=0.3, around=0.75, keep=0.4, sharpness=60.0, rare=4.0, collapse=0.9),
]


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def asked(seed: int, **changed: Any) -> AskedQuery:
    """Return a query with candidates by chance: copies, documents of several passages, and some without a cosine."""
    chance = np.random.default_rng(seed)
    count = int(chance.integers(1, 60))
    vectors = unit(chance.normal(size=(count, DIMENSION)))
    for copy in range(0, count - 3, 7):
        vectors[copy + 3] = unit(vectors[[copy]] + chance.normal(scale=0.05, size=(1, DIMENSION)))[0]
    documents = chance.integers(0, max(count // 2, 1), count)
    query = unit(chance.normal(size=(1, DIMENSION)))[0]
    cosine = vectors @ query
    lost = chance.random(count) < 0.1
    cosine[lost], vectors[lost] = np.nan, 0.0
    bm25 = np.where(chance.random(count) < 0.6, chance.exponential(3.0, count), 0.0)
    held = chance.permutation(count)[: min(count, 20)]
    around = Surroundings(held, unit(chance.normal(size=(len(held), DIMENSION))), chance.exponential(3.0, len(held)))
    fts: Any = SimpleNamespace(readings=range(40 if seed % 5 == 0 else 4))
    facts: dict[str, Any] = {
        "ids": np.arange(count), "documents": documents, "tie": chance.permutation(count), "cosine": cosine,
        "bm25": bm25, "vector_rank": np.ones(count, np.int64), "keyword_rank": np.ones(count, np.int64),
        "vectors": vectors, "query_vector": query, "fts_query": fts, "background": -0.02 if seed % 3 else 0.1,
        "keyword_ceiling": 4.0 if seed % 2 else 0.0, "rare": np.where(chance.random(count) < 0.1, 0.7, 0.0),
        "truncated": False, "surroundings": around if seed % 4 else None,
    }  # fmt: skip
    grades = {str(each): int(chance.integers(0, 4)) for each in chance.integers(0, count, 6)}
    return AskedQuery(Candidates(**(facts | changed)), "none" if seed % 6 == 5 else "likely", grades)


def test_all_queries_at_once_score_as_one_after_another() -> None:
    queries = [asked(seed) for seed in range(150)]
    fused = FusedQueries(queries)
    moved = set()
    for constants in TRIED:
        alone = np.array([each.ndcg(constants) for each in queries])
        assert fused.ndcg(constants) == pytest.approx(alone, abs=1e-9), constants
        moved.add(round(float(alone.mean()), 9))
    assert len(moved) > len(TRIED) // 2  # the constants matter here, else nothing would be compared


def test_the_first_of_the_rows_are_those_of_the_whole_list() -> None:
    cut = 0
    for seed in range(150):
        found = asked(seed).candidates
        order = np.random.default_rng(seed).permutation(len(found))
        for collapse, limit in ((0.0, 10), (0.9, 1), (0.9, 10), (0.95, 3)):
            settings = settings_of(replace(DEFAULT_CONSTANTS, collapse=collapse))
            whole = rows(found, order, settings, limit)
            assert first_of_rows(found, order, settings, limit) == [row.passage for row in whole]
            cut += len(whole) == limit
    assert 0 < cut < 4 * 150  # some lists are filled, others are not


def test_what_the_arrays_cannot_say_is_asked_of_the_engine() -> None:
    count = len(asked(1).candidates)
    late = np.linspace(0.0, 1.0, count)
    numbers = np.arange(count) % 2
    queries = [
        asked(1),
        asked(1, late=late),
        asked(1, numbers=numbers),
        asked(1, held=late),
        asked(1, query_vector=None),
    ]
    for constants in TRIED:
        assert FusedQueries(queries).ndcg(constants) == pytest.approx([each.ndcg(constants) for each in queries])


def test_no_query_gives_no_score_and_nearness_that_was_not_remembered_is_no_answer() -> None:
    assert FusedQueries([]).ndcg(DEFAULT_CONSTANTS).shape == (0,)
    with pytest.raises(ValueError, match="remembered"):
        FusedQueries([asked(seed) for seed in range(20)]).ndcg(FusionConstants(collapse=LEAST_COLLAPSE - 0.1))
