"""Late interaction with a candidate that stands in no library: token vectors are made as the judging asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.embedding.encoder import Encoder
from engine.embedding.token_pooling import Codes, best_cosines, encoded, pool
from training.late_training import JUDGED_FACTOR

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.store.store_connection import StoreConnection


class CandidateLateStage:
    """The late model of a run over a corpus: `ids` (n,) are its passages, ascending, `texts` theirs."""

    def __init__(
        self, encoder: Encoder, ids: NDArray[np.int64], texts: Sequence[str], check: Callable[[], None]
    ) -> None:
        self.name = encoder.manifest.id
        self._encoder = encoder
        self._ids = ids
        self._texts = texts
        self._check = check
        self._known: dict[int, Codes | None] = {}

    def scores(self, connection: StoreConnection, question: str, ids: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the late score of each passage, NaN where its text cannot be read now."""
        found = np.full(len(ids), np.nan)
        asked = self._encoder.encode_query_tokens(question)
        if asked is None or not len(asked.vectors):
            return found
        rows = np.searchsorted(self._ids, ids).tolist()
        held = [self._codes(row) for row in rows]
        known = [place for place, codes in enumerate(held) if codes is not None]
        found[known] = best_cosines(asked.vectors, [codes for codes in held if codes is not None])
        return found

    def _codes(self, row: int) -> Codes | None:
        if row not in self._known:
            self._check()
            tokens = self._encoder.encode_passage_tokens(self._texts[row]) if self._texts[row] else None
            held = tokens is not None and len(tokens.vectors) > 0
            self._known[row] = encoded(pool(tokens.vectors, JUDGED_FACTOR, "kmeans")) if tokens and held else None
        return self._known[row]
