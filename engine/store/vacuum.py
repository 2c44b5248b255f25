"""Gives space back: vector tables without holes, the word index in one piece, the file without empty pages."""

from __future__ import annotations

import apsw

from engine.store import models, vector_tables
from engine.store.faults import translated
from engine.store.transactions import BUSY_MILLISECONDS, path_of, transaction
from engine.store.write_ahead_log import fold_in

WORTHWHILE = 0.3  # the share of waste from which compaction offers itself
_CHUNK_SLOTS = 1024  # vectors in one chunk of a vec0 table
_COMPONENT_BYTES = 4


def waste(conn: apsw.Connection) -> float:
    """Return the share of the file that compaction would give back, 0 to 1: empty pages and spare vector chunks."""
    pages, empty = int(conn.pragma("page_count")), int(conn.pragma("freelist_count"))
    page_bytes = int(conn.pragma("page_size"))
    spare = sum(_spare_bytes(conn, model.id) for model in models.every(conn))
    return min(1.0, (empty * page_bytes + spare) / (pages * page_bytes)) if pages else 0.0


def _spare_bytes(conn: apsw.Connection, model_id: int) -> int:
    if conn.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (vector_tables.table(model_id),)).get is None:
        return 0  # it was lost, which is another check's matter
    present = int(conn.execute(f"SELECT count(*) FROM {vector_tables.table(model_id)}_chunks").get)
    needed = -(-len(vector_tables.live_ids(conn, model_id)) // _CHUNK_SLOTS)
    return max(0, present - needed) * _CHUNK_SLOTS * vector_tables.dimension(conn, model_id) * _COMPONENT_BYTES


def compact(conn: apsw.Connection) -> None:
    """Rebuild vector tables and file; passages keep their ids. The caller holds the indexer lock.

    Needs as much free disk as the library takes, for the file's pages pass through its log. Raises LibraryFull where
    there is not so much, with nothing lost.
    """
    with transaction(conn):
        for model in models.every(conn):
            rebuild_vectors(conn, model.id)
        conn.execute("DELETE FROM free_slot")
        conn.execute("INSERT INTO passage_fts(passage_fts) VALUES('optimize')")
    with translated(path_of(conn)):
        fold_in(conn, BUSY_MILLISECONDS)
        conn.pragma("temp_store", "file")  # VACUUM makes the new file aside first, and it may be gigabytes
        conn.execute("VACUUM")
        fold_in(conn, BUSY_MILLISECONDS)


def rebuild_vectors(conn: apsw.Connection, model_id: int) -> None:
    """Make a model's vector table anew, without parked and without unreadable rows; call it inside a transaction."""
    name, size = vector_tables.table(model_id), vector_tables.dimension(conn, model_id)
    conn.execute("CREATE TABLE vector_copy(id INTEGER PRIMARY KEY, embedding BLOB)")  # not memory: it may be gigabytes
    for ids, block in vector_tables.read_blocks(conn, model_id):
        rows = zip(ids.tolist(), (row.tobytes() for row in block), strict=True)
        conn.executemany("INSERT INTO vector_copy(id, embedding) VALUES(?, ?)", rows)
    vector_tables.drop(conn, model_id)
    vector_tables.create(conn, model_id, size)
    conn.execute(f"INSERT INTO {name}(rowid, embedding) SELECT id, embedding FROM vector_copy ORDER BY id")
    conn.execute("DROP TABLE vector_copy")
