"""Turns what SQLite reports into an error that a person can read; every door of the store uses it."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from engine.errors import LibraryBusy, LibraryDamaged, LibraryError, LibraryFull, LibraryMissing, LibraryReadOnly


def explained(error: apsw.Error, path: Path) -> LibraryError:
    """Return the error of the tree that says what an `apsw` error means for the library file at `path`."""
    cause = f"SQLite says: {error}."
    match error:
        case apsw.ReadOnlyError() if not path.exists():
            return LibraryMissing(
                f"The library {path} was deleted while it was in use.",
                cause=cause,
                fix="Put a backup back with `carrel restore FILE`, or begin anew with `carrel add FOLDER`.",
            )
        case apsw.FullError() | apsw.IOError():
            return LibraryFull(
                "The library could not be written to the end.",
                cause=f"The disk is full or failing. {cause}",
                fix="Free some space, or mend the disk, and run the command again. What was saved before is intact.",
            )
        case apsw.BusyError() | apsw.LockedError():
            return LibraryBusy(
                f"The library {path} is in use.",
                cause="Another process was writing to it for longer than five seconds.",
                fix="Wait until it has finished and try again.",
            )
        case apsw.ReadOnlyError() | apsw.PermissionsError():
            return LibraryReadOnly(
                f"The library {path} cannot be written.",
                cause=cause,
                fix="Make the file and its folder writable for you, or name another library with --library.",
            )
        case apsw.CorruptError() | apsw.NotADBError():
            return LibraryDamaged(
                f"The file {path} is not a sound library.",
                cause=cause,
                fix="Put a backup back with `carrel restore FILE`, or index anew with `carrel restore --rebuild`.",
            )
        case apsw.CantOpenError():
            return unopenable(path, cause)
        case _:
            return LibraryError("The library could not do what was asked.", cause=cause, fix="Run `carrel doctor`.")


def unopenable(path: Path, cause: str = "") -> LibraryError:
    """Return the error for a library file that is not there or cannot be opened."""
    if path.exists():
        return LibraryReadOnly(
            f"The library {path} cannot be opened.",
            cause=cause,
            fix="Check that the file and its folder are yours and can be read.",
        )
    return LibraryMissing(
        f"There is no library at {path}.",
        fix="Add a folder with `carrel add FOLDER` to make one, or name another library with --library.",
    )


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raise a `LibraryError` for any `apsw` error but an interruption, which its caller asked for."""
    try:
        yield
    except apsw.InterruptError:
        raise
    except apsw.Error as error:
        raise explained(error, path) from error


@contextmanager
def system_errors_translated(path: Path) -> Iterator[None]:
    """Raise a `LibraryError` where the system refuses what a sync needs, such as the files beside the library."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise LibraryFull(
                "The library could not be brought up to date to the end.",
                cause=f"The disk of {path.parent} is full.",
                fix="Free some space, and run the command again. What was saved before is intact.",
            ) from error
        raise LibraryError(
            f"The library {path} could not be brought up to date to the end.",
            cause=f"{error}.",
            fix="Mend that, and run the command again. What was saved before is intact.",
        ) from error
