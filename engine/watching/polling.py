"""Says when to look at folders though nothing was heard of them.

Nobody tells of some of them: those are looked at as often as costs little, whatever their size. And a machine that
slept, or whose clock was set, has heard nothing meanwhile of any.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

POLL_SECONDS = 30.0  # a person who edits a file on another machine waits no longer than this in a small folder
SHARE = 0.01  # of the time may be spent looking: a folder that takes 3 s to walk is looked at every 5 minutes
LONGEST_SECONDS = 15 * 60.0  # the whole is looked at as often as this anyway
WALL_JUMP_SECONDS = 30.0  # slower clocks are drawn along by less; a shorter jump tells of no sleep
SLEEP_SECONDS = 2.0  # by the clock that counts sleep, where there is one: it never drifts from the other

Clock = Callable[[], float]


class Polling:
    """The places to look at from time to time."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
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
        """Return what is to be looked at now; say `done` afterwards."""
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


def asleep_too() -> float:
    """Return seconds that go on while the machine sleeps, where the system counts them, else those awake."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.clock_gettime(boot) if boot is not None else time.monotonic()


class Clocks:
    """Notices that the machine slept or that its clock was set.

    Three clocks are held against each other: the wall's, one that stands still in sleep, and one that does not.
    """

    def __init__(self, wall: Clock = time.time, awake: Clock = time.monotonic, always: Clock = asleep_too) -> None:
        self._wall = wall
        self._awake = awake
        self._always = always
        self._ahead = self._measured()

    def jumped(self) -> bool:
        """Whether the machine slept, or its clock was set, since this was last asked."""
        (wall, asleep), self._ahead = self._ahead, self._measured()
        return abs(self._ahead[0] - wall) > WALL_JUMP_SECONDS or self._ahead[1] - asleep > SLEEP_SECONDS

    def _measured(self) -> tuple[float, float]:
        awake = self._awake()
        return self._wall() - awake, self._always() - awake
