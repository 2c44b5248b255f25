"""Finds the other names of a file that has several: it changes under all of them, and the kernel tells of one.

By the time that is looked at, that one may be gone. So a file's number counts, taken when something was heard of it.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Collection
from contextlib import suppress

import apsw

from engine.store.row_mapping import signed


def documents_of(conn: apsw.Connection, inodes: Collection[int]) -> list[bytes]:
    """Return the absolute paths of the documents whose files had these numbers when they were read."""
    if not inodes:
        return []
    rows = conn.execute(
        """SELECT folder.path, document.path FROM document JOIN folder ON folder.id = folder_id
        WHERE inode IN (SELECT value FROM json_each(?)) AND folder.state <> 'paused'""",
        (json.dumps(sorted(signed(each) for each in inodes)),),
    )
    return [os.path.join(*row) for row in rows]


def inode_of_many_names(path: bytes) -> int | None:
    """Return the number of a regular file that has several names, None of any other and where nothing lies."""
    with suppress(OSError):
        found = os.lstat(path)
        if stat.S_ISREG(found.st_mode) and found.st_nlink > 1:
            return found.st_ino
    return None
