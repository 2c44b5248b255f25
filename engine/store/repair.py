"""Mends what `integrity` finds and the library itself can mend; the next sync does the rest."""

from __future__ import annotations

from dataclasses import dataclass

import apsw

from engine.store import change_log, fulltext, integrity, late_vectors, models, pending_vectors, vacuum, vector_tables
from engine.store.documents import listed
from engine.store.transactions import transaction


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair did: rows without an owner removed, vectors removed, documents that the next sync reads again.

    `late_removed`: late interaction could not be read, and has to be switched on anew.
    """

    orphans: int
    vectors: int
    documents_to_read: int
    late_removed: bool = False


def repair(conn: apsw.Connection) -> Repaired:
    """Remove what has no owner, mark for reading again what is incomplete, and build the word index anew.

    The caller holds the indexer lock. Nothing of this mends a file whose pages are damaged: restore a backup then.
    """
    with transaction(conn):
        doubted = bool(integrity.words_disagree(conn))
        orphans = _remove_orphans(conn)
        removed = _rebuild_tables(conn) + sum(_remove_vectors(conn, model.id) for model in models.every(conn))
        late, late_removed = _repair_late(conn)
        again = _read_again(conn, everything=doubted)
        fulltext.rebuild(conn)
        change_log.forget_all(conn)
    return Repaired(orphans, removed + late, again, late_removed)


def _remove_orphans(conn: apsw.Connection) -> int:
    """Delete passages and documents without an owner; the word index is rebuilt later, so it is left alone here."""
    documents = _ids(conn, integrity.ORPHAN_DOCUMENTS)
    among = "(SELECT value FROM json_each(?))"
    conn.execute(f"DELETE FROM passage WHERE document_id IN {among}", (listed(documents),))
    conn.execute(f"DELETE FROM document WHERE id IN {among}", (listed(documents),))
    passages = _ids(conn, integrity.ORPHAN_PASSAGES)
    conn.execute(f"DELETE FROM passage WHERE id IN {among}", (listed(passages),))
    conn.execute(f"DELETE FROM free_slot WHERE id IN ({integrity.USED_FREE_SLOTS})")
    return len(documents) + len(passages) + _remove_orphan_rows(conn)


def _remove_orphan_rows(conn: apsw.Connection) -> int:
    conn.execute(f"DELETE FROM left_out WHERE folder_id IN ({integrity.ORPHAN_COUNTS})")
    removed = conn.changes()
    conn.execute(f"DELETE FROM calibration WHERE model_id IN ({integrity.ORPHAN_FIGURES})")
    if conn.changes():
        removed += conn.changes()
        conn.execute("DELETE FROM calibration WHERE name = ?", (change_log.FITTED_AT,))  # they may have been a model's
    tables = [str(row[0]) for row in conn.execute(integrity.ORPHAN_TABLES)]
    for name in tables:
        conn.execute(f'DROP TABLE "{name}"')
    waiting = pending_vectors.count(conn)
    pending_vectors.forget_unowned(conn)
    return removed + len(tables) + waiting - pending_vectors.count(conn)


def _rebuild_tables(conn: apsw.Connection) -> int:
    """Make vector tables anew that are missing, of a wrong size, or partly unreadable; return how many vectors went."""
    removed = 0
    for model in models.every(conn):
        due, found = integrity.due_dimension(conn, model)
        if due != found or found is None:
            removed += len(vector_tables.live_ids(conn, model.id)) if found is not None else 0
            vector_tables.drop(conn, model.id)
            if due is None:
                models.remove(conn, model.id)
            else:
                vector_tables.create(conn, model.id, due)
        elif unreadable := integrity.unreadable_vectors(conn, model.id):
            removed += len(unreadable)
            _keep_readable(conn, model.id, len(unreadable))
    return removed


def _keep_readable(conn: apsw.Connection, model_id: int, unreadable: int) -> None:
    """Make a vector table anew of the vectors that can be read."""
    if unreadable < len(vector_tables.live_ids(conn, model_id)):
        vacuum.rebuild_vectors(conn, model_id)
        return
    size = vector_tables.dimension(conn, model_id)
    vector_tables.drop(conn, model_id)
    vector_tables.create(conn, model_id, size)


def _remove_vectors(conn: apsw.Connection, model_id: int) -> int:
    wrong = {*_ids(conn, integrity.stray_vectors(model_id)), *integrity.unusable_vectors(conn, model_id)}
    vector_tables.forget(conn, model_id, sorted(wrong))
    return len(wrong)


def _repair_late(conn: apsw.Connection) -> tuple[int, bool]:
    """Remove the token vectors that cannot be read, to be made again; return how many, and whether the model went.

    It goes where it cannot be read, and where none of its vectors can.
    """
    late, strays = late_vectors.stored(conn), late_vectors.strays(conn)
    wrong = late_vectors.damaged(conn, late) if late is not None else []
    if late is None or (
        wrong and len(wrong) == conn.execute(f"SELECT count(*) FROM {late_vectors.table(late.id)}").get
    ):
        late_vectors.remove(conn)
        return len(wrong), bool(late or strays)
    for name in strays:
        conn.execute(f"DROP TABLE {name}")
    late_vectors.forget(conn, late, wrong)
    return len(wrong), False


def _read_again(conn: apsw.Connection, *, everything: bool) -> int:
    """Make documents look changed whose passages have gaps or lack a vector of the active model, or have no model.

    Or `everything`, where words and passages disagree: nobody knows which of the two is what the files say.
    """
    bare = integrity.without_vectors(conn)
    conn.execute(
        f"""UPDATE document SET content_hash = NULL, mtime_ns = 0 WHERE ? OR id IN ({integrity.NOT_TILING})
        OR id IN (SELECT document_id FROM passage WHERE id IN (SELECT value FROM json_each(?)))""",
        (everything, listed(bare)),
    )
    return conn.changes()


def _ids(conn: apsw.Connection, select: str) -> list[int]:
    return [row[0] for row in conn.execute(select)]
