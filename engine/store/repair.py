"""Mends what `integrity` finds and the library itself can mend; the rest of the work falls to the next sync."""

from __future__ import annotations

from dataclasses import dataclass

import apsw

from engine.store import changes, integrity, models, vectors
from engine.store.connection import transaction
from engine.store.documents import listed


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair did: rows without an owner removed, vectors removed, documents that the next sync reads again."""

    orphans: int
    vectors: int
    documents_to_read: int


def repair(conn: apsw.Connection) -> Repaired:
    """Remove what has no owner, mark for reading again what is incomplete, and build the word index anew.

    The caller holds the indexer lock. Nothing of this mends a file whose pages are damaged: restore a backup then.
    """
    with transaction(conn):
        orphans = _remove_orphans(conn)
        removed = sum(_remove_vectors(conn, model.id) for model in models.every(conn))
        again = _read_again(conn)
        conn.execute("INSERT INTO passage_fts(passage_fts) VALUES('rebuild')")
        changes.forget_all(conn)
    return Repaired(orphans, removed, again)


def _remove_orphans(conn: apsw.Connection) -> int:
    """Delete passages and documents without an owner; the word index is rebuilt later, so it is left alone here."""
    documents = _ids(conn, integrity.ORPHAN_DOCUMENTS)
    among = "(SELECT value FROM json_each(?))"
    conn.execute(f"DELETE FROM passage WHERE document_id IN {among}", (listed(documents),))
    conn.execute(f"DELETE FROM document WHERE id IN {among}", (listed(documents),))
    passages = _ids(conn, integrity.ORPHAN_PASSAGES)
    conn.execute(f"DELETE FROM passage WHERE id IN {among}", (listed(passages),))
    conn.execute(f"DELETE FROM free_slot WHERE id IN ({integrity.USED_FREE_SLOTS})")
    return len(documents) + len(passages)


def _remove_vectors(conn: apsw.Connection, model_id: int) -> int:
    wrong = {*_ids(conn, integrity.stray_vectors(model_id)), *integrity.unusable_vectors(conn, model_id)}
    vectors.forget(conn, model_id, sorted(wrong))
    return len(wrong)


def _read_again(conn: apsw.Connection) -> int:
    """Make documents look changed whose passages have gaps or lack a vector of the active model."""
    model = models.active(conn)
    bare = vectors.without_vectors(conn, model.id) if model else []
    conn.execute(
        f"""UPDATE document SET content_hash = NULL, mtime_ns = 0 WHERE id IN ({integrity.NOT_TILING})
        OR id IN (SELECT document_id FROM passage WHERE id IN (SELECT value FROM json_each(?)))""",
        (listed(bare),),
    )
    return conn.changes()


def _ids(conn: apsw.Connection, select: str) -> list[int]:
    return [row[0] for row in conn.execute(select)]
