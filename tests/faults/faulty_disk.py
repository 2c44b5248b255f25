"""A disk that fails at one chosen call: an SQLite VFS between the library and the real file system.

A VFS written in Python has no shared memory, so connections over it take the file for themselves (`exclusive`), in
which the write-ahead log works without; what is written, in which order, is the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import apsw
import pytest

from engine.store import connection
from engine.store.library_connection import LibraryConnection

NAME = "carrel-faulty"
REAL = "unix"


class FaultyDisk(apsw.VFS):
    """Counts the calls that write, and fails at the `failing`-th with `error`, and at all later ones if it `lasts`."""

    def __init__(self) -> None:
        super().__init__(NAME, REAL)
        self.calls: list[str] = []
        self.failing = 0  # counted from 1; 0: never
        self.lasts = False
        self.error: type[apsw.Error] = apsw.FullError

    def xOpen(self, name: Any, flags: list[int]) -> FaultyFile:  # noqa: N802
        return FaultyFile(self, name, flags)

    def note(self, what: str) -> None:
        """Count one call, and fail if it is the one."""
        self.calls.append(what)
        number = len(self.calls)
        if self.failing and (number == self.failing or (self.lasts and number > self.failing)):
            raise self.error(f"call {number}, {what}")

    def fail_at(self, number: int, error: type[apsw.Error], *, lasts: bool) -> None:
        """Begin counting anew, and fail at this call."""
        self.calls.clear()
        self.failing, self.error, self.lasts = number, error, lasts

    def mend(self) -> None:
        """Fail no more, and begin counting anew."""
        self.calls.clear()
        self.failing = 0


class FaultyFile(apsw.VFSFile):
    """A file on the faulty disk."""

    def __init__(self, disk: FaultyDisk, name: Any, flags: list[int]) -> None:
        super().__init__(REAL, name, flags)
        self._disk = disk

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._disk.note("write")
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._disk.note("sync")
        super().xSync(flags)

    def xTruncate(self, size: int) -> None:  # noqa: N802
        self._disk.note("truncate")
        super().xTruncate(size)


class ConnectionOverFaultyDisk(LibraryConnection):
    """A library's connection that reaches its file through the faulty disk."""

    def __init__(self, name: str, flags: int) -> None:
        super().__init__(name, flags=flags, vfs=NAME)
        self.pragma("locking_mode", "exclusive")

    def close(self, force: bool = False) -> None:
        """Close as SQLite does, which passes over a failure to fold the log in: it is read the next time."""
        with suppress(apsw.Error):
            super().close(force)


@contextmanager
def faulty_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyDisk]:
    """Let every library that is opened meanwhile lie on a faulty disk."""
    disk = FaultyDisk()
    with monkeypatch.context() as patched:
        patched.setattr(connection, "LibraryConnection", ConnectionOverFaultyDisk)
        try:
            yield disk
        finally:
            disk.mend()
            disk.unregister()
