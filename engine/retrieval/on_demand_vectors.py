"""Vectors that a searching process makes itself, of the few passages that a search found by their words alone.

They are kept by the hash of what was embedded, for one model, in memory only: the indexer makes the ones that last. A
vector depends on its text and the model alone, so that both make the same.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.retrieval.overlaid_vectors import OverlaidVectors
from engine.retrieval.versions import Versions

if TYPE_CHECKING:
    from engine.retrieval.cancellation import Cancellation
    from engine.retrieval.vector_leg import Vectors
    from engine.store.store_connection import StoreConnection

AT_ONCE = os.cpu_count() or 1  # a text for each core, so that a newer key waits for one at most: some 40 ms
KEPT = 1000  # vectors: 1.5 MB of 384 components, what some twenty searches ask for
Encode = Callable[[Sequence[str]], NDArray[np.float32]]


class OnDemandVectors:
    """The vectors that were made on demand with one model, the latest `most` of them. Safe to use from any thread."""

    def __init__(self, encode: Encode, most: int = KEPT) -> None:
        self._encode = encode
        self._most = most
        self._lock = threading.Lock()
        self._made: OrderedDict[bytes, NDArray[np.float32]] = OrderedDict()
        self._number = 0  # of steps made so far, so that an older overlay is told from a newer one
        self._versions: Versions[tuple[int, int], Vectors] = Versions()

    def embed(self, texts: Mapping[bytes, str], seconds: float, cancel: Cancellation) -> int:
        """Make the vectors of texts, by their hash and in their order, for so long; return how many have one now.

        Raises SearchCancelled; what was made by then is kept.
        """
        until = time.monotonic() + seconds
        left = [(digest, text) for digest, text in texts.items() if digest not in self._made]
        while left:
            cancel.check()
            if time.monotonic() >= until:
                break
            step, left = left[:AT_ONCE], left[AT_ONCE:]
            self._keep(dict(zip([digest for digest, _ in step], self._encode([text for _, text in step]), strict=True)))
        return len(texts) - len(left)

    def over(self, connection: StoreConnection, vectors: Vectors) -> Vectors:
        """Return the library's vectors, as `connection` sees them, with those made here of passages that have none."""
        if not self._made:
            return vectors
        with self._lock:
            version = connection.change_latest(), self._number
            return self._versions.at(version, lambda: self._laid_over(connection, vectors))

    def _keep(self, vectors: Mapping[bytes, NDArray[np.float32]]) -> None:
        with self._lock:
            self._made.update(vectors)
            self._number += 1
            while len(self._made) > self._most:
                self._made.popitem(last=False)

    def _laid_over(self, connection: StoreConnection, vectors: Vectors) -> Vectors:
        holders = connection.passages_with_hashes(list(self._made))
        ids = np.fromiter((passage for passage, _ in holders), np.int64, len(holders))
        lacking = vectors.positions(ids) < 0
        needed = [digest for (_, digest), lacks in zip(holders, lacking, strict=True) if lacks]
        made = [self._made[each] for each in needed]
        overlaid = OverlaidVectors(vectors, ids[lacking], np.stack(made)) if made else vectors
        for digest in {digest for _, digest in holders}.difference(needed):
            del self._made[digest]  # the library has it by now
        return overlaid
