"""What each word of the query gave to a few rows: the same bm25 that ranked them, taken apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.records import TermScore
from engine.retrieval.fts_query import Matching
from engine.retrieval.postings_cache import COLUMN_WEIGHTS
from engine.store.bm25 import bm25_parts

if TYPE_CHECKING:
    import apsw


def term_scores(
    connection: apsw.Connection, matching: Matching, passage_ids: Sequence[int]
) -> dict[int, tuple[TermScore, ...]]:
    """Return, for each passage, a score for every known word of the query, in the query's order; zeros included."""
    phrases = [matching.phrases[index] for index in matching.known]
    if not phrases or not passage_ids:
        return {}
    readings = [matching.readings[index] for index in matching.known]
    holding = [reading.documents for reading in readings]
    parts = bm25_parts(connection, passage_ids, phrases, COLUMN_WEIGHTS, holding)
    return {
        passage: tuple(
            TermScore(reading.term, part.idf, part.tf, part.score, reading.documents)
            for reading, part in zip(readings, row.parts, strict=True)
        )
        for passage, row in parts.items()
    }


def coverage(matching: Matching, scores: Sequence[TermScore]) -> float:
    """Return the idf-weighted share of the query's telling words that stand in a row; unknown ones count as missing."""
    telling = matching.telling
    total = sum(reading.idf for reading in telling)
    if total <= 0.0:
        return 0.0
    present = {score.term for score in scores if score.tf > 0.0}
    return sum(reading.idf for reading in telling if reading.term in present) / total
