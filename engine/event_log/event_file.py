"""An indexer's event file: written by one process that waits for nobody, and pruned here once no one writes it."""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from engine.errors import WorkerError
from engine.events import EVENT_TYPES, Event, IndexerStarted, Watching, from_line, to_line
from engine.json_lines import PIECE_BYTES, Tail
from engine.paths import Places, identity_of, private_folder
from engine.scratch_folders import process_lives

log = logging.getLogger(__name__)

KEPT_FILES = 5  # of runs that have ended, to read after a fault
STARTING_SECONDS = 60.0  # within which a process opens the event file that was made for it, on a loaded machine too
LARGEST_BYTES = 8 << 20  # an indexer runs for months; then the file begins anew, and its followers with it
STANDING = (IndexerStarted, Watching)  # what one who begins to follow must know: told again where a file begins anew
LOOK_BACK_BYTES = 1 << 16  # read at once by one who looks for the last event of a kind


class EventFile:
    """An open event file. Each event is one line and one write, so that a follower never sees half of one.

    Where somebody removes or empties it, it is made anew, with what one who begins to follow must know. Any thread may
    write: what brings folders to a team tells beside the indexer.
    """

    def __init__(self, path: Path, largest: int = LARGEST_BYTES) -> None:
        private_folder(path.parent)
        self._path = path
        self._file = _opened(path)
        self._largest = largest
        self._size = os.fstat(self._file).st_size
        self._standing: dict[type[Event], Event] = {}
        self._cut_short = False  # whether the last line has no end
        self._lock = threading.Lock()

    def write(self, event: Event) -> None:
        """Append one event. A full disk loses the event, never the work that it tells of."""
        with self._lock:
            self._write(event)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            os.close(self._file)

    def _write(self, event: Event) -> None:
        if isinstance(event, STANDING):
            self._standing[type(event)] = event
        try:
            if self._size > self._largest:
                os.ftruncate(self._file, 0)
            if self._is_lost() or os.fstat(self._file).st_size < self._size:
                self._begin_anew()
            self._append(event)
        except OSError as error:
            log.warning("an event could not be written: %s", error)

    def _is_lost(self) -> bool:
        """Whether the file was removed, and another could be opened in its place."""
        there = os.fstat(self._file)
        if identity_of(self._path) == (there.st_dev, there.st_ino):
            return False
        try:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            found = _opened(self._path)
        except OSError:  # all of Carrel's is gone, or something else has its name: whoever follows by now reads on
            return False
        os.close(self._file)
        self._file = found
        return True

    def _begin_anew(self) -> None:
        self._size, self._cut_short = 0, False
        for each in self._standing.values():
            self._append(each)

    def _append(self, event: Event) -> None:
        line = to_line(event).encode("ascii") + b"\n"
        if self._cut_short:  # by a full disk: this one is a line of its own all the same
            line = b"\n" + line
        written = os.write(self._file, line)
        self._size += written
        self._cut_short = written < len(line)


def _opened(path: Path) -> int:
    """Open an event file to append to it, with a lock on it that keeps it from being pruned."""
    while True:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        there = os.fstat(descriptor)
        if identity_of(path) == (there.st_dev, there.st_ino):
            return descriptor
        os.close(descriptor)  # it was pruned in this very moment


class EventTail(Tail[Event]):
    """The events of one indexer as they come; what it says again as its file begins anew is passed on once."""

    def __init__(self, path: Path, *, from_now: bool = False) -> None:
        super().__init__(path, EVENT_TYPES, from_now=from_now)
        self._standing: dict[type[Event], Event] = {}

    def read(self, at_most: int = PIECE_BYTES) -> list[Event]:
        """Return the events that are new, out of so many bytes."""
        return [event for event in super().read(at_most) if self._is_news(event)]

    def _is_news(self, event: Event) -> bool:
        if not isinstance(event, STANDING):
            return True
        before = self._standing.get(type(event))
        self._standing[type(event)] = event
        return event != before


def new_event_file(places: Places) -> Path:
    """Create the event file of a new run, for its owner only, and prune those of runs that have ended."""
    folder = private_folder(private_folder(places.state) / "events")
    _prune(folder)
    path = folder / f"indexer-{time.time_ns()}-{os.getpid()}.jsonl"
    path.touch(mode=0o600)
    return path


def _prune(folder: Path) -> None:
    """Remove all but the newest files of runs that have ended; one that is written, or soon will be, stays."""
    ended = 0
    for path in sorted(folder.glob("indexer-*.jsonl"), key=lambda path: path.name, reverse=True):
        with suppress(OSError), path.open("rb") as file:
            if _is_written(file.fileno()) or _awaits_its_writer(path):
                continue
            ended += 1
            if ended > KEPT_FILES:
                path.unlink()


def _is_written(descriptor: int) -> bool:
    """Whether a process writes an event file; if none does, none begins before the descriptor is closed."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _awaits_its_writer(path: Path) -> bool:
    """Whether another process has made a file just now, for an indexer that may not have opened it yet."""
    maker = path.stem.rpartition("-")[2]
    if maker == str(os.getpid()) or not maker.isdecimal() or not process_lives(int(maker)):
        return False
    return time.time() - path.stat().st_mtime < STARTING_SECONDS


def last_watching(path: Path) -> Watching | None:
    """Return what an indexer last told of its coverage, read from the end of its event file; None where nothing."""
    rest = b""
    with suppress(OSError), path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            begin = max(0, end - LOOK_BACK_BYTES)
            file.seek(begin)
            first, *lines = (file.read(end - begin) + rest).split(b"\n")
            end, rest = begin, first
            if begin == 0:
                lines.insert(0, first)
            for event in _events(line for line in reversed(lines) if b'"watching"' in line):
                if isinstance(event, Watching):
                    return event
    return None


def _events(lines: Iterable[bytes]) -> Iterator[Event]:
    for line in lines:
        with suppress(WorkerError):
            yield from_line(line)
