"""What the file system says, taken in watchdog's own thread: an error here would end it, so none gets out."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

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

from engine.sources import builtin_rules
from engine.sources.path_rules import CARRELIGNORE, GITIGNORE
from engine.watching.hard_links import inode_of_many_names
from engine.watching.hints import Hints, below

SPEAK_FOR_THEIR_FOLDER = frozenset(
    (GITIGNORE, CARRELIGNORE, builtin_rules.CACHE_MARK, *builtin_rules.ENVIRONMENT_MARKS)
)

log = logging.getLogger(__name__)

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
    """Turns events below one real folder into hints for the roots that are it or lie in it."""

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
            self._hints.add([alias for path in self._worth_a_look(paths) for alias in self._named(path)], linked)
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
            if name in builtin_rules.MACHINERY:
                return self._top + b"/".join(names[: place + 1])
        return path

    def _named(self, path: bytes) -> Iterator[bytes]:
        for alias in self._aliases:
            if below(path, alias.real):
                yield alias.rename(path)
