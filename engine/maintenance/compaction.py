"""Compaction: gives the space of what was removed back to the disk, and says how much it was."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from engine.errors import LibraryFull
from engine.figures import size
from engine.store import vacuum
from engine.store.connection import open_writer
from engine.store.lock import IndexerLock

WORK_SHARE = 2.0  # of the library's bytes: its vectors and then all its pages pass through the log beside it


@dataclass(frozen=True, slots=True)
class Compacted:
    """The library's size in bytes, with its log, before and after."""

    before: int
    after: int

    @property
    def gained(self) -> int:
        """The bytes given back; below 0 where the file grew, as a small one may."""
        return self.before - self.after

    @property
    def share(self) -> float:
        """The share of the size before that was given back."""
        return self.gained / self.before if self.before else 0.0


def compact(library: Path) -> Compacted:
    """Rebuild vectors and words, and the file without its holes; passages keep their ids.

    Raises LibraryBusy where an indexer runs, LibraryFull before anything is changed where the disk lacks space.
    """
    with IndexerLock(library).acquire("compacting"):
        conn = open_writer(library, lock_held=True)
        try:
            before = _bytes(library)
            _refuse_without_space(library, before)
            vacuum.compact(conn)
        finally:
            conn.close()
        return Compacted(before, _bytes(library))


def _bytes(library: Path) -> int:
    log = library.with_name(library.name + "-wal")
    return library.stat().st_size + (log.stat().st_size if log.exists() else 0)


def _refuse_without_space(library: Path, octets: int) -> None:
    """Raise LibraryFull where the library's disk, or that of temporary files, is too full for the work."""
    work, temporary = int(octets * WORK_SHARE), _temporary()
    if temporary.stat().st_dev == library.parent.stat().st_dev:
        needs = {library.parent: work + octets}
    else:
        needs = {library.parent: work, temporary: octets}
    for folder, needed in needs.items():
        free = shutil.disk_usage(folder).free
        if free < needed:
            raise LibraryFull(
                "There is too little space to compact the library; nothing was changed.",
                cause=f"It takes {size(needed)} for a while in {folder}, and {size(free)} are free.",
                fix="Free some space there, or set SQLITE_TMPDIR to a folder on a larger disk.",
            )


def _temporary() -> Path:
    """Return where SQLite puts temporary files, by its own order (os_unix.c, unixTempFileDir)."""
    named = (os.environ.get("SQLITE_TMPDIR"), os.environ.get("TMPDIR"), "/var/tmp", "/usr/tmp", "/tmp")
    return next((Path(each) for each in named if each and os.path.isdir(each)), Path())
