"""The keyword leg of a large library without reading every passage that holds some common word.

A passage that holds none of a query's rarer words gets at most what the commoner ones can give, (k1 + 1) idf each. So
the passages with a rarer word are ranked first; as soon as enough of them lie above that bound, no other passage can
come between, and the rest need not be read. (Max-score: Turtle and Flood 1995.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.store.bm25 import SATURATION, idf
from engine.store.phrase import Phrase

WORTHWHILE_POSTINGS = 100_000  # below it ranking them all takes less than about 50 ms
SURE_RANKS = 20  # from the top that are certain; what only common words bring below them may be missing
FIRST_POSTINGS = 10_000  # of the rarer words, to begin with: ranking so many costs less than asking a second time
TOO_MANY = 0.5  # share of the postings from which asking for all of them once is cheaper

Ranked = list[tuple[int, float]]
Ask = Callable[[str], Ranked]
"""Gives the best passages for a MATCH expression with their bm25, best first, no more than the leg keeps."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A phrase, the number of passages that hold it, and the most that it can give one."""

    phrase: Phrase
    documents: int
    most: float


def counted(phrases: Sequence[Phrase], documents: Sequence[int], rows: int) -> list[Counted]:
    """Put phrases in order, the rarest first, with what each can give at most."""
    found = [
        Counted(phrase, count, (SATURATION + 1.0) * idf(rows, count))
        for phrase, count in zip(phrases, documents, strict=True)
    ]
    return sorted(found, key=lambda each: each.documents)


def worthwhile(words: Sequence[Counted]) -> bool:
    """Whether there is so much to read that leaving some out is worth asking twice."""
    return len(words) > 1 and sum(each.documents for each in words) > WORTHWHILE_POSTINGS


def best_of(ask: Ask, words: Sequence[Counted], depth: int) -> Ranked:
    """Return at most `depth` passages with their whole bm25, best first; the first `SURE_RANKS` are those of all."""
    rarer = _beginning(words)
    found = _ranked(ask, words, rarer, depth)
    least = found[SURE_RANKS - 1][1] if len(found) >= SURE_RANKS else 0.0
    needed = next(n for n in range(rarer, len(words) + 1) if sum(each.most for each in words[n:]) <= least)
    return found if needed == rarer else _ranked(ask, words, needed, depth)


def _beginning(words: Sequence[Counted]) -> int:
    """Return how many of the rarest words to begin with: what is cheap to rank, and no fewer than may fill the top."""
    count = 1
    while count < len(words) and (
        _postings(words[:count]) < SURE_RANKS or _postings(words[: count + 1]) <= FIRST_POSTINGS
    ):
        count += 1
    return count


def _ranked(ask: Ask, words: Sequence[Counted], rarer: int, depth: int) -> Ranked:
    """Rank the passages that hold one of the first `rarer` words, by all words; all passages where that is cheaper."""
    if _postings(words[:rarer]) > TOO_MANY * _postings(words):
        rarer = len(words)
    first, rest = _any(words[:rarer]), _any(words[rarer:])
    if not rest:
        return ask(first)
    # FTS5 counts how many passages hold each word that it is asked for, each time anew. So the commoner ones stand in
    # one question only; a passage that it does not give holds none of them, or stands below `depth` others that do.
    found = {**dict(ask(first)), **dict(ask(f"({first}) AND ({rest})"))}
    return sorted(found.items(), key=lambda each: (-each[1], each[0]))[:depth]


def _any(words: Sequence[Counted]) -> str:
    return " OR ".join(each.phrase.match for each in words)


def _postings(words: Sequence[Counted]) -> int:
    return sum(each.documents for each in words)
