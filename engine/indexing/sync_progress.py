"""How far a sync is: counts, the rate of embedding over the last seconds, and what is left."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from engine.events import Event, Progress
from engine.paths import display

INTERVAL_SECONDS = 0.1  # 10 Hz: more than a screen can show
RATE_SECONDS = 10.0  # long enough to even out long and short texts, short enough to follow a laptop's heat
SURE_AFTER_SECONDS = 2.0  # before, an estimate of what is left jumps about


class ProgressMeter:
    """Counts what was done and tells it as `Progress` events, ten a second at most."""

    def __init__(
        self,
        files_total: int,
        bytes_total: int,
        on_event: Callable[[Event], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._files_total = files_total
        self._bytes_total = bytes_total
        self._on_event = on_event
        self._clock = clock
        self._started = clock()
        self._told = self._started - INTERVAL_SECONDS
        self._files_done = self._bytes_done = self._passages = 0
        self._recent: deque[tuple[float, int]] = deque([(self._started, 0)])
        self._path = b""

    def file_done(self, path: bytes, size: int) -> None:
        """Count a file of `size` bytes as done with."""
        self._files_done += 1
        self._bytes_done += size
        self._path = path
        self.tell()

    def embedded(self, passages: int, path: bytes) -> None:
        """Count passages that got their vectors; `path` is the file they stand in."""
        self._passages += passages
        self._path = path
        now = self._clock()
        self._recent.append((now, self._passages))
        while len(self._recent) > 2 and self._recent[1][0] < now - RATE_SECONDS:
            self._recent.popleft()
        self.tell()

    def more(self, files: int, size: int) -> None:
        """Put off: files that have to be read once more."""
        self._files_total += files
        self._bytes_total += size

    def tell(self, *, at_once: bool = False) -> None:
        """Send a `Progress` event, unless the last one was sent less than a tenth of a second ago."""
        now = self._clock()
        if not at_once and now - self._told < INTERVAL_SECONDS:
            return
        self._told = now
        self._on_event(
            Progress(
                files_done=self._files_done,
                files_total=self._files_total,
                passages=self._passages,
                rate=round(self.rate(), 1),
                seconds_left=self.seconds_left(),
                path=display(self._path),
            )
        )

    def rate(self) -> float:
        """Return the passages embedded a second over the last ten seconds."""
        (since, before), now = self._recent[0], self._clock()
        return (self._passages - before) / (now - since) if now > since else 0.0

    def seconds_left(self) -> float | None:
        """Return what the rest will take if its bytes take as long as those done, or None while that is a guess."""
        passed = self._clock() - self._started
        if passed < SURE_AFTER_SECONDS or not self._bytes_done:
            return None
        return round(passed * max(0, self._bytes_total - self._bytes_done) / self._bytes_done, 1)
