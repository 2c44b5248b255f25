"""Hard links: a file of several names is changed under all of them, and the kernel tells of one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import suppress

import apsw

from engine.indexing.plan import Plan
from engine.records import Folder
from engine.store.rows import signed


def other_names(conn: apsw.Connection, plans: Iterable[tuple[Folder, Plan]]) -> list[bytes]:
    """Return the absolute paths of documents that are the same file as one that these plans look into.

    Only names that are in no plan are returned. Most files have one name, and then nothing is asked of the library.
    """
    looked_at = {work.absolute: work for _, plan in plans for work in plan.work}
    inodes = [signed(work.stat.inode) for path, work in looked_at.items() if _has_more_names(path)]
    if not inodes:
        return []
    rows = conn.execute(
        """SELECT folder.path, document.path FROM document JOIN folder ON folder.id = folder_id
        WHERE inode IN (SELECT value FROM json_each(?)) AND folder.state <> 'paused'""",
        (json.dumps(inodes),),
    )
    return [path for path in (os.path.join(*row) for row in rows) if path not in looked_at]


def _has_more_names(path: bytes) -> bool:
    with suppress(OSError):
        return os.lstat(path).st_nlink > 1
    return False
