"""A search that asks for no words: what the filters let through, newest first, one passage a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.records import Weights
from engine.retrieval.candidates import Candidates
from engine.retrieval.filters import Allowed
from engine.retrieval.fts_query import Matching
from engine.retrieval.fusion import Ranking

if TYPE_CHECKING:
    import apsw


def newest(connection: apsw.Connection, matching: Matching, within: Allowed, limit: int) -> tuple[Candidates, Ranking]:
    """Return the allowed documents of latest date, each by its first allowed passage, ranked by that date."""
    clause = f"WHERE passage.id IN ({within.sql})" if within.sql else ""
    found = connection.execute(
        "SELECT passage.id, passage.document_id, min(passage.ordinal) FROM document"
        " JOIN passage ON passage.document_id = document.id"
        f" {clause} GROUP BY document.id ORDER BY document.mtime_ns DESC, document.path LIMIT ?",
        (*within.bindings, limit),
    ).fetchall()
    count = len(found)
    order = np.arange(count, dtype=np.int64)
    zeros = np.zeros(count)
    candidates = Candidates(
        ids=np.fromiter((row[0] for row in found), np.int64, count),
        documents=np.fromiter((row[1] for row in found), np.int64, count),
        tie=order,
        cosine=np.full(count, np.nan, np.float32),
        bm25=zeros,
        vector_rank=np.zeros(count, np.int64),
        keyword_rank=np.zeros(count, np.int64),
        vectors=np.zeros((count, 1), np.float32),
        query_vector=None,
        matching=matching,
        background=0.0,
        keyword_ceiling=0.0,
        rare=zeros,
        truncated=False,
    )
    return candidates, Ranking(order, zeros, zeros, zeros, None, Weights(0.0, 0.0, "no words asked: newest first"))
