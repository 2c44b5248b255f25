"""A person's own marks in a team's library: the same rules as in the single file; nobody else sees the table of them.

The policy of the table leaves everybody the rows that are theirs, so no statement here names a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from engine.records import Mark
from engine.store.judgements import OPENED, UNIT_TOLERANCE, is_mark
from engine.store.text_sketch import sketch_of
from engine.team import shared_judgements
from engine.team.document_rows import held

if TYPE_CHECKING:
    import numpy as np
    import psycopg
    from numpy.typing import NDArray

_PUT = f"""INSERT INTO mark(query, passage_hash, path, grade, at, sketch)
VALUES(%s, %s, %s, %s, coalesce(nullif(%s, 0), extract(epoch FROM clock_timestamp())), %s)
ON CONFLICT(person, md5(query), passage_hash) DO UPDATE SET path = excluded.path, grade = excluded.grade,
    at = CASE excluded.grade WHEN {OPENED} THEN mark.at ELSE excluded.at END,
    sketch = CASE excluded.sketch WHEN '' THEN mark.sketch ELSE excluded.sketch END
WHERE excluded.grade <> {OPENED} OR mark.grade = {OPENED}"""
_CHANGED = (
    "INSERT INTO mark_state(version) VALUES(1) ON CONFLICT(person) DO UPDATE SET version = mark_state.version + 1"
)


def put(conn: psycopg.Connection, marks: Sequence[Mark]) -> None:
    """Write marks; inside a transaction. Each brings a sketch of its passage, made here where it has none."""
    bare = [each.passage_hash for each in marks if not each.sketch]
    texts: dict[bytes, str] = dict(
        conn.execute("SELECT DISTINCT ON (hash) hash, text FROM passage WHERE hash = ANY(%s)", (bare,))
    )
    for each in marks:
        sketch = each.sketch or (sketch_of(texts[each.passage_hash]) if each.passage_hash in texts else b"")
        conn.execute(_PUT, (held(each.query), each.passage_hash, each.path, each.grade, each.at, sketch))
    if judged := sorted({each.query for each in marks if each.grade != OPENED}):
        shared_judgements.follow(conn, judged)
    conn.execute(_CHANGED)


def remove(conn: psycopg.Connection, query: str, passage_hash: bytes) -> bool:
    """Take a mark back; False where there was none; inside a transaction."""
    gone = conn.execute("DELETE FROM mark WHERE query = %s AND passage_hash = %s", (held(query), passage_hash)).rowcount
    shared_judgements.forget(conn, query)
    _settle(conn)
    return gone > 0


def empty(conn: psycopg.Connection, query: str | None) -> int:
    """Forget the marks of one query, or all; return how many there were; inside a transaction."""
    if query is None:
        gone = conn.execute("DELETE FROM mark").rowcount
    else:
        gone = conn.execute("DELETE FROM mark WHERE query = %s", (held(query),)).rowcount
    shared_judgements.forget(conn, query)
    _settle(conn)
    return gone


def follow(conn: psycopg.Connection, moved: Mapping[bytes, bytes]) -> None:
    """Give marks their documents' new paths, by the old ones; inside a transaction."""
    conn.execute(
        """UPDATE mark SET path = w.new FROM unnest(%s::bytea[], %s::bytea[]) AS w(old, new) WHERE mark.path = w.old""",
        ([*moved], [*moved.values()]),
    )
    conn.execute(_CHANGED)


def _settle(conn: psycopg.Connection) -> None:
    """Forget the vectors of queries that nobody judged any more, and tell that something has changed."""
    conn.execute("DELETE FROM query_vector WHERE query NOT IN (SELECT query FROM mark)")
    conn.execute(_CHANGED)


def keep_vectors(conn: psycopg.Connection, model_id: int, vectors: Mapping[str, NDArray[np.float32]]) -> None:
    """Keep the unit vectors that a model gave to queries; inside a transaction."""
    for query, vector in vectors.items():
        conn.execute(
            """INSERT INTO query_vector(model_id, query, vector) VALUES(%s, %s, %s)
            ON CONFLICT(person, model_id, md5(query)) DO UPDATE SET vector = excluded.vector""",
            (model_id, held(query), vector.astype("<f4").tobytes()),
        )


def marks_of(rows: Iterable[tuple[Any, ...]]) -> tuple[Mark, ...]:
    """Return the marks of rows (query, hash, path, grade, at, sketch), those that can be read."""
    return tuple(
        Mark(query, digest, path, grade, at, sketch)
        for query, digest, path, grade, at, sketch in rows
        if is_mark(path, grade, at)
    )


def vectors_of(rows: Iterable[tuple[str, bytes]]) -> dict[str, NDArray[np.float32]]:
    """Return kept vectors by query; what is no unit vector is left out."""
    import numpy as np

    found = ((query, np.frombuffer(kept, "<f4")) for query, kept in rows if len(kept) % 4 == 0)
    return {query: each for query, each in found if abs(float(np.linalg.norm(each)) - 1) <= UNIT_TOLERANCE}
