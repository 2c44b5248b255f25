"""More like this: the passages of other documents whose meaning is nearest to that of one passage."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from engine.records import Query, SearchResult, SearchSettings, Timings
from engine.retrieval import search_pipeline, tiers
from engine.retrieval.candidate_retrieval import Meaning, gather
from engine.retrieval.filters import Allowed
from engine.retrieval.fts_query import Matching
from engine.store.documents import rows_for
from engine.store.fulltext import statistics

if TYPE_CHECKING:
    import apsw

OTHERS = "SELECT id FROM passage WHERE document_id <> ?"


def similar(
    connection: apsw.Connection, passage_id: int, model: search_pipeline.Model | None, cuts: tiers.Cuts, limit: int
) -> SearchResult:
    """Return the nearest passages of other documents, by their vectors alone; no rows where there is no vector."""
    settings = SearchSettings(fusion="vector", feedback=False)
    began = time.perf_counter()
    row = rows_for(connection, [passage_id]).get(passage_id)
    matching = Matching(rows=statistics(connection).rows)
    others = Allowed(OTHERS, (row.document_id if row else 0,))
    meaning = None
    if model is not None:
        at = model.vectors.positions(np.array([passage_id], np.int64))
        if at[0] >= 0:
            like = model.vectors.exactly(connection, at)[0].copy()
            meaning = Meaning(like, model.vectors, model.background)
    query = Query(f"like {row.title}" if row else "", "")
    gathered = gather(connection, matching, others, meaning, settings)
    timings = Timings(vector=gathered.vector_ms, total=(time.perf_counter() - began) * 1e3)
    search = search_pipeline.settled(query, matching, others, meaning, gathered, settings, cuts, limit, timings)
    return search_pipeline.present(connection, search, settings, model, cuts)
