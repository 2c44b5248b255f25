"""Writes events into a file that any number of followers may tail; the writer waits for none of them."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from engine.errors import WorkerError
from engine.events import Event, IndexerStarted, Watching, from_line, to_line
from engine.paths import Places, private_folder

log = logging.getLogger(__name__)

KEPT_FILES = 5  # of earlier runs, to read after a fault
LARGEST_BYTES = 8 << 20  # an indexer runs for months; then the file begins anew, and its followers with it
PIECE_BYTES = 1 << 16  # read at once by one who looks for the last event of a kind


class EventFile:
    """An open event file. Each event is one line and one write, so that a follower never sees half of one."""

    def __init__(self, path: Path, largest: int = LARGEST_BYTES) -> None:
        private_folder(path.parent)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
        self._largest = largest
        self._size = os.fstat(self._file).st_size
        self._standing: dict[type[Event], Event] = {}  # what one who begins to follow must know

    def write(self, event: Event) -> None:
        """Append one event. A full disk loses the event, never the work that it tells of."""
        if isinstance(event, (IndexerStarted, Watching)):
            self._standing[type(event)] = event
        try:
            if self._size > self._largest:
                os.ftruncate(self._file, 0)
                self._size = 0
                for each in self._standing.values():
                    self._append(each)
            self._append(event)
        except OSError:
            log.warning("an event could not be written", exc_info=True)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _append(self, event: Event) -> None:
        self._size += os.write(self._file, to_line(event).encode("ascii") + b"\n")


def new_event_file(places: Places) -> Path:
    """Create the event file of a new run, for its owner only, and drop all but the newest of earlier runs."""
    folder = private_folder(private_folder(places.state) / "events")
    earlier = sorted(folder.glob("indexer-*.jsonl"), key=lambda path: path.name)
    for path in earlier[:-KEPT_FILES]:
        path.unlink(missing_ok=True)
    path = folder / f"indexer-{time.time_ns()}-{os.getpid()}.jsonl"
    path.touch(mode=0o600)
    return path


class Follower:
    """Reads what is appended to an event file; a half-written line waits for its rest."""

    def __init__(self, path: Path, *, from_now: bool = False) -> None:
        """Read the file from its beginning, or with `from_now` only what is yet to come."""
        self._path = path
        self._file = -1
        self._at = 0
        self._rest = b""
        if from_now:
            with suppress(OSError):
                self._at = path.stat().st_size

    def read(self, at_most: int = 1 << 20) -> list[Event]:
        """Return the events that are new, out of so many bytes; what is no event of this version is left out."""
        try:
            if self._file < 0:
                self._file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            if os.fstat(self._file).st_size < self._at:
                self._at, self._rest = 0, b""  # it began anew
            piece = os.pread(self._file, at_most, self._at)
        except OSError:
            return []
        self._at += len(piece)
        *lines, self._rest = (self._rest + piece).split(b"\n")
        return list(_events(lines))

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def last_watching(path: Path) -> Watching | None:
    """Return what an indexer last told of its coverage, read from the end of its event file; None where nothing."""
    rest = b""
    with suppress(OSError), path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            begin = max(0, end - PIECE_BYTES)
            file.seek(begin)
            first, *lines = (file.read(end - begin) + rest).split(b"\n")
            end, rest = begin, first
            if begin == 0:
                lines.insert(0, first)
            for event in _events(line for line in reversed(lines) if b'"watching"' in line):
                if isinstance(event, Watching):
                    return event
    return None


def _events(lines: Iterator[bytes] | list[bytes]) -> Iterator[Event]:
    for line in lines:
        try:
            yield from_line(line)
        except WorkerError:
            log.debug("no event: %r", line[:200])
