"""The keyword leg: FTS5's bm25 over the scored phrases, filtered before its best are taken, and taken apart for rows.

In a large library dynamic pruning (max-score: Turtle and Flood 1995) leaves out passages that hold only common words. A
passage that holds none of a query's rarer words gets at most what the commoner ones can give, (k1 + 1) idf each. So the
passages with a rarer word are ranked first; as soon as enough of them lie above that bound, no other passage can come
between, and the rest need not be read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.lazy_dataclass import dataclass
from engine.records import TermScore
from engine.retrieval.fts_query import FtsQuery
from engine.retrieval.postings_cache import PostingsReader
from engine.retrieval.tie_break import best_of_leg
from engine.store.allowed import Allowed
from engine.store.bm25 import SATURATION, fts5_idf
from engine.store.phrase import Phrase

if TYPE_CHECKING:
    from engine.store.store_connection import StoreConnection

WORTHWHILE_POSTINGS = 100_000  # below it ranking them all takes less than about 50 ms
SURE_RANKS = 20  # from the top that are certain; what only common words bring below them may be missing
FIRST_POSTINGS = 10_000  # of the rarer words, to begin with: ranking so many costs less than asking a second time
TOO_MANY = 0.5  # share of the postings from which asking for all of them once is cheaper

Ranked = list[tuple[int, float]]
Groups = Sequence[Sequence[Phrase]]
Ask = Callable[[Groups], Ranked]
"""Gives the best passages that match a phrase of each group, with their bm25, no more than the leg keeps."""


def keyword_leg(
    words: PostingsReader, fts_query: FtsQuery, allowed: Allowed, depth: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the ids and the positive bm25 of the best `depth` passages, best first, equal scores by id.

    In a large library what only common words would bring may be missing below the first `SURE_RANKS`.
    """
    if not fts_query.known:
        return np.empty(0, np.int64), np.empty(0, np.float64)
    connection, keeps = words.connection, words.keeps_scores
    phrases = _counted(fts_query)
    if worthwhile([each for each in phrases if not words.has_read(each.phrase, allowed)]):
        return _columns(best_of(lambda groups: connection.best_by_words(groups, allowed, depth), phrases, depth))
    if keeps:
        return _from_postings(words, fts_query, allowed, depth)
    return _columns(connection.best_by_words(_all_known(fts_query), allowed, depth))


def first_asked(words: PostingsReader, fts_query: FtsQuery, among: Sequence[Allowed]) -> list[Groups]:
    """Return what the leg asks first of a store that keeps no scores."""
    phrases = _counted(fts_query)
    if not phrases:
        return []
    unread = [each for each in phrases if not all(words.has_read(each.phrase, allowed) for allowed in among)]
    return _groups(phrases, _beginning(phrases)) if worthwhile(unread) else [_all_known(fts_query)]


def _all_known(fts_query: FtsQuery) -> Groups:
    return [[fts_query.phrases[index] for index in fts_query.known]]


def _counted(fts_query: FtsQuery) -> list[Counted]:
    return counted(
        [fts_query.phrases[index] for index in fts_query.known],
        [fts_query.readings[index].documents for index in fts_query.known],
        fts_query.rows,
    )


def _columns(found: Ranked) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    ids = np.fromiter((row[0] for row in found), np.int64, len(found))
    return ids, np.fromiter((row[1] for row in found), np.float64, len(found))


def _from_postings(
    words: PostingsReader, fts_query: FtsQuery, allowed: Allowed, depth: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Sum what each phrase gives; a phrase that was asked before costs one addition over its passages."""
    asked = [words.postings(fts_query.phrases[index]) for index in fts_query.known]
    size = max((int(each.ids[-1]) for each in asked if len(each.ids)), default=-1) + 1
    total = np.zeros(size)
    for each in asked:
        total[each.ids] += each.scores
    if not allowed.everything:
        inside = np.zeros(size, np.bool_)
        ids = words.connection.allowed_ids(allowed)
        inside[ids[ids < size]] = True
        total[~inside] = 0.0
    found = np.flatnonzero(total)
    found = found[best_of_leg(total[found], found, depth)]
    return found.astype(np.int64), total[found]


# --- dynamic pruning -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Counted:
    """A phrase, the number of passages that hold it, and the most that it can give one."""

    phrase: Phrase
    documents: int
    most: float


def counted(phrases: Sequence[Phrase], documents: Sequence[int], rows: int) -> list[Counted]:
    """Put phrases in order, the rarest first, with what each can give at most."""
    found = [
        Counted(phrase, count, (SATURATION + 1.0) * fts5_idf(count, rows))
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
    # FTS5 counts how many passages hold each word that it is asked for, each time anew. So the commoner ones stand in
    # one question only; a passage that it does not give holds none of them, or stands below `depth` others that do.
    asked = _groups(words, rarer)
    if len(asked) == 1:
        return ask(asked[0])
    found = {passage: score for groups in asked for passage, score in ask(groups)}
    return sorted(found.items(), key=lambda each: (-each[1], each[0]))[:depth]


def _groups(words: Sequence[Counted], rarer: int) -> list[Groups]:
    if _postings(words[:rarer]) > TOO_MANY * _postings(words):
        rarer = len(words)
    first, rest = ([each.phrase for each in some] for some in (words[:rarer], words[rarer:]))
    return [[first], [first, rest]] if rest else [[first]]


def _postings(words: Sequence[Counted]) -> int:
    return sum(each.documents for each in words)


# --- what each word gave -------------------------------------------------------------------------------------------


def term_scores(
    connection: StoreConnection, fts_query: FtsQuery, passage_ids: Sequence[int]
) -> dict[int, tuple[TermScore, ...]]:
    """Return, for each passage, a score for every known word of the query, in the query's order; zeros included."""
    phrases = [fts_query.phrases[index] for index in fts_query.known]
    if not phrases or not passage_ids:
        return {}
    readings = [fts_query.readings[index] for index in fts_query.known]
    holding = [reading.documents for reading in readings]
    parts = connection.bm25_parts(passage_ids, phrases, holding)
    return {
        passage: tuple(
            TermScore(reading.term, part.idf, part.tf, part.score, reading.documents)
            for reading, part in zip(readings, row.parts, strict=True)
        )
        for passage, row in parts.items()
    }


def coverage(fts_query: FtsQuery, scores: Sequence[TermScore]) -> float:
    """Return the idf-weighted share of the query's telling words that stand in a row; unknown ones count as missing.

    A row of a search for signs holds them all, else it were none.
    """
    if fts_query.signs:
        return 1.0
    telling = fts_query.telling
    total = sum(reading.idf for reading in telling)
    if total <= 0.0:
        return 0.0
    present = {score.term for score in scores if score.tf > 0.0}
    return sum(reading.idf for reading in telling if reading.term in present) / total
