"""Holds transactions and snapshots of a library file, and tells which file a connection has open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import apsw

from engine.errors import LibraryMissing
from engine.paths import identity_of
from engine.store.faults import translated

BUSY_MILLISECONDS = 5_000  # one commit takes 50 ms, so five seconds outlast any healthy writer


@contextmanager
def transaction(conn: apsw.Connection) -> Iterator[None]:
    """Hold the one write transaction while the block runs; commit at its end, roll back when it raises.

    Raises LibraryBusy when another writer keeps it for more than five seconds, LibraryMissing where the file was
    deleted or replaced, and the rest of the tree likewise.
    """
    with translated(path_of(conn)):
        refuse_moved(conn)
        conn.execute("BEGIN IMMEDIATE")
        try:
            yield
            refuse_moved(conn)
            conn.execute("COMMIT")
        except BaseException:
            if conn.in_transaction:  # SQLite itself rolls back when the disk is full
                conn.execute("ROLLBACK")
            raise


@contextmanager
def snapshot(conn: apsw.Connection) -> Iterator[None]:
    """Let all reads of the block see one state of the library; inside a transaction it changes nothing."""
    if conn.in_transaction:
        yield
        return
    with translated(path_of(conn)):
        conn.execute("BEGIN")
        try:
            yield
        finally:
            with suppress(apsw.InterruptError):
                if conn.in_transaction:
                    conn.execute("ROLLBACK")


def refuse_moved(conn: apsw.Connection) -> None:
    """Raise LibraryMissing where the file that is open lies no more at its path: what is written there would be lost.

    SQLite compares the inode of its own descriptor with that of the path, in 3 µs.
    """
    import ctypes  # 1 ms, which those who only read do without

    moved = ctypes.c_int(0)
    if conn.file_control("main", apsw.SQLITE_FCNTL_HAS_MOVED, ctypes.addressof(moved)) and moved.value:
        raise LibraryMissing(
            f"The library {path_of(conn)} was deleted or replaced while it was in use.",
            cause="What would be written now would be lost, so nothing more was.",
            fix="Put the file back, or a backup with `carrel restore FILE`, and start this again.",
        )


def path_of(conn: apsw.Connection) -> Path:
    """Return the library file of a connection."""
    return getattr(conn, "path", None) or Path(conn.filename)


def file_of(conn: apsw.Connection) -> tuple[int, int]:
    """Return device and inode of the library file that a connection reads, whatever lies at its path by now."""
    return getattr(conn, "file", None) or identity_of(Path(conn.filename)) or (0, 0)
