"""What the word index answered before: a person types one word after another, and the words before stay the same.

FTS5's bm25 of a query is the sum over its phrases, so a phrase's own scores, once read, serve every query that holds
it, exactly. All is forgotten when the index changes.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.store.fulltext import document_frequencies, phrase_frequency
from engine.store.phrase import Phrase

if TYPE_CHECKING:
    import apsw

CALM_SECONDS = 3.0  # since the index changed last: a sync commits about every second
KEPT_BYTES = 64 * 2**20  # of scores: about 60 of the commonest words at 100,000 passages, thousands of the others

# Of title, headings, body, path, tags, cjk. They multiply a term's frequency, as FTS5 has it.
COLUMN_WEIGHTS = (1.0, 1.0, 1.0, 0.5, 1.0, 1.0)
RANK = f"bm25(passage_fts, {', '.join(str(weight) for weight in COLUMN_WEIGHTS)})"

_TOTALS, _STRUCTURE = 1, 10  # rows of passage_fts_data that change with every change of the index


@dataclass(frozen=True, slots=True)
class Postings:
    """The passages that hold a phrase, as ids (n,), and the positive bm25 that it alone gives each, (n,)."""

    ids: NDArray[np.int64]
    scores: NDArray[np.float64]


class WordMemory:
    """Counts and scores of words, kept between searches. Safe to use from several threads.

    A process that answers one search and ends keeps no scores: reading a query's words together is cheaper once. Nor
    does anybody while the index changes all the time, as during a sync.
    """

    def __init__(self, *, keeps_scores: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._stays = keeps_scores
        self._clock = clock
        self._changed_at = -CALM_SECONDS
        self._lock = threading.Lock()
        self._version: tuple[object, ...] = ()
        self._counts: dict[str, int] = {}
        self._postings: OrderedDict[str, Postings] = OrderedDict()
        self._bytes = 0

    @property
    def keeps_scores(self) -> bool:
        """Whether scores that are read now are likely to serve again."""
        return self._stays and self._clock() - self._changed_at >= CALM_SECONDS

    def follow(self, connection: apsw.Connection) -> None:
        """Forget everything if the index is not what it was; call it at the start of a search."""
        version = tuple(
            connection.execute(
                "SELECT block FROM passage_fts_data WHERE id IN (?, ?) ORDER BY id", (_TOTALS, _STRUCTURE)
            ).fetchall()
        )
        with self._lock:
            if version != self._version:
                if self._version:
                    self._changed_at = self._clock()
                self._version = version
                self._counts.clear()
                self._postings.clear()
                self._bytes = 0

    def frequencies(self, connection: apsw.Connection, stems: Sequence[str]) -> dict[str, int]:
        """Return for each stem the number of passages that hold it."""
        with self._lock:
            known = {stem: self._counts[stem] for stem in stems if stem in self._counts}
        unknown = [stem for stem in stems if stem not in known]
        if unknown:
            found = document_frequencies(connection, unknown)
            known.update(found)
            with self._lock:
                self._counts.update(found)
        return known

    def count(self, connection: apsw.Connection, phrase: Phrase) -> int:
        """Return the number of passages that hold a phrase."""
        if self.keeps_scores:
            return len(self.postings(connection, phrase).ids)
        return phrase_frequency(connection, phrase)

    def knows(self, phrase: Phrase) -> bool:
        """Whether a phrase's scores are remembered, so that they cost nothing to read."""
        with self._lock:
            return phrase.match in self._postings

    def postings(self, connection: apsw.Connection, phrase: Phrase) -> Postings:
        """Return where a phrase stands and what it gives there."""
        with self._lock:
            kept = self._postings.get(phrase.match)
            if kept is not None:
                self._postings.move_to_end(phrase.match)
                return kept
        found = connection.execute(
            f"SELECT rowid, -{RANK} FROM passage_fts WHERE passage_fts MATCH ? ORDER BY rowid", (phrase.match,)
        ).fetchall()
        postings = Postings(
            np.fromiter((row[0] for row in found), np.int64, len(found)),
            np.fromiter((row[1] for row in found), np.float64, len(found)),
        )
        with self._lock:
            if phrase.match not in self._postings:
                self._postings[phrase.match] = postings
                self._bytes += postings.ids.nbytes + postings.scores.nbytes
            while self._bytes > KEPT_BYTES and len(self._postings) > 1:
                _, dropped = self._postings.popitem(last=False)
                self._bytes -= dropped.ids.nbytes + dropped.scores.nbytes
        return postings
