"""The last check of a library, kept in the library itself: when it ended, and how many faults it found."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import apsw

from engine.errors import CarrelError
from engine.records import Check, LastCheck
from engine.store import meta
from engine.store.connection import open_writer

PATIENCE_MILLISECONDS = 500  # a commit takes 50; whoever writes for longer is not worth waiting for
_KEY = "last_check"


def remember(library: Path, checks: Sequence[Check]) -> None:
    """Keep what a check found. A file that cannot be written now is left as it is: the finding was told already.

    Nothing is written into a file whose pages are damaged.
    """
    if any(check.name == "file" and not check.ok for check in checks):
        return
    faults = sum(not check.ok for check in checks)
    try:
        conn = open_writer(library)
    except (CarrelError, apsw.Error, OSError):
        return
    conn.set_busy_timeout(PATIENCE_MILLISECONDS)
    try:
        meta.put(conn, _KEY, json.dumps({"at": time.time(), "faults": faults}))
    except (CarrelError, apsw.Error):
        return
    finally:
        conn.close()


def last_check(conn: apsw.Connection) -> LastCheck | None:
    """Return the last check of a library, None where it was never checked, or what is kept of it is damaged."""
    try:
        found = json.loads(cast(str, meta.get(conn, _KEY)))
        return LastCheck(float(found["at"]), int(found["faults"]))
    except (ValueError, TypeError, KeyError):
        return None
