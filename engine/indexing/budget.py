"""How much may be under way between reading and writing, so that memory stays bounded whatever the folder's size."""

from __future__ import annotations

import threading
from collections.abc import Callable

LISTEN_SECONDS = 0.1  # how often a waiting thread looks whether it is to stop


class Budget:
    """Counts bytes of files under way. A file above the limit is let in alone."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0
        self._changed = threading.Condition()

    def take(self, weight: int, halted: Callable[[], bool]) -> bool:
        """Wait until `weight` fits, then take it. Returns False where `halted` says so first."""
        with self._changed:
            while not halted():
                if self._used == 0 or self._used + weight <= self._limit:
                    self._used += weight
                    return True
                self._changed.wait(LISTEN_SECONDS)
        return False

    def give_back(self, weight: int) -> None:
        """Return what `take` took, once the file is written."""
        with self._changed:
            self._used -= weight
            self._changed.notify()
