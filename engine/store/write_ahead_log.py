"""The log beside the library file: when it is folded in, and emptied of what was forgotten."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import apsw

from engine.store.transactions import BUSY_MILLISECONDS

PATIENCE_MILLISECONDS = 100  # how long a reader or writer is waited for; there is always another occasion
QUIET_SECONDS = 3.0  # after the last write: who saves a note often saves it again at once


def fold_in(conn: apsw.Connection, patience_milliseconds: int = PATIENCE_MILLISECONDS) -> bool:
    """Bring the log into the file and empty it; False where somebody else is in the way, who is not waited for.

    The log keeps the pages from before a deletion until then. Call it outside a transaction.
    """
    conn.set_busy_timeout(patience_milliseconds)
    try:
        conn.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        return True
    except (apsw.BusyError, apsw.LockedError):
        with suppress(apsw.BusyError, apsw.LockedError):
            conn.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        return False
    finally:
        conn.set_busy_timeout(BUSY_MILLISECONDS)


def rests(library: Path) -> bool:
    """Whether a library's log holds something that was written a moment ago, and nothing since."""
    try:
        facts = library.with_name(library.name + "-wal").stat()
    except OSError:
        return False
    return bool(facts.st_size) and not 0 <= time.time() - facts.st_mtime < QUIET_SECONDS
