"""Every error that a person can meet: what happened, why, and what to do about it.

    CarrelError
    ├── UsageError            bad input: the command or its arguments
    │   ├── ConfigError       a setting that cannot be used
    │   └── PathError         a path that is missing, not a folder, or not watched
    ├── LibraryError          the library file
    │   ├── LibraryMissing    there is none yet
    │   ├── LibraryBusy       another process holds the lock that the task needs
    │   ├── LibraryDamaged    the file is not a sound library
    │   ├── LibraryReadOnly   the file or its folder cannot be written
    │   ├── LibraryFull       the disk is full or failing
    │   ├── SchemaTooNew      a newer Carrel wrote the file
    │   └── TeamError         the library of a team, on a server
    │       ├── TeamAway      the server does not answer, or the connection broke
    │       ├── TeamRefused   the server lets this login not do that, or not in
    │       └── TeamTooOld    the server, or what was set up there, is too old
    ├── ModelError            a model is missing, incomplete, or does not fit the library
    ├── SourceError           one file could not be read; recorded, never fatal
    └── WorkerError           an indexer or training process failed to start or died

The exit code lives on the class, so that the command line has one place to turn an error into a status.
"""

from __future__ import annotations

from typing import ClassVar


class CarrelError(Exception):
    """An error with a message, its cause and its fix, each one plain sentence or empty."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, cause: str = "", fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.cause = cause
        self.fix = fix

    def __str__(self) -> str:
        """Join what is known into the paragraph that a person reads."""
        return " ".join(part for part in (self.message, self.cause, self.fix) if part)


class UsageError(CarrelError):
    """Bad input: the command or its arguments."""

    exit_code = 2


class ConfigError(UsageError):
    """A setting that cannot be used."""


class PathError(UsageError):
    """A path that is missing, not a folder, or not watched."""


class LibraryError(CarrelError):
    """Something is wrong with the library file."""


class LibraryMissing(LibraryError):
    """There is no library file yet."""

    exit_code = 2


class LibraryBusy(LibraryError):
    """Another process holds the lock that this task needs."""

    exit_code = 3


class LibraryDamaged(LibraryError):
    """The file is not a sound library."""


class LibraryReadOnly(LibraryError):
    """The file or its folder cannot be written."""


class LibraryFull(LibraryError):
    """The disk is full or failing; what was committed before is intact."""


class SchemaTooNew(LibraryError):
    """A newer Carrel wrote the file; it was not touched."""

    exit_code = 2


class TeamError(LibraryError):
    """Something is wrong with the library of a team, on a server."""


class TeamAway(TeamError):
    """The server does not answer, or the connection broke; what was committed before is intact."""

    exit_code = 3


class TeamRefused(TeamError):
    """The server does not let this login in, or not do that."""

    exit_code = 2


class TeamTooOld(TeamError):
    """The server, or what was set up on it, is older than what this Carrel needs."""

    exit_code = 2


class ModelError(CarrelError):
    """A model is missing, incomplete, or does not fit the library."""

    exit_code = 2


class SourceError(CarrelError):
    """One file could not be read. `reason` is the short text that is recorded and shown."""

    def __init__(self, reason: str, *, cause: str = "", fix: str = "") -> None:
        super().__init__(reason, cause=cause, fix=fix)
        self.reason = reason


class SourceChanged(SourceError):
    """A file was not, when it was read, what it had been a moment before; it is to be read again."""


class WorkerError(CarrelError):
    """An indexer or training process failed to start or died."""
