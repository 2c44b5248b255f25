"""The log of finished searches, which is off until the person switches it on: what was asked, shown and opened."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import apsw

from engine.paths import display
from engine.records import Hit, LoggedRow, LoggedSearch, SearchResult
from engine.store import stored_values
from engine.store.transactions import transaction
from engine.store.write_ahead_log import fold_in

KEPT = 20_000  # searches; the oldest go first, about 50 MB
SHOWN = 20  # rows that are written down: what a person looks at


def add(conn: apsw.Connection, result: SearchResult, source: str = "") -> int:
    """Write a search down with its first rows, and return its number."""
    rows = _rows(conn, result.hits[:SHOWN])
    with transaction(conn):
        conn.execute(
            "INSERT INTO search_log(at, query, verdict, fusion, milliseconds, results, source)"
            " VALUES(?, ?, ?, ?, ?, ?, ?)",
            (
                time.time(),
                result.query.text,
                result.verdict,
                result.fusion,
                result.timings.total,
                json.dumps(rows),
                source,
            ),
        )
        number = conn.last_insert_rowid()
        conn.execute("DELETE FROM search_log WHERE id <= ?", (number - KEPT,))
    return number


def opened(conn: apsw.Connection, number: int, hit: Hit) -> None:
    """Write down when a row of a search was opened; a search that is not there is passed over."""
    with transaction(conn):
        written = conn.execute("SELECT CAST(results AS BLOB) FROM search_log WHERE id = ?", (number,)).get
        rows = stored_values.logged_rows(stored_values.sound_text(written)) or []
        row = next((row for row in rows if row["passage"] == hit.passage_id), None)
        if row is None:  # it was further down than what is written at once
            (row,) = _rows(conn, [hit])
            rows.append(row)
        row.setdefault("opened", time.time())
        conn.execute("UPDATE search_log SET results = ? WHERE id = ?", (json.dumps(rows), number))


def every(conn: apsw.Connection, limit: int | None = None) -> tuple[LoggedSearch, ...]:
    """Return the logged searches, newest first, at most `limit`."""
    source = "CAST(source AS BLOB)" if _told_apart(conn) else "x''"
    found = conn.execute(
        f"""SELECT at, milliseconds, CAST(query AS BLOB), CAST(verdict AS BLOB), CAST(fusion AS BLOB),
            CAST(results AS BLOB), {source} FROM search_log ORDER BY id DESC LIMIT ?""",
        (-1 if limit is None else limit,),
    )
    return tuple(_readable(found))


def empty(conn: apsw.Connection) -> int:
    """Forget all searches, overwriting them in the file; return how many there were."""
    conn.pragma("secure_delete", True)  # whatever the setting is: it was asked for
    with transaction(conn):
        conn.execute("DELETE FROM search_log")
        gone = conn.changes()
    fold_in(conn)
    return gone


def is_search(at: object, milliseconds: object, rows: object) -> bool:
    """Whether these values of a logged search can be read."""
    figures = stored_values.moment(at) is not None and stored_values.finite(milliseconds) is not None
    return figures and stored_values.logged_rows(rows) is not None


def _readable(found: Iterable[tuple[Any, ...]]) -> Iterator[LoggedSearch]:
    """Yield the searches that can be read; `carrel doctor` counts the others, and mends them."""
    for at, milliseconds, *written in found:
        query, verdict, fusion, results, source = map(stored_values.sound_text, written)
        if query is None or verdict is None or fusion is None or not is_search(at, milliseconds, results):
            continue
        rows = stored_values.logged_rows(results) or []
        yield LoggedSearch(at, query, verdict, fusion, milliseconds, tuple(_row(each) for each in rows), source or "")


def _told_apart(conn: apsw.Connection) -> bool:
    """Whether the log tells who asked: that of an older Carrel, which nothing has written to since, does not."""
    return conn.execute("SELECT 1 FROM pragma_table_info('search_log') WHERE name = 'source'").get is not None


def _row(written: dict[str, Any]) -> LoggedRow:
    return LoggedRow(written["path"], bytes.fromhex(written["hash"]), written["rank"], written.get("opened"))


def _rows(conn: apsw.Connection, hits: Sequence[Hit]) -> list[dict[str, Any]]:
    found = conn.execute(
        "SELECT id, hex(hash) FROM passage WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps([hit.passage_id for hit in hits]),),
    )
    hashes: dict[int, str] = dict(found)
    return [
        {"passage": hit.passage_id, "hash": hashes.get(hit.passage_id, ""), "path": display(hit.path), "rank": hit.rank}
        for hit in hits
    ]
