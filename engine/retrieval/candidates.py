"""What the two legs found, as parallel arrays: ids, ranks and raw scores only; no text before the final rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.retrieval.fts_query import Matching
from engine.retrieval.query_memory import NOTHING, Recollection

DEPTH = 200  # candidates a leg; deeper changed no judged top 10 beyond noise
KEYWORD_DEPTH = 1000  # best bm25 scores kept, so that a candidate of the vector leg rarely counts as wordless


@dataclass(frozen=True, slots=True)
class Candidates:
    """The joined candidates of both legs, each array of shape (n,) and `vectors` of shape (n, dimension).

    Ranks start at 1, are negative below the leg's candidates (the rank is known, but the leg did not bring the row),
    and 0 where there is none. `cosine` is NaN where a passage has no vector yet. `tie` orders equal scores: by path,
    then ordinal. `rare` is the share of the query's idf that the rare words in a passage have. `truncated` tells that
    a leg had more to give than its depth. `recalled` is true for what only memory brought: where memory is off it is
    as if it were not there.
    """

    ids: NDArray[np.int64]
    documents: NDArray[np.int64]
    tie: NDArray[np.int64]
    cosine: NDArray[np.float32]
    bm25: NDArray[np.float64]
    vector_rank: NDArray[np.int64]
    keyword_rank: NDArray[np.int64]
    vectors: NDArray[np.float32]
    query_vector: NDArray[np.float32] | None
    matching: Matching
    background: float
    keyword_ceiling: float
    rare: NDArray[np.float64]
    truncated: bool
    recollection: Recollection = NOTHING
    recalled: NDArray[np.bool_] | None = None  # None: nothing was

    def __len__(self) -> int:
        return len(self.ids)
