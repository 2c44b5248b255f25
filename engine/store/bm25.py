"""Takes FTS5's bm25 apart: what each phrase of a query gave to a passage, in the figures that ranked it.

The formula is that of SQLite's fts5_aux.c: idf = ln((N - n + .5) / (n + .5)), at least 1e-6; a phrase's frequency is
the sum of the column weights of its places; a passage's length counts the tokens of all columns unweighted.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import apsw

from engine.records import TermScore
from engine.store import fulltext
from engine.store.documents import listed
from engine.store.phrase import COLUMNS, Phrase
from engine.store.stored_values import text

SATURATION = 1.2  # k1 in fts5_aux.c
LENGTH_WEIGHT = 0.75  # b in fts5_aux.c
_AS_BYTES = ", ".join(f"CAST({each} AS BLOB)" for each in COLUMNS)  # one that is no UTF-8 ends no reading
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
    Costs about 0.05 ms a passage: meant for the rows on a screen.
    """
    totals = fulltext.statistics(conn)
    counted = holding or [fulltext.phrase_frequency(conn, phrase) for phrase in terms]
    asked = [
        (phrase, fulltext.stems(conn, phrase.text), fts5_idf(count, totals.rows), count)
        for phrase, count in zip(terms, counted, strict=True)
    ]
    read: dict[str, _Column] = {}  # the passages of a document share its title and path
    scores: dict[int, KeywordScore] = {}
    for passage_id, *columns in conn.execute(
        f"SELECT id, {_AS_BYTES} FROM passage_text WHERE id IN (SELECT value FROM json_each(?))",
        (listed(passage_ids),),
    ):
        row = _Row([_column(conn, text(column), read) for column in columns], column_weights)
        parts = []
        for phrase, words, weight, count in asked:
            frequency = row.frequency(words, phrase)
            score = term_score(weight, frequency, row.length, totals.average)
            parts.append(TermScore(phrase.text, weight, frequency, score, count))
        scores[passage_id] = KeywordScore(math.fsum(part.score for part in parts), tuple(parts))
    return scores


def _column(conn: apsw.Connection, written: str, read: dict[str, _Column]) -> _Column:
    if written not in read:
        read[written] = _Column(fulltext.stems(conn, written) if written else ())
    return read[written]


class _Column:
    """The tokens of one column of a row, and how often each stands there."""

    __slots__ = ("counts", "tokens")

    def __init__(self, tokens: Sequence[str]) -> None:
        self.tokens = tokens
        self.counts = Counter(tokens)

    def count(self, words: Sequence[str], prefix: bool) -> int:
        """Count the places at which the words stand in a row, the last one as a beginning where `prefix` says so."""
        if not words:
            return 0
        if len(words) == 1 and not prefix:
            return self.counts[words[0]]
        *lead, last = words
        if any(word not in self.counts for word in lead):
            return 0
        tokens = self.tokens
        ends = (
            i for i in range(len(lead), len(tokens)) if (tokens[i].startswith(last) if prefix else tokens[i] == last)
        )
        return sum(1 for i in ends if list(tokens[i - len(lead) : i]) == lead)


class _Row:
    """A passage's columns, with the weighted frequency of every single word in them."""

    __slots__ = ("_columns", "_weights", "_words", "length")

    def __init__(self, columns: Sequence[_Column], weights: Sequence[float]) -> None:
        self._columns = columns
        self._weights = weights
        self.length = sum(len(column.tokens) for column in columns)
        self._words: dict[str, float] = {}
        for column, weight in zip(columns, weights, strict=True):
            for word, count in column.counts.items():
                self._words[word] = self._words.get(word, 0.0) + weight * count

    def frequency(self, words: Sequence[str], phrase: Phrase) -> float:
        """Return how often a phrase of these stems stands in the row, each place weighed by its column."""
        if len(words) == 1 and not phrase.prefix and phrase.column is None:
            return self._words.get(words[0], 0.0)
        return sum(
            weight * column.count(words, phrase.prefix)
            for name, column, weight in zip(COLUMNS, self._columns, self._weights, strict=True)
            if phrase.column in (None, name)
        )
