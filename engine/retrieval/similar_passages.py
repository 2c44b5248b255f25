"""More like this: the passages of other documents that are nearest to one, by their vectors alone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from engine.records import Filters, Query, Scope, SearchResult, SearchSettings, Timings
from engine.retrieval import tiers
from engine.retrieval.assessment import Assessment, judge
from engine.retrieval.candidate_retrieval import Gathered, Meaning, gather
from engine.retrieval.fts_query import FtsQuery
from engine.retrieval.fusion import rank
from engine.retrieval.near_duplicates import rows
from engine.retrieval.postings_cache import PostingsCache
from engine.retrieval.search_pipeline import Model, Search, present
from engine.store.allowed import Allowed

if TYPE_CHECKING:
    from engine.store.store_connection import StoreConnection


def similar(
    connection: StoreConnection, passage_id: int, model: Model | None, cuts: tiers.Cuts, limit: int, scope: Scope
) -> SearchResult:
    """Return the nearest passages of other documents, by their vectors alone; no rows where there is no vector."""
    settings = SearchSettings(fusion="vector", feedback=False)
    began = time.perf_counter()
    row = connection.rows_for([passage_id]).get(passage_id)
    fts_query = FtsQuery(rows=connection.statistics().rows)
    hidden = Filters(hidden=connection.hidden_documents(scope))
    others = Allowed(hidden, other_than=row.document_id if row else 0)
    meaning = None
    if model is not None and row is not None and model.reads(row.text):
        at = model.vectors.positions(np.array([passage_id], np.int64))
        if at[0] >= 0:
            like = model.vectors.exactly(connection, at)[0].copy()
            meaning = Meaning(like, model.vectors, model.background, model.reads, model.embedded)
    query = Query(f"like {row.title}" if row else "", "")
    words = PostingsCache().of(connection)
    gathered = gather(words, fts_query, others, meaning, settings)
    timings = Timings(vector=gathered.vector_ms, total=(time.perf_counter() - began) * 1e3)
    search = _settled(query, fts_query, others, meaning, gathered, settings, cuts, limit, timings)
    return present(connection, search, settings, model, cuts)


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
) -> Search:
    """Rank candidates that were gathered without words."""
    seen = Assessment((0.0,), tuple(np.nan_to_num(gathered.candidates.cosine, nan=0.0).tolist()))
    verdict = judge(gathered, seen, cuts)
    ranking = rank(gathered.candidates, settings, verdict)
    listed = rows(gathered.candidates, ranking.order, settings, limit)
    return Search(query, fts_query, within, meaning, gathered, seen, verdict, ranking, listed, timings)
