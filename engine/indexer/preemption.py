"""Which task of an indexer gives way to which: what takes long is asked to leave once something more urgent waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from engine.indexing.stop_signal import GiveWay, Signal

DEEPEST = 8  # tasks that gave way to each other; the next one is carried through first


class Preemption:
    """The tasks of one indexer that take long; each is to end once `stop` is set, and to give way while `urgent`."""

    def __init__(self, stop: Signal, urgent: Callable[[], bool]) -> None:
        self._stop = stop
        self._urgent = urgent
        self.depth = 0
        """How many tasks are under way, all but one of which gave way."""

    @contextmanager
    def task(self) -> Iterator[Callable[[], GiveWay]]:
        """Give a maker of signals for a task that takes long, of which only so many may wait for each other."""
        self.depth += 1
        urgent = self._urgent if self.depth <= DEEPEST else lambda: False
        try:
            yield lambda: GiveWay(self._stop, urgent)
        finally:
            self.depth -= 1
