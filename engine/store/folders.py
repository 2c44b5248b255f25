"""The watched folders and what was left out of them; every function that writes makes one small write."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, cast

import apsw

from engine.records import Folder, FolderState
from engine.store import stored_values
from engine.store.transactions import transaction

_FOLDERS = """
SELECT folder.id, folder.path, CAST(folder.state AS BLOB), count(document.id),
    (SELECT count(*) FROM passage JOIN document ON document.id = document_id WHERE folder_id = folder.id),
    count(document.failure), coalesce((SELECT value FROM meta WHERE key = 'held:' || folder.id), 0),
    count(document.id) > 0 OR EXISTS(SELECT 1 FROM meta WHERE key = 'walked:' || folder.id)
FROM folder LEFT JOIN document ON document.folder_id = folder.id
"""


def add(conn: apsw.Connection, path: bytes, rules: Mapping[str, Any] | None = None) -> int:
    """Watch a folder, by absolute path, and return its id; a folder that is watched already keeps its own rules."""
    with transaction(conn):
        conn.execute(
            "INSERT INTO folder(path, rules, added_at) VALUES(?, ?, ?) ON CONFLICT(path) DO NOTHING",
            (path, json.dumps(dict(rules or {})), time.time()),
        )
        return int(conn.execute("SELECT id FROM folder WHERE path = ?", (path,)).get)


def every(conn: apsw.Connection) -> tuple[Folder, ...]:
    """Return all folders with their counts, in the order in which they were added."""
    return tuple(_folder(row) for row in conn.execute(f"{_FOLDERS} GROUP BY folder.id ORDER BY folder.id"))


def at(conn: apsw.Connection, path: bytes) -> Folder | None:
    """Return the folder watched at an absolute path, None where none is."""
    row = conn.execute(f"{_FOLDERS} WHERE folder.path = ? GROUP BY folder.id", (path,)).fetchone()
    return _folder(row) if row else None


def rules(conn: apsw.Connection, folder_id: int) -> dict[str, Any]:
    """Return the rules of a folder as they were given to `add`.

    Raises LibraryDamaged where they cannot be read: without them, files would be indexed that are to be left out.
    """
    row = conn.execute("SELECT rules FROM folder WHERE id = ?", (folder_id,)).fetchone()
    found = stored_values.rules(row[0]) if row else {}
    if found is None:
        raise stored_values.unreadable("folder.rules", "The patterns by which a folder leaves files out are damaged.")
    return found


def state_of(written: object) -> FolderState:
    """Read a folder's state; what is none counts as watched."""
    return cast("FolderState", written) if written in stored_values.STATES else "watching"


def _folder(row: tuple[Any, ...]) -> Folder:
    number, path, state, documents, passages, failed, kept, walked = row
    held = stored_values.count(kept) or 0
    state = state_of(stored_values.text(state))
    return Folder(number, path, state, documents, passages, failed, held, bool(walked))


def set_state(conn: apsw.Connection, folder_id: int, state: FolderState) -> None:
    """Write down whether a folder is watched, paused or missing."""
    with transaction(conn):
        conn.execute("UPDATE folder SET state = ? WHERE id = ?", (state, folder_id))


def set_held(conn: apsw.Connection, folder_id: int, documents: int) -> None:
    """Write down how many documents of a folder stay though their files are gone."""
    with transaction(conn):
        conn.execute("DELETE FROM meta WHERE key = ?", (f"held:{folder_id}",))
        if documents:
            conn.execute("INSERT INTO meta(key, value) VALUES(?, ?)", (f"held:{folder_id}", documents))


def set_walked(conn: apsw.Connection, folder_id: int) -> None:
    """Write down that all that lies in a folder was looked at once."""
    with transaction(conn):
        conn.execute("INSERT OR REPLACE INTO meta(key, value) VALUES(?, 1)", (f"walked:{folder_id}",))


def walked(conn: apsw.Connection) -> frozenset[int]:
    """Return the folders of which all that lies in them was looked at once."""
    rows = conn.execute("SELECT key FROM meta WHERE key >= 'walked:' AND key < 'walked;'")
    numbers = (str(key).partition(":")[2] for (key,) in rows)
    return frozenset(int(number) for number in numbers if number.isdecimal())


def held(conn: apsw.Connection) -> dict[int, int]:
    """Return how many documents of a folder stay though their files are gone, by folder, where there are any."""
    rows = conn.execute("SELECT key, value FROM meta WHERE key >= 'held:' AND key < 'held;'")
    found = ((str(key).partition(":")[2], stored_values.count(value)) for key, value in rows)
    return {int(folder): count for folder, count in found if count and folder.isdecimal()}


def remove(conn: apsw.Connection, folder_id: int) -> None:
    """Stop watching a folder whose documents are gone (`Writer.remove`). Raises LibraryError where some are left."""
    with transaction(conn):
        conn.execute("DELETE FROM folder WHERE id = ?", (folder_id,))
        conn.execute("DELETE FROM meta WHERE key IN (?, ?)", (f"held:{folder_id}", f"walked:{folder_id}"))


def documents_in(conn: apsw.Connection, folder_id: int) -> list[int]:
    """Return the ids of all documents of a folder."""
    return [row[0] for row in conn.execute("SELECT id FROM document WHERE folder_id = ?", (folder_id,))]


def set_left_out(conn: apsw.Connection, folder_id: int, counts: Mapping[str, int]) -> None:
    """Write down how many files of a folder were left out, by reason, in place of what was known before."""
    with transaction(conn):
        conn.execute("DELETE FROM left_out WHERE folder_id = ?", (folder_id,))
        conn.executemany(
            "INSERT INTO left_out(folder_id, reason, count) VALUES(?, ?, ?)",
            [(folder_id, reason, count) for reason, count in counts.items()],
        )


def left_out(conn: apsw.Connection, folder_id: int | None = None) -> dict[str, int]:
    """Return how many files were left out, by reason, in one folder or in all."""
    return dict(
        conn.execute(
            """SELECT reason, sum(count) FROM left_out WHERE ?1 IS NULL OR folder_id = ?1
            GROUP BY reason ORDER BY reason""",
            (folder_id,),
        )
    )
