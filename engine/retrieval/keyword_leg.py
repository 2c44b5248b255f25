"""The keyword leg: FTS5's bm25 over the scored phrases, filtered before its best are taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from engine.retrieval.dynamic_pruning import Ranked, best_of, counted, worthwhile
from engine.retrieval.filters import Allowed
from engine.retrieval.fts_query import Matching
from engine.retrieval.postings_cache import RANK, WordMemory

if TYPE_CHECKING:
    import apsw


def keyword_leg(
    connection: apsw.Connection, matching: Matching, allowed: Allowed, depth: int, memory: WordMemory | None = None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the ids and the positive bm25 of the best `depth` passages, best first, equal scores by id.

    In a large library what only common words would bring may be missing below the first `SURE_RANKS`.
    """
    if not matching.expression:
        return np.empty(0, np.int64), np.empty(0, np.float64)
    kept = memory if memory is not None and memory.keeps_scores else None
    words = counted(
        [matching.phrases[index] for index in matching.known],
        [matching.readings[index].documents for index in matching.known],
        matching.rows,
    )
    if worthwhile([each for each in words if kept is None or not kept.knows(each.phrase)]):
        return _columns(best_of(lambda expression: _asked(connection, expression, allowed, depth), words, depth))
    if kept is not None:
        return _from_memory(connection, matching, allowed, depth, kept)
    return _columns(_asked(connection, matching.expression, allowed, depth))


def _asked(connection: apsw.Connection, expression: str, allowed: Allowed, depth: int) -> Ranked:
    """Ask FTS5 for the best `depth` passages of a MATCH expression."""
    # The unary plus keeps SQLite from looking up MATCH anew for every allowed id, which costs 2 ms each.
    within = f" AND +rowid IN ({allowed.sql})" if allowed.sql else ""
    return cast(
        "Ranked",
        connection.execute(
            f"SELECT rowid, -{RANK} AS score FROM passage_fts WHERE passage_fts MATCH ?{within}"
            " ORDER BY score DESC, rowid LIMIT ?",
            (expression, *allowed.bindings, depth),
        ).fetchall(),
    )


def _columns(found: Ranked) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    ids = np.fromiter((row[0] for row in found), np.int64, len(found))
    return ids, np.fromiter((row[1] for row in found), np.float64, len(found))


def _from_memory(
    connection: apsw.Connection, matching: Matching, allowed: Allowed, depth: int, memory: WordMemory
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Sum what each phrase gives; a phrase that was asked before costs one addition over its passages."""
    asked = [memory.postings(connection, matching.phrases[index]) for index in matching.known]
    size = max((int(each.ids[-1]) for each in asked if len(each.ids)), default=-1) + 1
    total = np.zeros(size)
    for each in asked:
        total[each.ids] += each.scores
    if allowed.sql:
        listed = connection.execute(allowed.sql, allowed.bindings).fetchall()
        inside = np.zeros(size, np.bool_)
        ids = np.fromiter((row[0] for row in listed), np.int64, len(listed))
        inside[ids[ids < size]] = True
        total[~inside] = 0.0
    found = np.flatnonzero(total)
    if len(found) > depth:
        # Every passage as good as the last one taken stays in, so that equal scores are cut by id, not by chance.
        least = -np.partition(-total[found], depth - 1)[depth - 1]
        found = found[total[found] >= least]
    found = found[np.lexsort((found, -total[found]))][:depth]
    return found.astype(np.int64), total[found]
