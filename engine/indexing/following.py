"""Which folders are watched, how many of them the system lets us watch, and what was heard of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import apsw

from engine.events import Event, Watching
from engine.indexing.coverage import coverage
from engine.indexing.hints import Hints, below, collapsed
from engine.indexing.roots import own_files, watched

if TYPE_CHECKING:
    from engine.indexing.watcher import Watcher

HEARTBEAT_SECONDS = 1.0


class Following:
    """Follows the watched folders of one library; without `start` it only knows which they are."""

    def __init__(self, conn: apsw.Connection, library: Path, on_event: Callable[[Event], None]) -> None:
        self._conn = conn
        self._library = library
        self._on_event = on_event
        self._heard = threading.Event()
        self._hints = Hints(self._heard.set)
        self._watcher: Watcher | None = None
        self._roots: list[bytes] = []
        self._version = -1
        self._covered = (0, 0)
        self._told: tuple[int, int] | None = None
        self._next_heartbeat = 0.0

    def start(self) -> None:
        """Begin to listen."""
        from engine.indexing.watcher import Watcher  # 0.05 s, and not needed for one sync

        self._watcher = Watcher(self._hints, own_files(self._library))

    def close(self) -> None:
        """Stop listening."""
        if self._watcher is not None:
            self._watcher.close()

    @property
    def uncovered(self) -> bool:
        """Whether a folder cannot be watched now."""
        return self._watcher is not None and bool(self._watcher.uncovered)

    def rest(self, seconds: float) -> None:
        """Wait so long at most, and less where something is heard or due."""
        due = self._hints.due_in()
        self._heard.wait(seconds if due is None else min(seconds, due))
        self._heard.clear()

    # --- the folders ------------------------------------------------------------------------------------------------

    def look(self, *, again: bool = False) -> None:
        """See which folders are to be watched; another process may have changed that, or with `again` this one."""
        version = int(self._conn.pragma("data_version"))
        if version == self._version and not again:
            return
        self._version = version
        before = self._roots
        self._roots = [folder.path for folder in watched(self._conn) if folder.state != "paused"]
        if self._watcher is not None:
            self._watcher.watch(self._roots)
            if before and set(before) != set(self._roots):
                self._next_heartbeat = 0.0

    def watch_all(self) -> None:
        """Watch every folder at once, before all of them are walked, so that nothing falls between the two."""
        self.look()
        if self._watcher is not None:
            self._watcher.check()
            self._count()

    def missed(self) -> list[bytes]:
        """Return, about once a second, the folders of which something may have been missed."""
        now = time.monotonic()
        if self._watcher is None or now < self._next_heartbeat:
            return []
        self._next_heartbeat = now + HEARTBEAT_SECONDS
        missed = self._watcher.check()
        if missed:
            self._count()
        return missed

    def tell(self) -> None:
        """Tell how many folders are covered."""
        self._told = self._covered
        self._on_event(Watching(folders=self._covered[0], covered=self._covered[1]))

    def _count(self) -> None:
        self._covered = coverage(self._roots)
        if self._covered != self._told:
            self.tell()

    # --- what was heard ---------------------------------------------------------------------------------------------

    @property
    def heard(self) -> bool:
        """Whether something was heard that is to be looked at now; may be asked from any thread."""
        return self._hints.due_in() == 0

    def take(self) -> list[bytes]:
        """Return the paths to look at, and forget them."""
        paths = [path for path in self._hints.take() if any(below(path, root) for root in self._roots)]
        return collapsed(paths, self._roots)
