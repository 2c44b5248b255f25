"""Keeps what the word index answered: a person types one word after another, and the words before stay the same.

FTS5's bm25 of a query is the sum over its phrases, so a phrase's own scores, once read, serve every query that holds
it, exactly. They serve only searches that see the version of the index that they were read from.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.lazy_dataclass import dataclass
from engine.retrieval.nearest_words import as_written, nearest_term
from engine.retrieval.versions import Versions
from engine.store.bm25 import COMMON_SHARE
from engine.store.phrase import EITHER, Phrase
from engine.store.store_connection import AheadReads, VocabularyReads

if TYPE_CHECKING:
    from engine.store.allowed import Allowed
    from engine.store.store_connection import StoreConnection

CALM_SECONDS = 3.0  # since the index changed last: a sync commits about every second
MOST_ROWS = 500_000  # passages of a library whose vocabulary is looked through: .8 s by what 50,000 take
LONGER_LETTERS, MOST_HOLDING = 3, 32  # of the words that hold one: of a compound the other part, and how many count
KEPT_BYTES = 64 * 2**20  # of scores: about 60 of the commonest words at 100,000 passages, thousands of the others


@dataclass(frozen=True, slots=True)
class Postings:
    """The passages that hold a phrase, as ids (n,), and the positive bm25 that it alone gives each, (n,)."""

    ids: NDArray[np.int64]
    scores: NDArray[np.float64]

    @property
    def bytes(self) -> int:
        """What they take in memory."""
        return self.ids.nbytes + self.scores.nbytes


@dataclass(slots=True)
class _Kept:
    """What is kept of one version of the word index: counts by term, the nearest word of an unknown one, postings.

    `whole` tells that the counts are those of every term that there is; `matching` are counts of phrases whose postings
    nobody needed.
    """

    counts: dict[str, int] = field(default_factory=dict)
    whole: bool = False
    nearest: dict[str, str] = field(default_factory=dict)
    nearest_terms: dict[str, str] = field(default_factory=dict)
    holding: dict[str, tuple[str, ...]] = field(default_factory=dict)
    matching: dict[str, int] = field(default_factory=dict)
    postings: OrderedDict[str, Postings] = field(default_factory=OrderedDict)
    bytes: int = 0

    def drop_oldest(self) -> None:
        """Forget the postings that were used longest ago."""
        self.bytes -= self.postings.popitem(last=False)[1].bytes


class PostingsCache:
    """Counts and scores of words, kept between searches. Safe to use from several threads.

    A process that answers one search and ends keeps no scores: reading a query's words together is cheaper once. Nor
    does anybody while the index changes all the time, as during a sync.
    """

    def __init__(self, *, keeps_scores: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._stays = keeps_scores
        self._clock = clock
        self._changed_at: float | None = None  # None: not since the first search
        self.lock = threading.Lock()
        self._versions: Versions[tuple[object, ...], _Kept] = Versions()

    @property
    def keeps_scores(self) -> bool:
        """Whether scores that are read now are likely to serve again."""
        return self._stays and (self._changed_at is None or self._clock() - self._changed_at >= CALM_SECONDS)

    def of(self, connection: StoreConnection) -> PostingsReader:
        """Return what reads the word index as `connection` sees it, for one search; that holds a snapshot."""
        version = connection.file, connection.words_version()
        with self.lock:
            if version not in self._versions and self._versions.every():
                self._changed_at = self._clock()
            return PostingsReader(connection, self, self._versions.at(version, _Kept))

    def shrink(self) -> None:
        """Drop postings until what is kept is small enough, those of older versions first; its lock is held."""
        versions = self._versions.every()
        for kept in versions:
            while sum(each.bytes for each in versions) > KEPT_BYTES and len(kept.postings) > (kept is versions[-1]):
                kept.drop_oldest()


class PostingsReader:
    """The word index as one search sees it; what was read of this version before is not read again."""

    def __init__(self, connection: StoreConnection, cache: PostingsCache, kept: _Kept) -> None:
        self.connection = connection
        self._cache = cache
        self._kept = kept

    @property
    def keeps_scores(self) -> bool:
        """Whether scores that are read now are likely to serve again."""
        return self._cache.keeps_scores and not self.connection.distant

    def frequencies(self, terms: Sequence[str]) -> dict[str, int]:
        """Return for each term the number of passages that hold it."""
        with self._cache.lock:
            if self._kept.whole:
                return {term: self._kept.counts.get(term, 0) for term in terms}
            known = {term: self._kept.counts[term] for term in terms if term in self._kept.counts}
        unknown = [term for term in terms if term not in known]
        if unknown:
            found = self.connection.document_frequencies(unknown)
            known.update(found)
            with self._cache.lock:
                self._kept.counts.update(found)
        return known

    def nearest(self, word: str) -> str:
        """Return the word of the library nearest to one that no passage holds, "" where none is near."""
        with self._cache.lock:
            known = self._kept.nearest.get(word)
        if known is None:
            term = self.nearest_term(word)
            known = as_written(self.connection, term, word) if term else ""
            with self._cache.lock:
                self._kept.nearest[word] = known
        return known

    def nearest_term(self, word: str) -> str:
        """Return the term of the library nearest to a word that no passage holds, "" where none is near."""
        with self._cache.lock:
            known = self._kept.nearest_terms.get(word)
        if known is None:
            counted = self.frequencies if self._reads_whole() else self.connection.document_frequencies
            known = nearest_term(self.connection, word, counted)
            with self._cache.lock:
                self._kept.nearest_terms[word] = known
        return known

    def has_nearest(self, word: str) -> bool:
        """Whether the word nearest to one is known, so that nothing is asked for it."""
        with self._cache.lock:
            return word in self._kept.nearest

    def holding(self, word: str) -> tuple[str, ...]:
        """Return the longer words that hold one that no passage holds, as a compound does; none in a huge library."""
        with self._cache.lock:
            known = self._kept.holding.get(word)
        if known is None:
            known = self._holding(word)
            with self._cache.lock:
                self._kept.holding[word] = known
        return known

    def _holding(self, word: str) -> tuple[str, ...]:
        if not word.isalpha() or self.connection.statistics().rows > MOST_ROWS:  # what holds a sign or digit is no word
            return ()
        if not self._reads_whole():
            return self.connection.terms_holding(word, LONGER_LETTERS, MOST_HOLDING)
        counts, shortest = self._kept.counts, len(word) + LONGER_LETTERS
        found = [term for term in counts if word in term and len(term) >= shortest and term.isalpha()]
        return tuple(sorted(found, key=lambda term: (-counts[term], term))[:MOST_HOLDING])

    def _reads_whole(self) -> bool:
        """Read the vocabulary with its counts, once, and tell whether it is there; not where it is another one soon.

        SQLite looks at all of it for each unknown word, and reads the postings of every term: 94 ms where 50,000
        passages have 72,000 terms. To bring it here takes 120, and the next words cost 2.
        """
        if self._kept.whole:
            return True
        connection = self.connection
        if not self.keeps_scores or connection.statistics().rows > MOST_ROWS:
            return False
        if not isinstance(connection, VocabularyReads):
            return False
        counts = connection.vocabulary()
        with self._cache.lock:
            self._kept.counts, self._kept.whole = counts, True
        return True

    def count(self, phrase: Phrase) -> int:
        """Return the number of passages that hold a phrase."""
        if phrase.is_term:
            return self.frequencies(phrase.places)[phrase.places[0]]
        if self.keeps_scores and not self._too_common(phrase):
            return len(self.postings(phrase).ids)
        with self._cache.lock:
            known = self._kept.matching.get(phrase.match)
        if known is None:
            known = self.connection.phrase_frequency(phrase)
            with self._cache.lock:
                self._kept.matching[phrase.match] = known
        return known

    def _too_common(self, phrase: Phrase) -> bool:
        """Whether a word of two stems stands in so many passages that it is not scored: they are only counted then."""
        if len(phrase.places) != 1 or phrase.prefix or self.knows(phrase):
            return False
        counts = self.frequencies(phrase.places[0].split(EITHER))
        return max(counts.values()) > COMMON_SHARE * self.connection.statistics().rows

    def knows(self, phrase: Phrase) -> bool:
        """Whether a phrase's scores are kept, so that they cost nothing to read."""
        with self._cache.lock:
            return phrase.match in self._kept.postings

    def has_read(self, phrase: Phrase, allowed: Allowed) -> bool:
        """Whether to rank by a phrase reads nothing: its scores are kept, or its postings were brought."""
        if isinstance(self.connection, AheadReads):
            return self.connection.has_brought(phrase, allowed)
        return self.keeps_scores and self.knows(phrase)

    def postings(self, phrase: Phrase) -> Postings:
        """Return where a phrase stands and what it gives there."""
        with self._cache.lock:
            kept = self._kept.postings.get(phrase.match)
            if kept is not None:
                self._kept.postings.move_to_end(phrase.match)
                return kept
        postings = Postings(*self.connection.postings(phrase))
        with self._cache.lock:
            if phrase.match not in self._kept.postings:
                self._kept.postings[phrase.match] = postings
                self._kept.bytes += postings.bytes
            self._cache.shrink()
        return postings
