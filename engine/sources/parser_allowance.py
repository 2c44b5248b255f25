"""The time that the parsing child has for one file: what it spends, not what others keep from it.

On a busy machine a child may wait for a processor ten times as long as it runs; such a wait is no fault of the file.
"""

from __future__ import annotations

import time

from engine.linux_processes import children, seconds_waited


class TimedOut(Exception):
    """The child took longer than the file was allowed, which is so many `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Allowance:
    """So many `seconds` in which a process runs, or waits for something else than a processor; `clock_seconds` in all.

    Where the system does not tell of the wait (only Linux does) the clock counts.
    """

    def __init__(self, process: int, seconds: float, clock_seconds: float) -> None:
        self._process = process
        self._seconds = seconds
        self._clock_seconds = clock_seconds
        self._waits: dict[int, float] = {}  # also those of a process that it started and that has ended since
        self._waited_before = self._waited()
        self._began = time.monotonic()

    def left(self) -> float:
        """Return for how many seconds at least the process may still go on; raises TimedOut where it may not."""
        passed = time.monotonic() - self._began
        if passed >= self._clock_seconds:
            raise TimedOut(self._clock_seconds)
        left = self._seconds - (passed - (self._waited() - self._waited_before))
        if left <= 0:
            raise TimedOut(self._seconds)
        return min(left, self._clock_seconds - passed)

    def _waited(self) -> float:
        """Return how long the process, and what it started, waited for a processor so far."""
        for process in (self._process, *children(self._process)):
            self._waits[process] = max(seconds_waited(process), self._waits.get(process, 0.0))
        return sum(self._waits.values())
