"""Follows the folders of one library: which are watched, how many the system covers, and what was heard of them."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import apsw

from engine.events import Event, Watching
from engine.watching.coverage import Shortfall, count_folders, inotify_watches, watch_limit
from engine.watching.hard_links import documents_of
from engine.watching.hints import Hints, below, collapsed
from engine.watching.mounts import MountChanges
from engine.watching.polling import Polling
from engine.watching.watched_roots import own_files, watched

if TYPE_CHECKING:
    from engine.watching.watcher import Watcher

HEARTBEAT_SECONDS = 1.0
RECOUNT_SHARE = 0.02  # of the time may be spent counting folders while new ones keep coming


@dataclass(frozen=True, slots=True)
class Heard:
    """Paths to look at, none of them in another, and all those that something happened to."""

    paths: tuple[bytes, ...]
    named: frozenset[bytes]


class FolderWatch:
    """Follows the watched folders of one library; without `start` it only knows which they are."""

    def __init__(
        self,
        conn: apsw.Connection,
        library: Path,
        on_event: Callable[[Event], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._conn = conn
        self._library = library
        self._on_event = on_event
        self._clock = clock
        self._heard = threading.Event()
        self._hints = Hints(self._heard.set)
        self._watcher: Watcher | None = None
        self._mounts: MountChanges | None = None
        self._polling = Polling(clock)
        self._roots: list[bytes] = []
        self._version = -1
        self._shortfall = Shortfall()
        self._told: Watching | None = None
        self._limit: int | None = None
        self._next_heartbeat = self._next_count = 0.0

    def start(self) -> None:
        """Begin to listen."""
        from engine.watching.watcher import Watcher  # 0.05 s, and not needed for one sync

        self._watcher = Watcher(self._hints, own_files(self._library))
        self._mounts = MountChanges()

    def close(self) -> None:
        """Stop listening."""
        if self._watcher is not None:
            self._watcher.close()
        if self._mounts is not None:
            self._mounts.close()

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
            if self._shortfall.short_of_watches:
                self._watcher.renew()  # another program may have given some back
            self._watcher.check()
            self._count()

    def missed(self) -> list[bytes]:
        """Return, about once a second, the folders of which something may have been missed."""
        now = self._clock()
        if self._watcher is None or now < self._next_heartbeat:
            return []
        self._next_heartbeat = now + HEARTBEAT_SECONDS
        if self._limit_was_raised() or self._something_was_mounted():
            self._watcher.renew()
        missed = self._watcher.check()
        if missed or (now >= self._next_count and self._watcher.folders_came()):
            self._count()
        return missed

    def due_for_a_look(self) -> tuple[bytes, ...]:
        """Return the places that nobody tells of and that are to be looked at now; say `looked` afterwards.

        They were found when the folders were last counted: what was paused or forgotten since is none of them.
        """
        due = self._polling.due()
        return tuple(place for place in due if any(below(place, root) or below(root, place) for root in self._roots))

    def looked(self, *, found_nothing: bool) -> None:
        """Plan when to look at those places again."""
        self._polling.done(found_nothing=found_nothing)
        if found_nothing:
            self._tell_changes()

    def tell(self) -> None:
        """Tell how many folders are covered, once it listens."""
        if self._watcher is None:
            return
        self._told = self._watching()
        self._on_event(self._told)

    def _tell_changes(self) -> None:
        if self._told is None or not self._told.says_the_same(self._watching()):
            self.tell()

    def _watching(self) -> Watching:
        short = self._shortfall
        seconds = round(self._polling.seconds) if self._polling.places else 0
        return Watching(
            folders=short.counted.folders,
            covered=short.counted.watched,
            poll_seconds=seconds,
            remark=short.remark(seconds),
            fix=short.fix(),
        )

    def _count(self) -> None:
        """Count the folders that may hold documents, and find those that nobody will tell of."""
        assert self._watcher is not None and self._mounts is not None
        began = self._clock()
        refused = {root for root in self._watcher.uncovered if os.path.isdir(root)}
        counted, remote = count_folders(
            self._conn, self._library, self._roots, refused, self._mounts.mounted, inotify_watches()
        )
        self._limit = watch_limit()
        self._shortfall = Shortfall(counted, tuple(remote), tuple(sorted(refused)), self._limit, self._watcher.refusal)
        self._polling.cover(self._shortfall.places())
        self._next_count = self._clock() + (self._clock() - began) / RECOUNT_SHARE
        self._tell_changes()

    def _limit_was_raised(self) -> bool:
        """Whether the person has raised the limit that leaves folders unwatched."""
        if not self._shortfall.short_of_watches:
            return False
        limit = watch_limit()
        return limit is not None and self._limit is not None and limit > self._limit

    def _something_was_mounted(self) -> bool:
        """Whether another file system lies in a watched folder now: the watches are on what it covers."""
        changed = self._mounts.look() if self._mounts is not None else []
        real = [os.path.realpath(root) for root in self._roots] if changed else []
        return any(below(place, root) for place in changed for root in real)

    # --- what was heard ---------------------------------------------------------------------------------------------

    @property
    def heard(self) -> bool:
        """Whether something was heard that is to be looked at now; may be asked from any thread."""
        return self._hints.due_in() == 0

    def take(self) -> Heard:
        """Return what was heard, and forget it."""
        heard = self._hints.take()
        heard += documents_of(self._conn, self._hints.take_linked())
        paths = [path for path in heard if any(below(path, root) for root in self._roots)]
        paths += [root for root in self._roots if any(below(root, path) for path in heard)]
        return Heard(tuple(collapsed(paths, self._roots)), frozenset(heard))
