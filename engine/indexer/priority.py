"""The priority of the indexer's process: as high as any program's until a new library can be searched, then low.

Somebody waits for the first words of an empty library, and at a low priority they come minutes later on a busy machine.
After them the person's own programs come first.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress

import apsw

from engine.linux_processes import children, threads


class FirstWords:
    """Lowers the priority once, as soon as something can be found in a library."""

    def __init__(self, conn: apsw.Connection, lower: Callable[[], None]) -> None:
        self._conn = conn
        self._lower = lower
        self._there = False

    def look(self) -> None:
        """Lower the priority where something can be found now, and could not before."""
        if not self._there and self._conn.execute("SELECT EXISTS (SELECT 1 FROM passage)").get:
            self._there = True
            self._lower()


def lower_priority(by: int) -> None:
    """Lower the priority of this process by so many steps, with its threads, and of what it has started."""
    process = os.getpid()
    others = {*threads(process), *children(process)} - {process}
    with suppress(OSError):
        os.nice(by)  # on Linux of this thread alone, and of those that it starts from now on
    for each in others:
        with suppress(OSError):  # it may have ended
            os.setpriority(os.PRIO_PROCESS, each, os.getpriority(os.PRIO_PROCESS, each) + by)
