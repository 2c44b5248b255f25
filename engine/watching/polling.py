"""When to look at folders that nobody tells us of: as often as costs little, whatever their size."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

POLL_SECONDS = 30.0  # a person who edits a file on another machine waits no longer than this in a small folder
SHARE = 0.01  # of the time may be spent looking: a folder that takes 3 s to walk is looked at every 5 minutes
LONGEST_SECONDS = 15 * 60.0  # the whole is looked at as often as this anyway


class Polling:
    """The places to look at from time to time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next = clock() + POLL_SECONDS
        self._began = 0.0
        self.seconds = POLL_SECONDS  # between two looks
        self.places: tuple[bytes, ...] = ()

    def cover(self, places: Iterable[bytes]) -> None:
        """Look at these places from now on."""
        wanted = tuple(sorted(places))
        if wanted and not self.places:
            self._next = self._clock() + self.seconds
        self.places = wanted

    def due(self) -> tuple[bytes, ...]:
        """Return what is to be looked at now; whoever looks says `done` afterwards."""
        if not self.places or self._clock() < self._next:
            return ()
        self._began = self._clock()
        return self.places

    def done(self, *, found_nothing: bool) -> None:
        """Plan the next look; what a look costs that found nothing to do says how often there may be one."""
        now = self._clock()
        if found_nothing:
            self.seconds = min(LONGEST_SECONDS, max(POLL_SECONDS, (now - self._began) / SHARE))
        self._next = now + self.seconds
