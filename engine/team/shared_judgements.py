"""What members let each other have: marks, of who shares theirs and to who shares theirs, and searches under a name.

A shared mark belongs to the folders in which its passage lies, so that only who sees the folder sees the mark and the
question. It brings the path of its document and the sketch of its text, by which it is found again when the passage was
edited. What was merely opened is never shared.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.records import Mark
from engine.records.team import SharedSearch
from engine.store import stored_values
from engine.store.judgements import OPENED, is_mark
from engine.team.document_rows import held
from engine.team.server_connection import one
from engine.team.team_filters import SHOWN

if TYPE_CHECKING:
    import psycopg

    from engine.team.snapshot import Snapshot

MOST_OF_OTHERS = 2_000  # the newest: as many as one search takes of near past queries
_SHARE = f"""INSERT INTO shared_mark(folder_id, query, passage_hash, grade, at, path, sketch)
SELECT DISTINCT ON (p.folder_id, m.query, m.passage_hash)
    p.folder_id, m.query, m.passage_hash, m.grade, m.at, d.path, m.sketch
FROM mark m
JOIN passage p ON p.folder_id = ANY(ARRAY(SELECT id FROM folder WHERE state = 'watching')) AND p.hash = m.passage_hash
JOIN document d ON d.folder_id = p.folder_id AND d.id = p.document_id
WHERE m.grade <> {OPENED} AND (%s::text[] IS NULL OR m.query = ANY(%s::text[]))
ORDER BY p.folder_id, m.query, m.passage_hash, length(d.path), d.path
ON CONFLICT(folder_id, person, md5(query), passage_hash) DO UPDATE
SET grade = excluded.grade, at = excluded.at, path = excluded.path, sketch = excluded.sketch"""
_SETTLE = f"""DELETE FROM shared_mark s WHERE person = current_user AND query = ANY(%s) AND NOT EXISTS (
    SELECT 1 FROM mark m WHERE m.query = s.query AND m.passage_hash = s.passage_hash AND m.grade <> {OPENED})"""
_OTHERS = f"""SELECT DISTINCT ON (s.at, s.person, s.query, s.passage_hash)
    s.query, s.passage_hash, {SHOWN}, s.path, s.grade, s.at, s.sketch, s.person
FROM shared_mark s JOIN folder f ON f.id = s.folder_id AND f.state = 'watching' WHERE s.person <> current_user
ORDER BY s.at DESC, s.person, s.query, s.passage_hash, s.folder_id LIMIT {MOST_OF_OTHERS}"""


def shares(conn: psycopg.Connection) -> bool:
    """Return whether the person shares their marks, and has those of others count."""
    return bool(one(conn, "SELECT shares FROM mark_state"))


def switch(conn: psycopg.Connection, on: bool) -> None:
    """Share all marks from now on, or none; inside a transaction."""
    conn.execute(
        """INSERT INTO mark_state(version, shares) VALUES(1, %s)
        ON CONFLICT(person) DO UPDATE SET version = mark_state.version + 1, shares = excluded.shares""",
        (on,),
    )
    conn.execute("DELETE FROM shared_mark WHERE person = current_user")
    if on:
        conn.execute(_SHARE, (None, None))


def follow(conn: psycopg.Connection, queries: Sequence[str]) -> None:
    """Bring what is shared of these queries up to date with the person's marks; inside a transaction."""
    asked = [held(each) for each in queries]
    conn.execute(_SETTLE, (asked,))  # what was edited since stands as it was shared
    if shares(conn):
        conn.execute(_SHARE, (asked, asked))


def forget(conn: psycopg.Connection, query: str | None) -> None:
    """Share no mark of a query any more, or none at all; inside a transaction."""
    if query is None:
        conn.execute("DELETE FROM shared_mark WHERE person = current_user")
    else:
        follow(conn, [query])


def of_others(snapshot: Snapshot) -> tuple[Mark, ...]:
    """Return the marks that others share, the newest first; asked for who shares theirs."""
    return tuple(
        Mark(query, digest, os.path.join(folder, path), grade, at, stored_values.sketch(sketch) or b"", by=person)
        for query, digest, folder, path, grade, at, sketch, person in snapshot.rows(_OTHERS, (snapshot.machine,))
        if is_mark(path, grade, at)
    )


# --- searches -----------------------------------------------------------------------------------------------------


def searches(conn: psycopg.Connection) -> tuple[SharedSearch, ...]:
    """Return the searches that members share, by person and name."""
    rows = conn.execute(
        "SELECT person, name, query, person = current_user FROM shared_search ORDER BY person, name LIMIT 1000"
    )
    return tuple(SharedSearch(*row) for row in rows)


def share_search(conn: psycopg.Connection, name: str, query: str) -> None:
    """Let all members have a search under a name of one's own; inside a transaction."""
    conn.execute(
        """INSERT INTO shared_search(name, query) VALUES(%s, %s)
        ON CONFLICT(person, name) DO UPDATE SET query = excluded.query, at = clock_timestamp()""",
        (held(name), held(query)),
    )


def take_back_search(conn: psycopg.Connection, name: str) -> bool:
    """Share a search no longer; False where it was not shared; inside a transaction."""
    gone = conn.execute("DELETE FROM shared_search WHERE person = current_user AND name = %s", (held(name),))
    return gone.rowcount > 0
