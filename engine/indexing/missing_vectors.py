"""Passages that have no vector of a model: what building a model, a repair, or a changed model leaves to be done."""

from __future__ import annotations

import apsw


def active_model(conn: apsw.Connection) -> int | None:
    """Return the id of the model that searches use, None before the first sync."""
    row = conn.execute("SELECT id FROM model WHERE state = 'active'").fetchone()
    return int(row[0]) if row else None


def documents_with_gaps(conn: apsw.Connection, model_id: int) -> set[int]:
    """Return the documents of which a passage has no vector of this model.

    Counting comes first, since it is much cheaper and says in nearly every sync that there are none.
    """
    surplus = conn.execute(
        f"""SELECT (SELECT count(*) FROM passage) + (SELECT count(*) FROM free_slot)
        - (SELECT count(*) FROM {_rows(model_id)})"""
    ).get
    if surplus <= 0:
        return set()
    rows = conn.execute(
        f"""SELECT DISTINCT document_id FROM passage
        WHERE id NOT IN (SELECT rowid FROM {_rows(model_id)})"""
    )
    return {row[0] for row in rows}


def gaps_of(conn: apsw.Connection, model_id: int, document_id: int) -> dict[int, bytes]:
    """Return the passages of a document that have no vector of this model: hash by id."""
    rows = conn.execute(
        f"""SELECT id, hash FROM passage
        WHERE document_id = ? AND id NOT IN (SELECT rowid FROM {_rows(model_id)}) ORDER BY ordinal""",
        (document_id,),
    )
    return dict(rows)


def _rows(model_id: int) -> str:
    """Name the table of the rows of a model's vectors; `engine.store.vector_tables` would bring numpy (0.1 s)."""
    return f"vector_{int(model_id)}_rowids"
