"""Orders to the indexer, filed by any process as one small write, taken by the holder of the indexer lock."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from typing import Any, cast

import apsw

from engine.lazy_dataclass import dataclass
from engine.store import stored_values
from engine.store.transactions import transaction

_AS_BYTES = "\0"  # before the hexadecimal bytes of a path that is no UTF-8: no path holds it, and the column is text
KEPT_DONE = 100  # finished requests whose outcome can still be asked for


@dataclass(frozen=True, slots=True)
class Request:
    """An order: what to do (`sync`, `retry`, `pause`, ...) and to what."""

    id: int
    kind: str
    argument: str


@dataclass(frozen=True, slots=True)
class RequestState:
    """How far an order is; `outcome` is what the indexer answered."""

    taken: bool
    done: bool
    outcome: dict[str, Any] | None


def file(conn: apsw.Connection, kind: str, argument: str = "") -> int:
    """File an order and return its id; a path is written as `os.fsdecode` has it."""
    with transaction(conn):
        conn.execute(
            "INSERT INTO request(kind, argument, requested_at) VALUES(?, ?, ?)", (kind, _written(argument), time.time())
        )
        return conn.last_insert_rowid()


def take(conn: apsw.Connection) -> Request | None:
    """Take the oldest order that nobody has taken, None where there is none."""
    if conn.execute("SELECT 1 FROM request WHERE taken_at IS NULL LIMIT 1").get is None:
        return None  # asked first without the write lock: an idle indexer asks several times a second
    with transaction(conn):
        rows = conn.execute(
            """UPDATE request SET taken_at = ? WHERE id = (SELECT min(id) FROM request WHERE taken_at IS NULL)
            RETURNING id, kind, argument""",
            (time.time(),),
        ).fetchall()
    if not rows:
        return None
    number, kind, argument = cast("tuple[int, str, str]", rows[0])
    return Request(number, kind, _read(argument))


def take_whole_syncs(conn: apsw.Connection) -> list[int]:
    """Take the orders to sync all folders, which a sync of all that begins now carries out; return their ids."""
    with transaction(conn):
        rows = conn.execute(
            """UPDATE request SET taken_at = ? WHERE taken_at IS NULL AND kind = 'sync' AND CAST(argument AS BLOB) = x''
            RETURNING id""",
            (time.time(),),
        ).fetchall()
    return [cast(int, row[0]) for row in rows]


def finish(conn: apsw.Connection, request_id: int, outcome: Mapping[str, Any] | None = None) -> None:
    """Answer an order, and forget what it was about; answers older than the last hundred are forgotten too.

    Which are the last is told by their numbers: a clock may have been set back since.
    """
    with transaction(conn):
        conn.execute(
            "UPDATE request SET done_at = ?, outcome = ?, argument = '' WHERE id = ?",
            (time.time(), json.dumps(dict(outcome or {})), request_id),
        )
        conn.execute(
            """DELETE FROM request WHERE done_at IS NOT NULL AND id NOT IN
            (SELECT id FROM request WHERE done_at IS NOT NULL ORDER BY id DESC LIMIT ?)""",
            (KEPT_DONE,),
        )


def reopen(conn: apsw.Connection) -> int:
    """Put back orders that an indexer took and never answered, as one does that starts; return how many."""
    with transaction(conn):
        conn.execute("UPDATE request SET taken_at = NULL WHERE taken_at IS NOT NULL AND done_at IS NULL")
        return conn.changes()


def withdraw(conn: apsw.Connection, request_id: int) -> None:
    """Take an order back that has not been answered; the next indexer does not find it."""
    with transaction(conn):
        conn.execute("DELETE FROM request WHERE id = ? AND done_at IS NULL", (request_id,))


def state(conn: apsw.Connection, request_id: int) -> RequestState | None:
    """Return how far an order is; None where none has this id, or its answer is forgotten."""
    row = conn.execute(
        "SELECT taken_at, done_at, CAST(outcome AS BLOB) FROM request WHERE id = ?", (request_id,)
    ).fetchone()
    if row is None:
        return None
    taken_at, done_at, outcome = row
    return RequestState(
        taken_at is not None, done_at is not None, stored_values.json_object(stored_values.sound_text(outcome))
    )


def _written(argument: str) -> str:
    """Return an argument as the library can hold it."""
    try:
        argument.encode()
    except UnicodeEncodeError:
        return _AS_BYTES + os.fsencode(argument).hex()
    return argument


def _read(written: str) -> str:
    """Return the argument that was written so."""
    return os.fsdecode(bytes.fromhex(written[len(_AS_BYTES) :])) if written.startswith(_AS_BYTES) else written
