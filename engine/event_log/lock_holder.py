"""Follows the process that holds a library's lock, and the next one after it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from engine.event_log.event_file import EventTail, last_watching
from engine.events import Event, FollowsAnother
from engine.records import Writer
from engine.store.lock import Holding, holding

LOOK_SECONDS = 1.0  # how often the lock is looked at


class HolderTail:
    """The events of the process that holds the lock, as they come, with `FollowsAnother` before those of each.

    A holder is another one where its number or its event file is; then the last words of the one before come first, and
    the new one's events from their beginning. A lock that is free for a moment changes nothing.
    """

    def __init__(
        self,
        library: Path,
        *,
        from_now: bool = False,
        look_every: float = LOOK_SECONDS,
        lock: Callable[[Path], Holding | None] = holding,
    ) -> None:
        """Follow the holder's events from their beginning; with `from_now`, those of the first holder from here on."""
        self._library = library
        self._from_now = from_now
        self._look_every = look_every
        self._lock = lock
        self._looked = float("-inf")
        self._followed: tuple[int, Path | None] | None = None
        self._tail: EventTail | None = None
        self.holder: Writer | None = None  # who has the lock, as of the last look

    def read(self) -> list[Event]:
        """Return what is new; look at the lock from time to time, and at each call while nobody holds it."""
        told: list[Event] = []
        if self.holder is None or time.monotonic() - self._looked >= self._look_every:
            self._looked = time.monotonic()
            told = self._look()
        return told + self._new()

    def close(self) -> None:
        """Let go of the file."""
        if self._tail is not None:
            self._tail.close()
            self._tail = None

    def _look(self) -> list[Event]:
        held = self._lock(self._library)
        self.holder = held.writer if held else None
        if held is None or not held.writer.pid:  # nobody, or one that has not said yet who it is
            return []
        if self._followed == (held.writer.pid, held.events):
            return []
        last_words = self._new()
        self.close()
        return [*last_words, FollowsAnother(pid=held.writer.pid, task=held.writer.task), *self._begin(held)]

    def _begin(self, held: Holding) -> list[Event]:
        """Follow another holder, and return what must be known of it first."""
        from_now = self._from_now and self._followed is None
        self._followed = held.writer.pid, held.events
        if held.events is None:
            return []
        self._tail = EventTail(held.events, from_now=from_now)
        watching = last_watching(held.events) if from_now else None
        return [watching] if watching is not None else []

    def _new(self) -> list[Event]:
        if self._tail is None:
            return []
        found = self._tail.read()
        while self._tail.behind:
            found += self._tail.read()
        return found
