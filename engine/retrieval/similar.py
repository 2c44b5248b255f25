"""More like this: the passages of other documents whose meaning is nearest to that of one passage."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from engine.records import Query, SearchResult, SearchSettings, Timings
from engine.retrieval import search_pipeline, tiers
from engine.retrieval.candidate_retrieval import Gathered, Meaning, gather
from engine.retrieval.filters import Allowed
from engine.retrieval.fts_query import FtsQuery
from engine.retrieval.fusion import rank
from engine.retrieval.near_duplicates import rows
from engine.retrieval.postings_cache import PostingsCache
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
    fts_query = FtsQuery(rows=statistics(connection).rows)
    others = Allowed(OTHERS, (row.document_id if row else 0,))
    meaning = None
    if model is not None:
        at = model.vectors.positions(np.array([passage_id], np.int64))
        if at[0] >= 0:
            like = model.vectors.exactly(connection, at)[0].copy()
            meaning = Meaning(like, model.vectors, model.background)
    query = Query(f"like {row.title}" if row else "", "")
    words = PostingsCache().of(connection)
    gathered = gather(words, fts_query, others, meaning, settings)
    timings = Timings(vector=gathered.vector_ms, total=(time.perf_counter() - began) * 1e3)
    search = _settled(query, fts_query, others, meaning, gathered, settings, cuts, limit, timings)
    return search_pipeline.present(connection, search, settings, model, cuts)


def _settled(
    query: Query,
    fts_query: FtsQuery,
    within: Allowed,
    meaning: Meaning | None,
    gathered: Gathered,
    settings: SearchSettings,
    cuts: tiers.Cuts,
    limit: int,
    timings: Timings,
) -> search_pipeline.Search:
    """Rank candidates that were gathered without words."""
    seen = search_pipeline.Assessment((0.0,), tuple(np.nan_to_num(gathered.candidates.cosine, nan=0.0).tolist()))
    verdict = search_pipeline.judge(gathered, seen, cuts)
    ranking = rank(gathered.candidates, settings, verdict)
    listed = rows(gathered.candidates, ranking.order, settings, limit)
    return search_pipeline.Search(query, fts_query, within, meaning, gathered, seen, verdict, ranking, listed, timings)
