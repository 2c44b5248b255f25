"""Takes what the file system says through watchdog: a listener, and an observer without the fault by which it dies."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from watchdog.events import (
    DirAttribEvent,
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileAttribEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from engine.sources.path_rules import CACHE_MARK, CARRELIGNORE, ENVIRONMENT_MARKS, GITIGNORE, MACHINERY
from engine.watching.hard_links import inode_of_many_names
from engine.watching.hints import Hints, below

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver

SPEAK_FOR_THEIR_FOLDER = frozenset((GITIGNORE, CARRELIGNORE, CACHE_MARK, *ENVIRONMENT_MARKS))

log = logging.getLogger(__name__)

STOP_SECONDS = 2.0  # threads that do not end by then are left behind: they are daemons

# The default adds opened and closed events: above about 4,100 folders watchdog 7.1 then fills its queue with those of
# its own walk and never comes to an end. Without DirCreated it would not follow new folders. Attrib tells of permission
# given back, FileClosed of a file that was written through memory; neither comes of reading. A DirModified is not
# asked for: what changed in a folder has an event of its own.
EVENT_FILTER: list[type[FileSystemEvent]] = [
    FileCreatedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileDeletedEvent,
    FileAttribEvent,
    FileClosedEvent,
    DirCreatedEvent,
    DirMovedEvent,
    DirDeletedEvent,
    DirAttribEvent,
]


@dataclass(frozen=True, slots=True)
class Alias:
    """A watched root, by the name that the person gave it, and the real path that events come with."""

    real: bytes
    root: bytes

    def rename(self, path: bytes) -> bytes:
        """Return a real path at or below this root by the person's name for it."""
        return self.root + path[len(self.real) :] if self.real != self.root else path


class Listener(FileSystemEventHandler):
    """Turns events below one real folder into hints for the roots that are it or lie in it.

    It is called in watchdog's own thread, which an error would end, so none gets out.
    """

    def __init__(
        self,
        top: bytes,
        aliases: Sequence[Alias],
        hints: Hints,
        own_files: Collection[bytes],
        folders_came: threading.Event,
    ) -> None:
        self._top = top
        self._aliases = aliases
        self._hints = hints
        self._own = own_files
        self._folders_came = folders_came

    def dispatch(self, event: FileSystemEvent) -> None:
        """Take one event."""
        try:
            paths = [os.fsencode(path) for path in (event.src_path, event.dest_path) if path]
            if isinstance(event, (DirCreatedEvent, DirMovedEvent)):
                self._folders_came.set()
            linked = [inode for path in paths if (inode := inode_of_many_names(path)) is not None]
            arrived = [each for path in _arrivals(event) for each in self._named(path)]
            self._hints.add([each for path in self._worth_a_look(paths) for each in self._named(path)], linked, arrived)
        except Exception:
            log.exception("an event could not be taken: %r", event)

    def _worth_a_look(self, paths: Iterable[bytes]) -> Iterator[bytes]:
        for path in paths:
            if any(below(path, own) for own in self._own):
                continue
            folder, name = os.path.split(path)
            # What leaves files out may do so for everything beside and below it.
            yield folder if name in SPEAK_FOR_THEIR_FOLDER else self._outside_machinery(path)

    def _outside_machinery(self, path: bytes) -> bytes:
        """Let a folder such as node_modules stand for everything in it: it has thousands of events for nobody.

        It is not passed over, for a person may have taken it back in a `.carrelignore`.
        """
        names = path[len(self._top) :].split(b"/")
        for place, name in enumerate(names):
            if name in MACHINERY:
                return self._top + b"/".join(names[: place + 1])
        return path

    def _named(self, path: bytes) -> Iterator[bytes]:
        for alias in self._aliases:
            if below(path, alias.real):
                yield alias.rename(path)


def _arrivals(event: FileSystemEvent) -> list[bytes]:
    """Return the path that an event brought, if it did."""
    if isinstance(event, (FileCreatedEvent, DirCreatedEvent)):
        return [os.fsencode(event.src_path)]
    if isinstance(event, (FileMovedEvent, DirMovedEvent)) and event.dest_path:
        return [os.fsencode(event.dest_path)]
    return []


if sys.platform.startswith("linux"):
    from watchdog.observers.inotify import InotifyEmitter, InotifyObserver, InotifyWatchGroup
    from watchdog.observers.inotify_c import InotifyFD, WatchDescriptor

    class SteadyGroup(InotifyWatchGroup):
        """The watches below one root, where a folder that is moved out of the tree must not end all watching.

        Watches of watchdog 7.1 know their paths, and a folder that left keeps its old one. When a new folder has taken
        that path and gone again, the end of the old one looks for a path that is no longer there; the KeyError ends the
        thread that reads the kernel's events, silently and for all roots. Here, forgetting a watch twice does no harm.
        """

        def _remove_watch_internally(self, wd: WatchDescriptor) -> None:
            path = self._active_callbacks_by_watch.pop(wd, None)
            if path is not None and self._active_callbacks_by_path.get(path) == wd:
                del self._active_callbacks_by_path[path]

    class SteadyEmitter(InotifyEmitter):
        """Tells the events below one root."""

        def on_thread_start(self) -> None:
            """Add the watches."""
            self._inotify = SteadyGroup(
                self._inotify_fd,
                os.fsencode(self.watch.path),
                is_recursive=self.watch.is_recursive,
                event_mask=self.get_event_mask_from_filter(),
                follow_symlink=self.watch.follow_symlink,
            )

    class SteadyObserver(InotifyObserver):
        """Watches roots with steady emitters."""

        _inotify_fd: InotifyFD

        def __init__(self) -> None:
            super().__init__()
            self._emitter_class = SteadyEmitter


def new_observer() -> BaseObserver:
    """Return the observer that suits the system."""
    if sys.platform.startswith("linux"):
        return SteadyObserver()
    return Observer()


def sound(observer: BaseObserver) -> bool:
    """Whether all of an observer's threads live, but for those that end because their folder was deleted."""
    reader = getattr(observer, "_inotify_fd", None)  # the thread that all emitters of watchdog 7.1 hear from
    if not observer.is_alive() or (reader is not None and not reader.is_alive()):
        return False
    return all(emitter.is_alive() for emitter in observer.emitters if os.path.isdir(emitter.watch.path))


def end(observer: BaseObserver) -> None:
    """Stop an observer, and let go of the kernel's queue even where its own way of stopping fails."""
    reader = getattr(observer, "_inotify_fd", None)
    try:
        observer.stop()
        observer.join(STOP_SECONDS)
    finally:
        if reader is not None and reader.is_alive():
            reader.stop()
            reader.join(STOP_SECONDS)
