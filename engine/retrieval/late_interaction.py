"""Late interaction: the best hundred passages are ranked again by how near each word of the question comes to theirs.

The passages' token vectors lie pooled in the library (`engine/store/late_vectors.py`), so a search reads a hundred rows
and runs the model once, over the question. A passage without a row keeps the score that it had.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.embedding.token_pooling import best_cosines
from engine.lazy_dataclass import dataclass
from engine.store.store_connection import LateReads

if TYPE_CHECKING:
    from engine.embedding.token_vectors import TokenVectors
    from engine.store.late_vectors import LateModel
    from engine.store.store_connection import StoreConnection

DEPTH = 100  # passages that are ranked again
Floats = NDArray[np.float64]


class QuestionEncoder(Protocol):
    """What is asked of the late model's encoder."""

    def encode_query_tokens(self, text: str) -> TokenVectors | None:
        """Return the vectors of a question's tokens."""


class Late(Protocol):
    """What ranks the best passages again."""

    @property
    def name(self) -> str:
        """What the model is called."""

    def scores(self, connection: StoreConnection, question: str, ids: NDArray[np.int64]) -> Floats:
        """Return the late score of each passage, NaN where it has none."""


@dataclass(frozen=True, slots=True)
class LateStage:
    """The late model of a library, with its encoder."""

    model: LateModel
    encoder: QuestionEncoder

    @property
    def name(self) -> str:
        """The catalogue's name of the model."""
        return self.model.name

    def scores(self, connection: StoreConnection, question: str, ids: NDArray[np.int64]) -> Floats:
        """Return the late score of each passage: the mean over the question's tokens of the best cosine, else NaN."""
        found: Floats = np.full(len(ids), np.nan)
        asked = self.encoder.encode_query_tokens(question)
        if asked is None or not len(asked.vectors) or asked.vectors.shape[1] != self.model.dimension:
            return found
        assert isinstance(connection, LateReads)  # it has named the model
        held = connection.late_codes(self.model, ids.tolist())
        known = [place for place, each in enumerate(ids.tolist()) if each in held]
        found[known] = best_cosines(asked.vectors, [held[int(ids[place])] for place in known])
        return found


def shares(late: Floats, order: NDArray[np.int64], score: Floats, weight: float) -> Floats | None:
    """Return what late scores, each (n,), change each score by; None where they tell no two passages apart.

    Among the passages that have one, the score becomes (1 - weight) of what it was and `weight` of the late score,
    which is laid over the same range: the best gets the highest of them, the worst the lowest.
    """
    known = order[~np.isnan(late[order])]
    held, before = late[known], score[known]
    spread = float(np.ptp(held)) if len(known) else 0.0
    if spread <= 0.0:
        return None
    scaled = before.min() + (before.max() - before.min()) * (held - held.min()) / spread
    changed: Floats = np.zeros(len(score))
    changed[known] = weight * (scaled - before)
    return changed
