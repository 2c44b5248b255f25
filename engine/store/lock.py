"""The indexer lock: one process at a time indexes, migrates, compacts, repairs or restores a library.

It is an flock on `<library>.lock`, so the kernel frees it when its holder dies however it dies. The file says who holds
it, for everybody to read; what it says counts only while the lock is held.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from engine.errors import LibraryBusy, LibraryReadOnly
from engine.paths import private_folder
from engine.records import Writer
from engine.scratch_folders import process_lives

ATTEMPTS = 20  # asking who holds the lock takes it for an instant, and must not make a taker fail
ATTEMPTS_BESIDE_NOBODY = 200  # where the file names no process that lives, so that only those who ask have it: 2 s
PAUSE_SECONDS = 0.01


class Holding(NamedTuple):
    """A lock that is held: by whom, and the file in which the holder tells of its work, None where it tells nothing."""

    writer: Writer
    events: Path | None


def lock_file(library: Path) -> Path:
    """Return the file that the lock of a library lies on."""
    return library.with_name(library.name + ".lock")


class IndexerLock:
    """The lock of one library. Not re-entrant: a second `acquire` in the same process is refused too."""

    def __init__(self, library: Path) -> None:
        self.library = library

    @contextmanager
    def acquire(self, task: str, events: Path | None = None) -> Iterator[None]:
        """Hold the lock for `task` while the block runs; `events` is the file in which the holder tells of its work.

        Raises LibraryBusy with the holder's task where another has it, LibraryReadOnly where no lock file can be made,
        LibraryFull where the disk has no room for who holds it.
        """
        from engine.store.faults import system_errors_translated  # SQLite, which those who only look do without

        descriptor = self._open()
        try:
            self._take(descriptor)
            record = {"pid": os.getpid(), "task": task, "since": time.time(), "events": str(events) if events else None}
            with system_errors_translated(self.library):
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, json.dumps(record).encode(), 0)
            try:
                with _kept(events):
                    yield
            finally:
                os.ftruncate(descriptor, 0)
        finally:
            os.close(descriptor)

    def _open(self) -> int:
        path = lock_file(self.library)
        try:
            private_folder(path.parent)
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise LibraryReadOnly(
                f"The lock file {path} cannot be made.",
                cause=str(error),
                fix="Make the folder writable for you, or name another library with --library.",
            ) from error

    def _take(self, descriptor: int) -> None:
        for attempt in range(1, ATTEMPTS_BESIDE_NOBODY):
            with suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            if attempt >= ATTEMPTS and process_lives(int(_record_in(descriptor).get("pid") or 0)):
                break
            time.sleep(PAUSE_SECONDS)
        other = holder(self.library)
        who = f"Process {other.pid} holds it for the task '{other.task}'." if other else "Another process holds it."
        raise LibraryBusy(
            "The library is being worked on by another process.",
            cause=who,
            fix="Wait until it has finished, or stop it.",
        )


@contextmanager
def _kept(events: Path | None) -> Iterator[None]:
    """Keep an event file from being pruned while the block runs."""
    descriptor = -1
    with suppress(OSError):
        if events is not None:
            descriptor = os.open(events, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            fcntl.flock(descriptor, fcntl.LOCK_SH)
    try:
        yield
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def holding(library: Path) -> Holding | None:
    """Return who holds the lock of a library and its event file, both of one moment; None where nobody does."""
    record = _held_record(library)
    if record is None:
        return None
    told = record.get("events")
    who = int(record.get("pid") or 0), str(record.get("task") or "starting"), float(record.get("since") or 0)
    return Holding(Writer(*who), Path(told) if told else None)


def holder(library: Path) -> Writer | None:
    """Return who holds the lock of a library, None where nobody does."""
    held = holding(library)
    return held.writer if held else None


def events_of(library: Path) -> Path | None:
    """Return the event file of the process that holds the lock, None where nobody does or it writes none."""
    held = holding(library)
    return held.events if held else None


def _held_record(library: Path) -> dict[str, Any] | None:
    try:
        descriptor = os.open(lock_file(library), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return None
        return _record_in(descriptor)
    finally:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)  # a process that is being forked off holds a copy
        os.close(descriptor)


def _record_in(descriptor: int) -> dict[str, Any]:
    """Return what a lock file says of its holder."""
    try:
        record = json.loads(os.pread(descriptor, 1 << 16, 0))
    except ValueError:  # taken an instant ago, not yet written
        return {}
    return record if isinstance(record, dict) else {}
