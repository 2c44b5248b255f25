"""What a search asks of filters and candidates, answered by the single file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import apsw

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.records import Scope
    from engine.store.allowed import Allowed
    from engine.store.phrase import Phrase

_PICTURE = "\ufe0f"  # asks for the coloured form of the sign before it; some write it, some do not


def allowed_ids(conn: apsw.Connection, allowed: Allowed) -> NDArray[np.int64]:
    """Return the passages that are allowed."""
    from engine.store.filter_sql import passages_sql

    sql, bindings = passages_sql(allowed)
    return _ids(conn.execute(sql or "SELECT id FROM passage", bindings).fetchall())


def let_through(conn: apsw.Connection, passage_ids: NDArray[np.int64], allowed: Allowed) -> NDArray[np.int64]:
    """Return those of a few passages that are allowed."""
    from engine.store.filter_sql import passages_sql

    sql, bindings = passages_sql(allowed)
    if not sql or not len(passage_ids):
        return passage_ids
    found = conn.execute(
        f"SELECT value FROM json_each(?) WHERE value IN ({sql}) ORDER BY value",
        (json.dumps(passage_ids.tolist()), *bindings),
    )
    return _ids(found.fetchall())


def count_holding(conn: apsw.Connection, phrase: Phrase, allowed: Allowed) -> int:
    """Return how many of the allowed passages match a phrase."""
    from engine.store.filter_sql import passages_sql

    sql, bindings = passages_sql(allowed)
    within = f" AND +rowid IN ({sql})" if sql else ""
    count = f"SELECT count(*) FROM passage_fts WHERE passage_fts MATCH ?{within}"
    return int(conn.execute(count, (phrase.match, *bindings)).get)


def hidden_documents(conn: apsw.Connection, scope: Scope) -> tuple[int, ...]:
    """Return the documents that lie outside a scope."""
    from engine.store.filter_sql import IN_SCOPE, scope_sql

    inside, bindings = scope_sql(scope)
    found = conn.execute(IN_SCOPE.format(f"NOT ({inside})"), bindings) if inside else ()
    return tuple(int(str(document_id)) for (document_id,) in found)


def in_scope(conn: apsw.Connection, document_id: int, scope: Scope) -> bool:
    """Return whether a document is there and lies in a scope."""
    from engine.store.filter_sql import IN_SCOPE, scope_sql

    inside, bindings = scope_sql(scope)
    told = f"document.id = ? AND {inside}" if inside else "document.id = ?"
    return conn.execute(IN_SCOPE.format(told), (document_id, *bindings)).get is not None


def places(conn: apsw.Connection, passage_ids: Sequence[int]) -> list[tuple[int, int, int]]:
    """Return each passage with its document and the entry in it, in order of path and place."""
    found = conn.execute(
        "SELECT passage.id, passage.document_id, ifnull(entry.number, 0)"
        " FROM json_each(?) AS wanted JOIN passage ON passage.id = wanted.value"
        " JOIN document ON document.id = passage.document_id"
        " LEFT JOIN entry ON entry.document_id = passage.document_id AND entry.number = passage.page"
        " ORDER BY length(document.path), document.path, document.folder_id, passage.ordinal",
        (json.dumps(list(passage_ids)),),
    )
    return cast("list[tuple[int, int, int]]", found.fetchall())


def around(conn: apsw.Connection, passage_ids: Sequence[int], reach: int) -> list[tuple[int, int]]:
    """Return for each passage those that stand around it."""
    found = conn.execute(_AROUND, (reach, reach, json.dumps(list(passage_ids))))
    return cast("list[tuple[int, int]]", found.fetchall())


def newest(conn: apsw.Connection, allowed: Allowed, limit: int) -> list[tuple[int, int, int]]:
    """Return the allowed documents of latest date."""
    from engine.store.filter_sql import passages_sql

    sql, bindings = passages_sql(allowed)
    clause = f"AND passage.id IN ({sql})" if sql else ""
    rows = conn.execute(_NEWEST.format(clause, clause), (*bindings, limit, *bindings, limit, limit))
    return _listed(rows.fetchall())


def documents_by_date(conn: apsw.Connection) -> list[int]:
    """Return all documents, newest first."""
    found = conn.execute("SELECT id FROM document ORDER BY mtime_ns DESC, path")
    return [document for (document,) in cast("list[tuple[int]]", found.fetchall())]


def passages_in(conn: apsw.Connection, documents: Sequence[int]) -> int:
    """Return how many passages documents have."""
    count = "SELECT count(*) FROM passage WHERE document_id IN (SELECT value FROM json_each(?))"
    return int(conn.execute(count, (json.dumps(list(documents)),)).get)


def holding_signs(
    conn: apsw.Connection, signs: Sequence[str], allowed: Allowed, documents: Sequence[int]
) -> list[tuple[int, int, int]]:
    """Return the first passages of documents that hold all signs."""
    from engine.store.filter_sql import passages_sql

    wanted = [sign.rstrip(_PICTURE) or sign for sign in signs]
    holds = " AND ".join([_HOLDS] * len(wanted))
    sql, bindings = passages_sql(allowed)
    within = f" AND passage.id IN ({sql})" if sql else ""
    rows = conn.execute(
        "SELECT passage.id, document.id, ifnull(entry.number, 0), min(passage.ordinal) FROM json_each(?) AS chosen"
        " CROSS JOIN document ON document.id = chosen.value"
        " CROSS JOIN passage ON passage.document_id = document.id"
        " LEFT JOIN entry ON entry.document_id = document.id AND entry.number = passage.page"
        f" WHERE {holds}{within} GROUP BY document.id, entry.number ORDER BY chosen.key, entry.own_date DESC",
        (json.dumps(list(documents)), *(sign for each in wanted for sign in (each, each, each)), *bindings),
    )
    return _listed(rows.fetchall())


def _ids(rows: Sequence[object]) -> NDArray[np.int64]:
    import numpy as np

    return np.fromiter((row[0] for row in cast("Sequence[tuple[int]]", rows)), np.int64, len(rows))


def _listed(rows: Sequence[object]) -> list[tuple[int, int, int]]:
    return [row[:3] for row in cast("Sequence[tuple[int, int, int]]", rows)]


# A mailbox is no document: what stands beside a message there is another message.
_AROUND = """
SELECT here.id, there.id FROM passage AS here JOIN passage AS there ON there.document_id = here.document_id
AND there.ordinal BETWEEN here.ordinal - ? AND here.ordinal + ?
WHERE here.id IN (SELECT value FROM json_each(?))
AND (there.page IS here.page OR NOT EXISTS (SELECT 1 FROM entry WHERE entry.document_id = here.document_id))
ORDER BY here.id, there.id
"""
_HOLDS = "(instr(passage.text, ?) OR instr(document.title, ?) OR instr(document.path_text, ?))"
_NEWEST = """
SELECT * FROM (
    SELECT passage.id, passage.document_id, 0, min(passage.ordinal), document.mtime_ns AS at, document.path AS path
    FROM document JOIN passage ON passage.document_id = document.id
    WHERE document.id NOT IN (SELECT document_id FROM entry) {}
    GROUP BY document.id ORDER BY at DESC, path LIMIT ?
) UNION ALL SELECT * FROM (
    SELECT passage.id, passage.document_id, entry.number, min(passage.ordinal),
        min(ifnull(entry.own_date * 1e9, document.mtime_ns), document.mtime_ns) AS at, document.path AS path
    FROM (SELECT DISTINCT document_id AS id FROM entry) AS holder
    CROSS JOIN document ON document.id = holder.id
    CROSS JOIN passage ON passage.document_id = document.id
    CROSS JOIN entry ON entry.document_id = document.id AND entry.number = passage.page
    WHERE 1 {}
    GROUP BY entry.document_id, entry.number ORDER BY at DESC, path, entry.number LIMIT ?
) ORDER BY at DESC, path LIMIT ?"""
