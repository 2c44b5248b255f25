"""The log, `carrel.log` in the state folder, to which all of Carrel's processes append.

It has a bound: once it would hold more than LARGEST_BYTES (1 MiB), its newest part moves to `carrel.log.1`, in place of
what was there. Both together take 2 MiB at most, beside what C libraries print between two moments at which one of us
appends something or opens it. It is emptied where it lies, so that a process that has it open goes on writing into it.
"""

from __future__ import annotations

import fcntl
import logging
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.atomic_files import replace_file

LARGEST_BYTES = 1 << 20
STDERR = 2
ATTEMPTS = 200  # at the lock, 2 s in all: a process that was suspended with it must not hold up the others
PAUSE_SECONDS = 0.01


class LogFile(logging.Handler):
    """Appends records to the log, each whole; where it cannot be written there is nowhere to say so."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def emit(self, record: logging.LogRecord) -> None:
        """Append one record."""
        try:
            with suppress(OSError):
                append(self._path, self.format(record) + "\n")
        except Exception:  # a record that cannot be put into words
            self.handleError(record)


def append(path: Path, text: str) -> None:
    """Append a text to a log in one piece. Raises OSError."""
    piece = text.encode("utf-8", "backslashreplace")
    with _alone_with(path) as descriptor:
        _make_room(path, descriptor, len(piece))
        os.write(descriptor, piece)


def private_log(path: Path) -> Path:
    """Create a log for its owner only, take one that is there from all others, bound it, and return its path."""
    with _alone_with(path) as descriptor:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISREG(mode) and mode & 0o077:
            with suppress(PermissionError):  # another owner's, who let us write
                os.fchmod(descriptor, 0o600)
        _make_room(path, descriptor, 0)
    return path


def stderr_handler(log: Path) -> logging.Handler:
    """Return what writes records to standard error, and with the log's bound where standard error is the log."""
    with suppress(OSError):
        if os.path.samestat(os.fstat(STDERR), os.stat(log)):
            return LogFile(log)
    return logging.StreamHandler()


@contextmanager
def _alone_with(path: Path) -> Iterator[int]:
    """Open a log to append to it, and keep other processes and threads of ours from it while the block runs."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock(descriptor)
        yield descriptor
    finally:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)  # a process that is being forked off holds a copy
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    for _ in range(ATTEMPTS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(PAUSE_SECONDS)
        except OSError:  # its file system knows no such lock
            return
        else:
            return


def _make_room(path: Path, descriptor: int, wanted: int) -> None:
    """Move what stands in a log aside where so many bytes more would be too many."""
    there = os.fstat(descriptor)
    if not stat.S_ISREG(there.st_mode) or there.st_size + wanted <= LARGEST_BYTES:
        return
    with suppress(OSError):
        with path.open("rb") as file:
            file.seek(max(0, there.st_size - LARGEST_BYTES))
            newest = file.read()
        replace_file(path.with_name(f"{path.name}.1"), newest[-LARGEST_BYTES:])
        os.ftruncate(descriptor, 0)
