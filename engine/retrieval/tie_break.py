"""Says in which order equal scores stand: in a leg by passage id, in the list by cosine, path and place.

Of paths the shortest comes first; the place is that in the document. So no order of what is found depends on chance.
Where SQLite sorts, `ORDER BY score DESC, rowid` says the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def best_of_leg(scores: NDArray[Any], ids: NDArray[np.int64], depth: int) -> NDArray[np.int64]:
    """Return the places of the `depth` greatest scores (n,), greatest first; equal ones by `ids` (n,)."""
    found = np.arange(len(scores))
    if len(scores) > depth:
        # Everything as good as the last one taken stays in, so that equal scores are cut by id, not by chance.
        found = np.flatnonzero(scores >= np.partition(scores, -depth)[-depth])
    order: NDArray[np.int64] = found[np.lexsort((ids[found], -scores[found]))][:depth]
    return order


def nearest_of_leg(cosines: NDArray[Any], ids: NDArray[np.int64], depth: int) -> NDArray[np.int64]:
    """Return the places of the `depth` greatest cosines (n,), greatest first; equal ones by `ids` (n,).

    Two texts lie equally near only where they are the same; which of those the last place goes to, numpy decides.
    """
    found = np.argpartition(-cosines, depth)[:depth] if len(cosines) > depth else np.arange(len(cosines))
    order: NDArray[np.int64] = found[np.lexsort((ids[found], -cosines[found]))]
    return order


def final_order(scores: NDArray[np.float64], cosines: NDArray[np.float32], tie: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sort candidates by score, then cosine, then `tie`; NaN stands for no cosine.

    `tie` numbers them by path, the shortest first, folder and place in the document: `candidate_retrieval._places`
    makes it.
    """
    known = np.where(np.isnan(cosines), -2.0, cosines)
    return np.lexsort((tie, -known, -scores)).astype(np.int64)
