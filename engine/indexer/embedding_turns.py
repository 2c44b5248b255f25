"""Lets an indexer embed what waits for its vector in short turns, between whatever is more urgent."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import apsw

from engine.errors import CarrelError
from engine.events import Event
from engine.indexing.embedding_queue import EmbeddingQueue
from engine.indexing.stop_signal import Signal
from engine.store import pending_vectors

if TYPE_CHECKING:
    from engine.indexing.passage_encoder import PassageEncoder

TURN_SECONDS = 1.0  # then it is looked whether something else is due
FEW = 64  # texts that a saved note may have: they are embedded though a longer task waits, in a second or two
AFTER_TROUBLE_SECONDS = 60.0  # until a model that could not be used is tried again


class EmbeddingTurns:
    """The embedding of one library in its indexer's process."""

    def __init__(
        self, conn: apsw.Connection, encoder: Callable[[], PassageEncoder], on_event: Callable[[Event], None]
    ) -> None:
        self._conn = conn
        self._queue = EmbeddingQueue(conn, encoder, on_event)
        self._after = 0.0  # when embedding may be tried again
        self.embedded = 0
        """How many texts got their vector so far."""

    @property
    def due(self) -> bool:
        """Whether something waits that can be embedded now."""
        return time.monotonic() >= self._after and pending_vectors.any_wait(self._conn)

    @property
    def few(self) -> bool:
        """Whether no more waits than a saved note brings."""
        return self.due and pending_vectors.count(self._conn) <= FEW

    def take(self, signal: Signal, *, asked: bool = False) -> None:
        """Embed for a second, or until `signal` is set; only what was `asked` for if so wanted.

        Raises CarrelError where the model cannot be used or the library not be written, and then rests for a minute.
        """
        try:
            self.embedded += self._queue.work(signal, TURN_SECONDS, asked=asked)
        except CarrelError:
            self._after = time.monotonic() + AFTER_TROUBLE_SECONDS
            raise
