"""Notices that the machine slept or that its clock was set: what happened to the folders meanwhile was not heard."""

from __future__ import annotations

import time
from collections.abc import Callable

WALL_JUMP_SECONDS = 30.0  # slower clocks are drawn along by less; a shorter jump tells of no sleep
SLEEP_SECONDS = 2.0  # by the clock that counts sleep, where there is one: it never drifts from the other

Clock = Callable[[], float]


def asleep_too() -> float:
    """Return seconds that go on while the machine sleeps, where the system counts them, else those awake."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.clock_gettime(boot) if boot is not None else time.monotonic()


class Clocks:
    """Holds three clocks against each other: the wall's, one that stands still in sleep, and one that does not."""

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
