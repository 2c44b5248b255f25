"""Hard links: a file of several names is changed under all of them, and the kernel tells of one.

By the time that is looked at, that one may be gone. So a file's number counts, taken when something was heard of it.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress

import apsw

from engine.indexing.sync_plan import Plan
from engine.records import Folder
from engine.store.row_mapping import signed


def other_names(
    conn: apsw.Connection, plans: Sequence[tuple[Folder, Plan]], paths: Iterable[bytes] = ()
) -> list[bytes]:
    """Return the absolute paths of documents that are the same file as one that these plans look into.

    So are those of a file at one of `paths`, where a change was heard of: it may be left out under that name, or gone.
    Only names that are in no plan are returned. Most files have one name, and then nothing is asked of the library.
    """
    looked_at = {work.absolute for _, plan in plans for work in plan.work}
    inodes = {inode for path in {*looked_at, *paths} if (inode := inode_of_many_names(path)) is not None}
    inodes |= {each.known.inode for _, plan in plans for each in plan.vanished}
    return [path for path in documents_of(conn, inodes) if path not in looked_at]


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
