"""Takes FTS5's bm25 apart: what each phrase of a query gave to a passage, in the figures that ranked it.

The formula is that of SQLite's fts5_aux.c: idf = ln((N - n + .5) / (n + .5)), at least 1e-6; a phrase's frequency is
the sum of the column weights of its places; a passage's length counts the places of all columns unweighted.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

import apsw

from engine.lazy_dataclass import dataclass
from engine.records import TermScore
from engine.store import fulltext
from engine.store.documents import listed
from engine.store.phrase import COLUMNS, EITHER, Phrase
from engine.store.sorted_terms import beginning_with
from engine.store.stored_values import text
from engine.store.tokenizer import Terms, of_kind, terms

SATURATION = 1.2  # k1 in fts5_aux.c
LENGTH_WEIGHT = 0.75  # b in fts5_aux.c
READ_CHARACTERS = 100_000  # of each column of a passage: only blanks, signs and links make one longer
KEPT_CHARACTERS, KEPT_COLUMNS = 4_000, 512  # who types sees the same rows again with each key; some 10 MB
_AS_BYTES = ", ".join(  # a text that is no UTF-8 ends no reading
    f"substr(CAST({each} AS BLOB), 1, {4 * READ_CHARACTERS})" for each in COLUMNS
)
COMMON_SHARE = 0.5  # of the passages: FTS5 floors the idf of a word in more of them, so it moves no rank
LEAST_IDF = 1e-6  # what FTS5 gives a phrase that stands in more than half of all rows


@dataclass(frozen=True, slots=True)
class KeywordScore:
    """The bm25 of one passage, higher is better, and its parts, one for each phrase asked, in order."""

    total: float
    parts: tuple[TermScore, ...]


def idf(documents: int, rows: int) -> float:
    """Inverse document frequency that is never negative: ln(1 + (N - df + .5) / (df + .5)), as Lucene has it."""
    return math.log(1.0 + (max(rows - documents, 0) + 0.5) / (documents + 0.5))


def fts5_idf(documents: int, rows: int) -> float:
    """Return the weight that FTS5 gives a phrase which `documents` of `rows` passages hold."""
    value = math.log((rows - documents + 0.5) / (documents + 0.5))
    return value if value > 0 else LEAST_IDF


def term_score(weight: float, frequency: float, length: int, average: float) -> float:
    """Return what a phrase of idf `weight` gives a passage of `length` tokens that holds it with this frequency."""
    if not frequency:
        return 0.0
    norm = SATURATION * (1 - LENGTH_WEIGHT + LENGTH_WEIGHT * length / average)
    return weight * frequency * (SATURATION + 1) / (frequency + norm)


def bm25_parts(
    conn: apsw.Connection,
    passage_ids: Sequence[int],
    terms: Sequence[Phrase],
    column_weights: Sequence[float],
    holding: Sequence[int] | None = None,
) -> dict[int, KeywordScore]:
    """Return for each passage its bm25 for a query that asks for these phrases, in parts.

    The sum equals the negated `bm25(passage_fts, *column_weights)` of the phrases joined by OR, each phrase asked once.
    `holding` is how many passages hold each phrase, where the caller knows it. A passage that is not there is left out.
    What stands behind the first READ_CHARACTERS of a column is not counted.
    Costs about 0.05 ms a passage: meant for the rows on a screen.
    """
    totals = fulltext.statistics(conn)
    counted = holding or [fulltext.phrase_frequency(conn, phrase) for phrase in terms]
    asked = [
        (phrase.written, [_spelled(each) for each in phrase.spellings], fts5_idf(count, totals.rows), count)
        for phrase, count in zip(terms, counted, strict=True)
    ]
    read: dict[str, _Column] = {}  # the passages of a document share its title and path
    scores: dict[int, KeywordScore] = {}
    for passage_id, *columns in conn.execute(
        f"SELECT id, {_AS_BYTES} FROM passage_text WHERE id IN (SELECT value FROM json_each(?))",
        (listed(passage_ids),),
    ):
        row = _Row([_column(text(column)[:READ_CHARACTERS], read) for column in columns], column_weights)
        parts = []
        for written, spellings, weight, count in asked:
            frequency = row.frequency(spellings)
            score = term_score(weight, frequency, row.length, totals.average)
            parts.append(TermScore(written, weight, frequency, score, count))
        scores[passage_id] = KeywordScore(math.fsum(part.score for part in parts), tuple(parts))
    return scores


def _column(written: str, read: dict[str, _Column]) -> _Column:
    if written not in read:
        read[written] = (_kept_column if len(written) <= KEPT_CHARACTERS else _made_column)(written)
    return read[written]


def _made_column(written: str) -> _Column:
    return _Column(terms(*of_kind(written)) if written else ())


_kept_column = lru_cache(KEPT_COLUMNS)(_made_column)


class _Spelled(NamedTuple):
    """One spelling of a phrase, taken apart once for all rows: the terms that will do at its places."""

    phrase: Phrase
    lead: list[list[str]]
    last: list[str]


def _spelled(phrase: Phrase) -> _Spelled:
    *lead, last = [place.split(EITHER) for place in phrase.places] or [[]]
    return _Spelled(phrase, lead, last)


class _Column:
    """The terms at each place of one column of a row, and how many places hold each."""

    __slots__ = ("_ordered", "counts", "places")

    def __init__(self, places: Sequence[Terms]) -> None:
        self.places = places
        self.counts = Counter(chain.from_iterable(places))
        self._ordered: list[str] | None = None

    def begun(self, beginnings: Iterable[str]) -> set[str]:
        """Return the terms that begin in one of these ways."""
        ordered = self._ordered
        if ordered is None:
            ordered = self._ordered = sorted(self.counts)
        return {term for each in beginnings for term in beginning_with(each, ordered)}

    def count(self, spelled: _Spelled) -> int:
        """Count the places at which a phrase stands, its last term as a beginning where `prefix` says so."""
        (phrase, lead, last), counts = spelled, self.counts
        if not lead and not phrase.first:
            there = [term for term in (self.begun(last) if phrase.prefix else last) if term in counts]
            if len(there) < 2:  # else one place may hold both
                return counts[there[0]] if there else 0
            apart = frozenset(there).isdisjoint
            return sum([not apart(place) for place in self.places])
        if not last or any(counts.keys().isdisjoint(place) for place in lead):
            return 0
        ends = (at for at in range(len(lead), len(self.places)) if _stands(last, self.places[at], phrase.prefix))
        return sum(
            all(
                _stands(place, found, False)
                for place, found in zip(lead, self.places[at - len(lead) : at], strict=True)
            )
            for at in ends
            if not phrase.first or at == len(lead)
        )


def _stands(wanted: Sequence[str], found: Terms, prefix: bool) -> bool:
    """Tell whether one of the wanted terms is among those of a place, or begins one of them."""
    if prefix:
        return any(term.startswith(each) for each in wanted for term in found)
    return any(each in found for each in wanted)


class _Row:
    """A passage's columns with their weights."""

    __slots__ = ("_columns", "_weights", "length")

    def __init__(self, columns: Sequence[_Column], weights: Sequence[float]) -> None:
        self._columns = columns
        self._weights = weights
        self.length = sum(len(column.places) for column in columns)

    def frequency(self, spellings: Sequence[_Spelled]) -> float:
        """Return how often a phrase stands in the row, in any spelling, each place weighed by its column."""
        found = 0.0
        for spelled in spellings:
            only = spelled.phrase.column
            for name, column, weight in zip(COLUMNS, self._columns, self._weights, strict=True):
                if only is None or only == name:
                    found += weight * column.count(spelled)
        return found
