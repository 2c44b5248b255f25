"""How fast a training goes, how long it still takes, and how much memory it holds."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

from training.protocol import Stepped


class Throughput:
    """The speed of a training, measured by the steps of this process alone."""

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

    def stepped(self, step: int, epoch: float, loss: float, learning_rate: float) -> Stepped:
        """Return the event that tells how far the training is after a step."""
        return Stepped(
            step=step,
            of=self._of,
            epoch=epoch,
            loss=loss,
            learning_rate=learning_rate,
            triples_per_second=self.rate,
            seconds_left=self.left(step),
            memory=resident_bytes(),
        )


def resident_bytes() -> int:
    """Return the resident bytes of this process; where that cannot be told, the most that it ever held."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
