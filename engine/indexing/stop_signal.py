"""Tells a long task that it is to stop, or to give way to something more urgent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Signal(Protocol):
    """Something that may be set at any time; a `threading.Event` is one."""

    def is_set(self) -> bool:
        """Whether the task is to stop."""


class Never:
    """A signal that is never set."""

    def is_set(self) -> bool:
        """Return False."""
        return False


class Either:
    """Set when one of two things is said."""

    def __init__(self, one: Callable[[], bool], other: Callable[[], bool]) -> None:
        self._one = one
        self._other = other

    def is_set(self) -> bool:
        """Whether one of them is said."""
        return self._one() or self._other()


class GiveWay:
    """Set when `stop` is, or when `wanted` says that something more urgent waits; remembers that it was asked to."""

    def __init__(self, stop: Signal, wanted: Callable[[], bool]) -> None:
        self._stop = stop
        self._wanted = wanted
        self.gave_way = False

    def is_set(self) -> bool:
        """Whether the task is to stop now, for good or to be taken up again."""
        self.gave_way = self.gave_way or self._wanted()
        return self.gave_way or self._stop.is_set()
