"""Keeps single values of the library by name, in the table `meta`; each is one small write."""

from __future__ import annotations

import apsw

from engine.store.transactions import transaction


def get(conn: apsw.Connection, key: str) -> apsw.SQLiteValue:
    """Return the value kept under `key`, None where there is none."""
    row = conn.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return row[0] if row else None


def put(conn: apsw.Connection, key: str, value: apsw.SQLiteValue) -> None:
    """Keep a value under `key`; None removes it."""
    with transaction(conn):
        if value is None:
            conn.execute("DELETE FROM meta WHERE key = ?", (key,))
        else:
            conn.execute("INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)", (key, value))
