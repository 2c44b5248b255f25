"""How fast a training goes, and how long it still takes."""

from __future__ import annotations

import time
from collections.abc import Callable


class Clock:
    """How fast it goes, by the steps of this process alone."""

    def __init__(self, step: int, of: int, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._began, self._first, self._of, self._triples = now, now(), step, of, 0

    def count(self, triples: int) -> None:
        """Count the triples of a step."""
        self._triples += triples

    @property
    def rate(self) -> float:
        """Triples a second."""
        return self._triples / max(self._now() - self._began, 1e-9)

    def left(self, step: int) -> float | None:
        """Return the seconds that are left after a step, None after the first."""
        done = step - self._first
        return (self._now() - self._began) / done * (self._of - step) if done else None
