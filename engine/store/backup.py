"""A copy of the whole library in one file, taken while others read and write it."""

from __future__ import annotations

import os
from pathlib import Path

import apsw


def back_up(conn: apsw.Connection, target: Path) -> Path:
    """Copy the whole database to `target`, readable by its owner only; an older copy there is replaced."""
    target.unlink(missing_ok=True)
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    copy = apsw.Connection(str(target))
    try:
        with copy.backup("main", conn, "main") as backup:
            backup.step()
    finally:
        copy.close()
    return target
