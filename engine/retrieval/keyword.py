"""The keyword leg: FTS5's bm25 over the scored phrases, filtered before its best are taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.retrieval.filters import Allowed
from engine.retrieval.matching import Matching

if TYPE_CHECKING:
    import apsw

# Of title, headings, body, path, tags, cjk. They multiply a term's frequency, as FTS5 has it.
COLUMN_WEIGHTS = (1.0, 1.0, 1.0, 0.5, 1.0, 1.0)

_RANK = f"bm25(passage_fts, {', '.join(str(weight) for weight in COLUMN_WEIGHTS)})"


def keyword_leg(
    connection: apsw.Connection, matching: Matching, allowed: Allowed, depth: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the ids and the positive bm25 of the best `depth` passages, best first, equal scores by id."""
    if not matching.expression:
        return np.empty(0, np.int64), np.empty(0, np.float64)
    # The unary plus keeps SQLite from looking up MATCH anew for every allowed id, which costs 2 ms each.
    within = f" AND +rowid IN ({allowed.sql})" if allowed.sql else ""
    found = connection.execute(
        f"SELECT rowid, -{_RANK} AS score FROM passage_fts WHERE passage_fts MATCH ?{within}"
        " ORDER BY score DESC, rowid LIMIT ?",
        (matching.expression, *allowed.bindings, depth),
    ).fetchall()
    ids = np.fromiter((row[0] for row in found), np.int64, len(found))
    return ids, np.fromiter((row[1] for row in found), np.float64, len(found))
