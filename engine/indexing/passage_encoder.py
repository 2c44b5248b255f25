"""Turns passages into vectors in steps short enough to stop between them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from engine.indexing.stop_signal import Signal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.embedding.manifest import Manifest

STEP_SECONDS = 0.3  # how long one step aims to take: an order to stop is heard within a second on a slow machine too
FIRST_STEP = 8  # texts, before the machine's speed is known
LARGEST_STEP = 512


class PassageEncoder(Protocol):
    """What a sync asks of an encoder: `engine.embedding.encoder.Encoder`, or the fake one."""

    @property
    def manifest(self) -> Manifest:
        """What the model is."""

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of texts, shape (n, dimension)."""

    def token_starts(self, text: str) -> Sequence[int]:
        """Return where each token starts."""


class Embedder:
    """Embeds texts step by step, sized by the speed of the step before."""

    def __init__(self, encode: Callable[[Sequence[str]], NDArray[np.float32]], stop: Signal) -> None:
        self._encode = encode
        self._stop = stop
        self._size = FIRST_STEP

    def embed(self, texts: Mapping[bytes, str]) -> Iterator[list[tuple[bytes, NDArray[np.float32]]]]:
        """Give the vectors of `texts`, by their hash, one step at a time; ends early where `stop` is set."""
        left = list(texts.items())
        while left and not self._stop.is_set():
            step, left = left[: self._size], left[self._size :]
            started = time.monotonic()
            vectors = self._encode([text for _, text in step])
            self._learn(len(step), time.monotonic() - started)
            yield [(digest, vectors[place]) for place, (digest, _) in enumerate(step)]

    def _learn(self, texts: int, seconds: float) -> None:
        wanted = int(texts * STEP_SECONDS / max(seconds, 1e-6))
        self._size = max(2, min(wanted, 2 * self._size, LARGEST_STEP))
