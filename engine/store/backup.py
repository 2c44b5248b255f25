"""Copies the whole library into one file while others use it, and proves the copy before it gets its name."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import replace
from glob import escape
from pathlib import Path
from typing import cast

import apsw

from engine.errors import LibraryDamaged, LibraryFull
from engine.lazy_dataclass import dataclass
from engine.scratch_folders import process_lives
from engine.store.faults import translated
from engine.store.word_tokenizer import register

_PART = ".part-"  # stands before the number of the process that makes the file
_BESIDE = re.compile(  # what stands behind a library's name: SQLite's, the lock, what is kept of former states
    r"-(wal|shm|journal)|\.(lock|reading|removed|vectors)|\.before-v\d+(-wal|-shm)?"
    r"|\.(before-restore|damaged)-\d{8}-\d{6}(-\d+)?(-wal|-shm)?"
)
_DRAFT = re.compile(rf"(\.import)?{re.escape(_PART)}\d+([-.].*)?")


@dataclass(frozen=True, slots=True)
class Copied:
    """A finished copy: where it lies, what it holds, and its size in bytes."""

    path: Path
    documents: int
    passages: int
    bytes: int


def back_up(conn: apsw.Connection, target: Path) -> Copied:
    """Copy the whole database to `target`, readable by its owner only; a file that is there is replaced.

    The copy shows one moment of the library, though others write. It is made under another name beside `target`,
    checked page by page, and gets its name only when it is sound and on the disk. Raises LibraryDamaged where the copy
    is not sound, LibraryFull.
    """
    draft = draft_of(target)
    try:
        copied = copy_to(conn, draft)
        settle(draft, target)
    except BaseException:
        discard(draft)
        raise
    return replace(copied, path=target)


def beside(library: Path) -> list[Path]:
    """Return what Carrel keeps beside a library's file, under its name, the file itself left out; folders too.

    Other files may have names that begin like the library's, and are nobody's business here.
    """
    named = sorted(library.parent.glob(f"{escape(library.name)}[-.]*"))
    drafts = sorted(library.parent.glob(f".{escape(library.name)}.*"))
    return [
        *(each for each in named if _BESIDE.fullmatch(each.name[len(library.name) :])),
        *(each for each in drafts if _DRAFT.fullmatch(each.name[len(library.name) + 1 :])),
    ]


def draft_of(target: Path) -> Path:
    """Return the name beside `target` under which a file is made that is to become `target`.

    What a process left there that was killed in the midst of such a file is removed.
    """
    for each in target.parent.glob(f".{escape(target.name)}{_PART}*"):
        maker = each.name.rpartition(_PART)[2].partition(".")[0].partition("-")[0]
        if maker.isdecimal() and not process_lives(int(maker)):
            discard(each)
    return target.with_name(f".{target.name}{_PART}{os.getpid()}")


def settle(draft: Path, target: Path) -> None:
    """Give a finished file its name, so that a power cut leaves the one before or this one."""
    synced(draft)
    os.replace(draft, target)
    synced(target.parent)


def synced(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def discard(draft: Path) -> None:
    """Remove an unfinished file with all that was laid beside it under its name.

    That of process 12 does not begin with the name of one of process 123, which may be at work.
    """
    for each in (draft, *draft.parent.glob(f"{escape(draft.name)}[-.]*")):
        with suppress(OSError):
            each.unlink()


def private_file(path: Path) -> None:
    """Make an empty file, readable by its owner only, in place of any that is there."""
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))


def copy_to(conn: apsw.Connection, draft: Path) -> Copied:
    """Copy the database to a file that has no name for others yet, and check it; the caller settles or discards it."""
    with translated(draft):
        return _copied(conn, draft)


def _copied(conn: apsw.Connection, draft: Path) -> Copied:
    private_file(draft)
    due = _vacuumed(conn, draft)
    copy = apsw.Connection(str(draft))
    try:
        register(copy)
        wrong = [str(row[0]) for row in copy.execute("PRAGMA integrity_check") if row[0] != "ok"]
        arrived = _counts(copy)
        if not wrong and due not in (None, arrived):
            wrong = [f"{due} documents and passages were copied, and {arrived} arrived"]
        if wrong:
            raise LibraryDamaged(
                "The copy is not sound, because the library is not; it was not kept.",
                cause=f"SQLite says: {wrong[0]}.",
                fix="Run `carrel doctor` to see what is wrong.",
            )
    finally:
        copy.close()
    return Copied(draft, *arrived, draft.stat().st_size)


def _vacuumed(conn: apsw.Connection, draft: Path) -> tuple[int, int] | None:
    """Write what the database holds to an empty file, without the remains of what it held before.

    Returns how many documents and passages must have arrived, None where others wrote meanwhile.
    """
    before, due = conn.pragma("data_version"), _counts(conn)
    asked_only = conn.pragma("query_only")
    conn.pragma("query_only", False)  # which also stands in the way of writing to another file
    try:
        conn.execute("VACUUM INTO ?", (str(draft),))
    except (apsw.FullError, apsw.IOError) as error:
        raise LibraryFull(
            "The copy could not be written to the end.",
            cause=f"The disk of {draft.parent}, where it was to lie, is full or failing. SQLite says: {error}.",
            fix="Free some space there, or name a file on another disk. The library was not touched.",
        ) from error
    finally:
        conn.pragma("query_only", asked_only)
    return due if conn.pragma("data_version") == before else None


def _counts(conn: apsw.Connection) -> tuple[int, int]:
    row = conn.execute("SELECT (SELECT count(*) FROM document), (SELECT count(*) FROM passage)").fetchall()[0]
    return cast("tuple[int, int]", row)
