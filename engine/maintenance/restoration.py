"""Makes backups of a library and puts one back; the library that was there before is kept."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from engine.errors import LibraryDamaged, LibraryError, LibraryMissing, PathError
from engine.paths import private_folder
from engine.store import backup
from engine.store.backup import Copied
from engine.store.connection import open_reader, open_writer
from engine.store.lock import IndexerLock
from engine.store.stored_values import refuse_escaping
from engine.store.untrusted_file import ending

PARTS = ("", "-wal", "-shm")  # a library and what SQLite keeps beside it; together they are one state


@dataclass(frozen=True, slots=True)
class Restored:
    """The result of a restore; `kept` is where the former library lies now, None where there was none."""

    copied: Copied
    kept: Path | None


def back_up(library: Path, target: Path) -> Copied:
    """Copy the library to `target` while others read and write it; an older backup there is replaced.

    Raises PathError where `target` is the library itself or no place for a file, LibraryDamaged, LibraryFull.
    """
    refuse_place(library, target)
    if target.exists() and not _is_backup(target):
        raise PathError(f"{target} is there already and is no library.", fix="Name another file, or remove that one.")
    conn = open_reader(library)
    try:
        return backup.back_up(conn, target)
    except OSError as error:
        raise unwritable(target, error) from error
    finally:
        conn.close()


def restore(library: Path, source: Path) -> Restored:
    """Put the library in `source` in place of the one at `library`, which may be damaged or missing.

    `source` is copied beside the library and checked there before anything is changed; what was there is kept under
    another name. Raises PathError, LibraryDamaged, SchemaTooNew where `source` cannot be used, LibraryBusy where an
    indexer runs.
    """
    _refuse_own(library, source)
    with IndexerLock(library).acquire("restoring"):
        draft = backup.draft_of(library)
        try:
            copied = _brought(source, library, draft)
            open_writer(draft, lock_held=True).close()  # to the newest schema, before anything is replaced
            backup.synced(draft)  # what may fail comes before the library leaves its place
            kept = set_aside(library, "before-restore")
            backup.settle(draft, library)
        except OSError as error:
            raise unwritable(library, error) from error
        finally:
            backup.discard(draft)
    return Restored(replace(copied, path=library), kept)


def refuse_place(library: Path, target: Path) -> None:
    """Raise PathError where a file that is to be written would be the library itself, or has no folder to lie in."""
    _refuse_own(library, target)
    if not target.parent.is_dir():
        raise PathError(f"There is no folder {target.parent}.", fix="Make it, or name a file in another folder.")
    if target.is_dir():
        raise PathError(f"{target} is a folder.", fix=f"Name a file in it: {target / library.name}.")


def set_aside(library: Path, why: str) -> Path | None:
    """Give a library and what lies beside it another name, which is returned; None where there is none.

    The caller holds the indexer lock. The main file goes first: a log without its file is deleted by SQLite, but a log
    beside another's file would be read into it.
    """
    if not any(_part(library, part).exists() for part in PARTS):
        return None
    aside = unused(library.with_name(f"{library.name}.{why}-{time.strftime('%Y%m%d-%H%M%S')}"))
    for part in PARTS:
        with suppress(FileNotFoundError):
            os.replace(_part(library, part), _part(aside, part))
    backup.synced(library.parent)
    return aside


def unused(path: Path) -> Path:
    """Return the path, or the first of `path-2`, `path-3`, ... that is not there."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}-{number}")
    return free


def _brought(source: Path, library: Path, draft: Path) -> Copied:
    """Copy a backup to where it is needed and check it there. Raises PathError, LibraryDamaged, SchemaTooNew."""
    if not source.is_file():
        raise PathError(f"There is no backup {source}.", fix="Name a file that `carrel backup` wrote.")
    private_folder(library.parent)
    try:
        conn = open_reader(source)
    except LibraryMissing as error:  # an empty file
        raise LibraryDamaged(f"The file {source} holds no library.", fix=_ANOTHER) from error
    except LibraryDamaged as error:
        raise LibraryDamaged(error.message, cause=error.cause, fix=_ANOTHER) from error
    try:
        with ending(conn, source):
            refuse_escaping(conn)
            copied = backup.copy_to(conn, draft)
    except LibraryDamaged as error:
        raise LibraryDamaged(f"The backup {source} is not sound.", cause=error.cause, fix=_ANOTHER) from error
    finally:
        conn.close()
    return copied


_ANOTHER = (
    "The library was not touched. Try another backup, or `carrel restore --rebuild`, which reads the folders anew."
)


def _refuse_own(library: Path, other: Path) -> None:
    """Raise PathError where a file is the library itself or a part of it, by whatever name."""
    for part in (*PARTS, ".lock"):
        own = _part(library, part)
        with suppress(OSError):
            if other == own or other.samefile(own):
                raise PathError(f"{other} is the library itself.", fix="Name another file.")


def _is_backup(path: Path) -> bool:
    """Whether a file may be replaced: it is a library, or empty. Raises SchemaTooNew for one of a newer Carrel."""
    try:
        open_reader(path).close()
    except LibraryMissing:
        return path.stat().st_size == 0
    except LibraryDamaged:
        return False
    return True


def _part(library: Path, part: str) -> Path:
    return library.with_name(library.name + part)


def unwritable(path: Path, error: OSError) -> LibraryError:
    """Return the error for a file that the system did not let be written."""
    return LibraryError(
        f"{path} could not be written.",
        cause=f"{error.strerror}.",
        fix="Check the free space and the rights of its folder, or name another place.",
    )
