"""Keeps what was read of the latest few versions of a library, each under the version that it was read from.

A cache that several searches share must never give one search what another read from an older or a newer snapshot. So
nothing is overwritten: each version has its own entry, and the one that was asked for longest ago goes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

KEPT = 3  # the newest, and what searches that began before it still need

Version = TypeVar("Version", bound=Hashable)
Read = TypeVar("Read")


class Versions(Generic[Version, Read]):
    """Keeps what was read, by version. Its owner guards it with a lock."""

    def __init__(self, most: int = KEPT) -> None:
        self._most = most
        self._read: OrderedDict[Version, Read] = OrderedDict()

    def at(self, version: Version, read: Callable[[], Read]) -> Read:
        """Return what was read for a version, reading it where it is not kept."""
        found = self._read[version] if version in self._read else read()
        self._read[version] = found
        self._read.move_to_end(version)
        while len(self._read) > self._most:
            self._read.popitem(last=False)
        return found

    def __contains__(self, version: Version) -> bool:
        return version in self._read

    def every(self) -> list[Read]:
        """Return all that is kept, what was asked for longest ago first."""
        return list(self._read.values())

    def forget(self) -> None:
        """Keep nothing of what was read."""
        self._read.clear()
