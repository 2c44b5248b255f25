"""Tells a store a network away what a search is about to ask, so that it answers in few trips.

A search goes on as it does over a file, one question after another; the answers are then there already.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.records import SearchSettings
from engine.retrieval.assessment import first_passages, is_surrounded
from engine.retrieval.candidate_retrieval import KEYWORD_DEPTH, Gathered, Meaning
from engine.retrieval.fts_query import FtsQuery
from engine.retrieval.fusion import rank
from engine.retrieval.keyword_leg import first_asked
from engine.retrieval.near_duplicates import rows
from engine.retrieval.nearest_words import MOST_COMPARED, READ_PASSAGES, showing
from engine.retrieval.nearest_words import first_asked as first_asked_near
from engine.retrieval.snippet import READ_LENGTH
from engine.retrieval.surroundings import FIRST_PASSAGES, REACH
from engine.retrieval.tiers import COVERAGE_ROWS
from engine.store.store_connection import AheadReads

if TYPE_CHECKING:
    from engine.retrieval.postings_cache import PostingsReader
    from engine.store.allowed import Allowed
    from engine.store.phrase import Phrase
    from engine.store.store_connection import StoreConnection

SPARE_ROWS = 10  # that are read beside those that will be shown, as far as that can be told before all is judged


def ahead_of_legs(
    words: PostingsReader, fts_query: FtsQuery, meaning: Meaning | None, among: Sequence[Allowed], depth: int
) -> None:
    """Bring the candidates of both legs, and what is near to words that no passage holds."""
    connection = words.connection
    if isinstance(connection, AheadReads):
        query = meaning.query if meaning is not None and meaning.vectors.count else None
        connection.soon_nearest([first_asked_near(each) for each in _unknown(words, fts_query)], MOST_COMPARED)
        connection.ahead_of_legs(first_asked(words, fts_query, among), query, among, depth, max(KEYWORD_DEPTH, depth))


def _unknown(words: PostingsReader, fts_query: FtsQuery) -> list[str]:
    """Return the words of which the nearest will be looked for: no passage holds them."""
    unknown = [] if fts_query.signs else [reading.term for reading in fts_query.readings if not reading.documents]
    return [word for word in unknown if not words.has_nearest(word)]


def ahead_of_judging(
    words: PostingsReader,
    gathered: Gathered,
    whole: Gathered | None,
    meaning: Meaning | None,
    settings: SearchSettings,
    limit: int,
) -> None:
    """Bring what the verdict and the last order are made from, and the rows that will probably be shown.

    Passages that show how words are written come with it, which are offered for unknown ones.
    """
    connection = words.connection
    if not isinstance(connection, AheadReads):
        return
    candidates = gathered.candidates
    near = (words.nearest_term(each) for each in _unknown(words, candidates.fts_query))
    connection.soon_texts([showing(term) for term in near if term], READ_PASSAGES)
    phrases = _phrases(candidates.fts_query)
    surrounded = is_surrounded(gathered, meaning, settings)
    first = candidates.ids[first_passages(gathered, settings, FIRST_PASSAGES)].tolist() if len(candidates) else []
    judged = first[:COVERAGE_ROWS]
    if whole is not None and len(whole.candidates):
        judged += whole.candidates.ids[first_passages(whole, settings, COVERAGE_ROWS)].tolist()
    order = rank(candidates, settings, "likely").order
    shown = [int(candidates.ids[row.passage]) for row in rows(candidates, order, settings, limit + SPARE_ROWS)]
    connection.ahead_of_judging(first if surrounded else [], judged, REACH, phrases, shown, READ_LENGTH)


def ahead_of_rows(connection: StoreConnection, fts_query: FtsQuery, passage_ids: Sequence[int]) -> None:
    """Bring what is shown of passages."""
    if isinstance(connection, AheadReads):
        connection.ahead_of_rows(passage_ids, _phrases(fts_query), READ_LENGTH)


def _phrases(fts_query: FtsQuery) -> list[Phrase]:
    return [fts_query.phrases[index] for index in fts_query.known]
