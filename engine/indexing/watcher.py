"""Listens to the file system below the watched roots and turns what it says into hints.

The kernel's events get lost by design: queues overflow, limits are reached, disks are unmounted. So nothing here is
trusted to be complete; whoever owns the watcher looks at whole folders from time to time, and at once where `check`
says that events may have been missed.
"""

from __future__ import annotations

import logging
import os
import threading
import warnings
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirModifiedEvent,
    DirMovedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from engine.indexing.hints import Hints, below
from engine.sources import builtin
from engine.sources.rules import CARRELIGNORE, GITIGNORE

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver, ObservedWatch

log = logging.getLogger(__name__)

# The default adds opened and closed events: above about 4,100 folders watchdog 7.1 then fills its queue with those of
# its own walk and never comes to an end. Without DirCreated it would not follow new folders.
EVENT_FILTER: list[type[FileSystemEvent]] = [
    FileCreatedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileDeletedEvent,
    DirCreatedEvent,
    DirModifiedEvent,
    DirMovedEvent,
    DirDeletedEvent,
]
OVERFLOW_LOGGER = "watchdog.observers.inotify"  # where watchdog says, and only there, that events were lost
JOIN_SECONDS = 2.0  # threads that do not end by then are left behind: they are daemons


class _Listener(FileSystemEventHandler):
    """Turns events below one root into hints. An error here would end watchdog's thread, so none gets out."""

    def __init__(self, root: bytes, hints: Hints, own_files: Collection[bytes]) -> None:
        self._root = root
        self._hints = hints
        self._own = own_files

    def dispatch(self, event: FileSystemEvent) -> None:
        """Take one event."""
        try:
            # A changed folder tells nothing: what changed in it has an event of its own.
            if not isinstance(event, DirModifiedEvent):
                self._hints.add(self._worth_a_look(os.fsencode(p) for p in (event.src_path, event.dest_path) if p))
        except Exception:
            log.exception("an event could not be taken: %r", event)

    def _worth_a_look(self, paths: Iterable[bytes]) -> Iterable[bytes]:
        for path in paths:
            if any(below(path, own) for own in self._own):
                continue
            folder, name = os.path.split(path)
            if name in (GITIGNORE, CARRELIGNORE):
                yield folder  # what it leaves out may have changed for everything beside and below it
            elif builtin.file_reason(name) is None and not self._in_machinery(path):
                yield path

    def _in_machinery(self, path: bytes) -> bool:
        """Whether the path is another program's, such as node_modules: thousands of events that nobody asked for."""
        return any(name in builtin.MACHINERY for name in path[len(self._root) + 1 :].split(b"/"))


class _LostEvents(logging.Handler):
    """Hears of an overflow of the kernel's queue."""

    def __init__(self, heard: threading.Event) -> None:
        super().__init__(logging.WARNING)
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        """Take one warning; every one of this logger means that events were lost."""
        self._heard.set()


class Watcher:
    """Watches roots and everything below them. Call `check` about once a second, from one thread."""

    def __init__(
        self,
        hints: Hints,
        own_files: Collection[bytes] = (),
        observer: Callable[[], BaseObserver] = Observer,
    ) -> None:
        self._hints = hints
        self._own = own_files
        self._new_observer = observer
        self._observer: BaseObserver | None = None
        self._roots: set[bytes] = set()
        self._watches: dict[bytes, tuple[ObservedWatch, tuple[int, int]]] = {}  # with the root's device and inode
        self._lost = threading.Event()
        self._ear = _LostEvents(self._lost)
        logging.getLogger(OVERFLOW_LOGGER).addHandler(self._ear)
        # It says so whenever a new folder is seen twice, which does no harm.
        warnings.filterwarnings("ignore", "Callback with id", RuntimeWarning)

    @property
    def uncovered(self) -> frozenset[bytes]:
        """The roots that are not watched now: they are missing, or the system refused."""
        return frozenset(self._roots - self._watches.keys())

    def watch(self, roots: Iterable[bytes]) -> None:
        """Watch exactly these roots; `check` brings that about."""
        self._roots = set(roots)

    def check(self) -> list[bytes]:
        """Mend what is broken, and return the roots of which events may have been missed."""
        missed: set[bytes] = set()
        if self._lost.is_set():
            self._lost.clear()
            missed |= self._roots
        if self._observer is not None and not _sound(self._observer, self._watches):
            log.warning("the observer died; a new one takes its place")
            self._end_observer()
        for root in self._watches.keys() - self._roots:
            self._unschedule(root)
        for root in self._roots:
            identity = _identity(root)
            if root in self._watches and self._watches[root][1] != identity:
                self._unschedule(root)
                missed.add(root)
            if root not in self._watches and identity is not None and self._schedule(root, identity):
                missed.add(root)
        return sorted(missed & self._roots)

    def close(self) -> None:
        """Stop listening."""
        logging.getLogger(OVERFLOW_LOGGER).removeHandler(self._ear)
        self._end_observer()

    def _schedule(self, root: bytes, identity: tuple[int, int]) -> bool:
        try:
            if self._observer is None:
                self._observer = self._new_observer()
                self._observer.start()
            watch = self._observer.schedule(
                _Listener(root, self._hints, self._own),
                os.fsdecode(root),
                recursive=True,
                event_filter=EVENT_FILTER,
            )
        except Exception:  # the root vanished, or a limit of the system is reached
            log.warning("cannot watch %r", root, exc_info=True)
            return False
        self._watches[root] = (watch, identity)
        return True

    def _unschedule(self, root: bytes) -> None:
        watch = self._watches.pop(root, None)
        if watch is None or self._observer is None:
            return  # the observer has just been ended, and all its watches with it
        try:
            self._observer.unschedule(watch[0])
        except Exception:
            log.warning("cannot stop watching %r; starting anew", root, exc_info=True)
            self._end_observer()

    def _end_observer(self) -> None:
        observer, self._observer = self._observer, None
        self._watches.clear()
        if observer is None:
            return
        try:
            observer.stop()
            observer.join(JOIN_SECONDS)
        except Exception:
            log.exception("the observer could not be stopped")


def _sound(observer: BaseObserver, watches: Collection[bytes]) -> bool:
    """Whether all of watchdog's threads live. An emitter ends where its root is deleted: that is told by the root."""
    if not observer.is_alive():
        return False
    return all(emitter.is_alive() for emitter in observer.emitters if os.path.isdir(emitter.watch.path))


def _identity(root: bytes) -> tuple[int, int] | None:
    try:
        found = os.stat(root)
    except OSError:
        return None
    return found.st_dev, found.st_ino
