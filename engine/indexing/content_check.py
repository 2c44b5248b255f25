"""Holds files against their hashes, a few at a time: some change with their size and every time that a stat gives kept.

A disk that rots, a file system without change times, or a program that writes through a map of memory leave no trace
in a stat. Each whole sync looks at what was not looked at for a week, the longest first, so that a library is gone
through in days at hardly any cost.
"""

from __future__ import annotations

import os
import time

import apsw

from engine.store import stored_values

CHECK_AFTER_SECONDS = 7 * 86_400.0
FILES_AT_ONCE = 500  # of one sync: with one in 15 minutes, 48,000 files a day
BYTES_AT_ONCE = 64 * 2**20  # 0.1 s of hashing, and about a second of reading on a slow disk
LATE_SECONDS = 30 * 86_400.0  # after which the doctor names what was not looked at
_CHECKED = "max(indexed_at, ifnull(content_check.at, 0))"
_DOCUMENTS = """FROM document JOIN folder ON folder.id = document.folder_id
LEFT JOIN content_check ON content_check.document_id = document.id
WHERE document.failure IS NULL AND folder.state = 'watching'"""


def due(conn: apsw.Connection) -> tuple[bytes, ...]:
    """Return the absolute paths of the files whose bytes are to be looked at now, the longest unseen first.

    Folders come last of which documents are held back: these have no file, and would stand before all others for ever.
    """
    rows = conn.execute(
        f"""SELECT folder.path, document.path, document.size {_DOCUMENTS} AND {_CHECKED} < ?
        ORDER BY EXISTS(SELECT 1 FROM meta WHERE key = 'held:' || folder.id), {_CHECKED}, document.id LIMIT ?""",
        (time.time() - CHECK_AFTER_SECONDS, FILES_AT_ONCE),
    )
    paths: list[bytes] = []
    left = BYTES_AT_ONCE
    for folder, path, size in rows:
        left -= size
        if left < 0 and paths:
            break
        paths.append(os.path.join(folder, path))
    return tuple(paths)


def unseen(conn: apsw.Connection) -> tuple[int, int, float]:
    """Return how many documents there are, how many were not looked at for a month, and the oldest look in days."""
    late = time.time() - LATE_SECONDS
    total, count, oldest = conn.execute(
        f"SELECT count(*), count(*) FILTER (WHERE {_CHECKED} < ?), min({_CHECKED}) {_DOCUMENTS}", (late,)
    ).fetchone() or (0, 0, None)
    moment = stored_values.moment(oldest)
    return int(total), int(count), (time.time() - moment) / 86_400 if moment else 0.0
