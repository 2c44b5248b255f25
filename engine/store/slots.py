"""Passage ids and the vector rows behind them: an id that a passage gives up is parked and taken by the next one."""

from __future__ import annotations

from collections.abc import Iterable

import apsw

from engine.store import models, vector_tables

MOST_PARKED = 2_000  # 3 MB of vectors of 384 dimensions that no passage has


def take(conn: apsw.Connection, count: int) -> list[int]:
    """Return `count` ids for new passages, ascending: parked ones first, then ids never used."""
    if not count:
        return []
    ids = [row[0] for row in conn.execute("SELECT id FROM free_slot ORDER BY id LIMIT ?", (count,))]
    conn.executemany("DELETE FROM free_slot WHERE id = ?", [(each,) for each in ids])
    highest: int = conn.execute(
        "SELECT max((SELECT coalesce(max(id), 0) FROM passage), (SELECT coalesce(max(id), 0) FROM free_slot), ?)",
        (max(ids, default=0),),
    ).get
    return ids + list(range(highest + 1, highest + 1 + count - len(ids)))


def park(conn: apsw.Connection, ids: Iterable[int]) -> None:
    """Keep the vector rows of these ids, whose passages are gone, for new passages."""
    conn.executemany("INSERT INTO free_slot(id) VALUES(?)", [(each,) for each in ids])


def settle(conn: apsw.Connection) -> None:
    """Really delete the rows of what is parked beyond the limit, the highest ids first."""
    surplus = [row[0] for row in conn.execute("SELECT id FROM free_slot ORDER BY id LIMIT -1 OFFSET ?", (MOST_PARKED,))]
    if not surplus:
        return
    for model in models.every(conn):
        vector_tables.forget(conn, model.id, surplus)
    conn.executemany("DELETE FROM free_slot WHERE id = ?", [(each,) for each in surplus])
