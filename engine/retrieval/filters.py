"""What a query's filters, quoted phrases and exclusions let both legs draw from, and what the exclusions take out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.records import Filters, LeftOut
from engine.retrieval.fts_query import FtsQuery
from engine.store.allowed import Allowed

if TYPE_CHECKING:
    from engine.store.store_connection import StoreConnection


def allowed(filters: Filters, fts_query: FtsQuery) -> Allowed:
    """Join the filters, the required phrases and the exclusions into what may be found."""
    across = {phrase: over.passages for phrase, over in fts_query.across.items() if over.passages}
    return Allowed(filters, fts_query.required, fts_query.excluded, across)


def left_out(connection: StoreConnection, filters: Filters, fts_query: FtsQuery) -> tuple[LeftOut, ...]:
    """Return what each exclusion takes out of the passages that the filters and the required phrases leave."""
    rest = allowed(filters, replace(fts_query, excluded=()))
    return tuple(
        LeftOut(term, connection.count_holding(phrase, rest))
        for term, phrase in zip(fts_query.excluded_as, fts_query.excluded, strict=True)
    )
