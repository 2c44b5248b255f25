"""What a person thinks of results: marked right or wrong for a query, or opened from its list.

A judgement hangs on the query's text, the hash of the passage, and the path of its file, so that it survives indexing
anew. Each write is one small transaction that any process may make. `stamp` tells readers that something has changed.
The vectors of the judged queries are kept with the model that made them, so that a search need not encode them again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import apsw

from engine.records import Grade, Mark
from engine.store import stored_values
from engine.store.text_sketch import sketch_of
from engine.store.transactions import transaction
from engine.store.write_ahead_log import fold_in

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RIGHT: Grade = 2
WRONG: Grade = -2
OPENED: Grade = 1
STRENGTH: Mapping[int, float] = {RIGHT: 1.0, WRONG: -1.0, OPENED: 0.25}
"""What a grade counts. People open rows in order to see whether they are right, and the first rows most, so opening is
weak proof: .25 lifts by .05 at most, past near neighbours (on NFCorpus's development queries half of them lie within
.007 of each other), but not from the end of the first ten to their head (.14 apart). Nor does it steer the feedback.
"""

STAMP = "judgements"  # the name in `meta` of a number that grows with every change
ASKED = "asked:"  # before a query's text, in the names of a model's calibration
SKETCH = "sketch:"  # before a passage's hash, in the names in `meta` of what its text is known again by
_COLUMNS = "query, passage_hash, path, grade, at"
UNIT_TOLERANCE = 1e-3  # of the length of a kept vector: far above rounding, far below what damage does
_MARKS = f"""SELECT CAST(query AS BLOB), passage_hash, path, grade, at,
    coalesce((SELECT value FROM meta WHERE key = '{SKETCH}' || hex(passage_hash)), x'')
FROM judgement"""


def stamp(conn: apsw.Connection) -> tuple[int, int]:
    """Return a pair of numbers that differs after every change of the judgements; two look-ups by key."""
    counted = conn.execute("SELECT value FROM meta WHERE key = ?", (STAMP,)).get
    newest = conn.execute("SELECT max(id) FROM judgement").get
    return stored_values.count(counted) or 0, int(newest or 0)


def put(conn: apsw.Connection, marks: Iterable[Mark]) -> None:
    """Write judgements. A new mark takes the place of an older one; opening never takes the place of a mark.

    What is opened again keeps the moment of the first time, so that what it counted already it counts on.
    """
    with transaction(conn):
        conn.executemany(
            f"""INSERT INTO judgement({_COLUMNS}) VALUES(?, ?, ?, ?, ?) ON CONFLICT(query, passage_hash)
            DO UPDATE SET path = excluded.path, grade = excluded.grade,
                at = iif(excluded.grade = {OPENED}, judgement.at, excluded.at)
            WHERE excluded.grade <> {OPENED} OR judgement.grade = {OPENED}""",
            [(mark.query, mark.passage_hash, mark.path, mark.grade, mark.at or time.time()) for mark in marks],
        )
        sketch_missing(conn)
        _changed(conn)


def sketch_missing(conn: apsw.Connection) -> None:
    """Sketch the texts of judged passages that have no sketch yet; call it inside a transaction."""
    rows = conn.execute(
        f"""SELECT DISTINCT '{SKETCH}' || hex(passage_hash) AS name,
            (SELECT CAST(text AS BLOB) FROM passage WHERE hash = passage_hash LIMIT 1) AS marked
        FROM judgement WHERE name NOT IN (SELECT key FROM meta) AND marked IS NOT NULL"""
    ).fetchall()
    conn.executemany(
        "INSERT INTO meta(key, value) VALUES(?, ?)",
        [(name, sketch_of(stored_values.text(text))) for name, text in rows],
    )


def keep_sketches(conn: apsw.Connection, sketches: Mapping[bytes, bytes | None]) -> None:
    """Keep sketches of judged passages that have none, by hash; call it inside a transaction."""
    conn.executemany(
        "INSERT OR IGNORE INTO meta(key, value) VALUES(?, ?)",
        [(SKETCH + digest.hex().upper(), sketch) for digest, sketch in sketches.items() if sketch],
    )


def follow(conn: apsw.Connection, moved: Mapping[bytes, bytes]) -> None:
    """Give the judgements of documents their new paths, by the old ones; one may go to where another leaves."""
    if moved:
        with transaction(conn):
            leaving = [
                (new, number)
                for old, new in moved.items()
                for (number,) in conn.execute("SELECT id FROM judgement WHERE path = ?", (old,)).fetchall()
            ]
            conn.executemany("UPDATE judgement SET path = ? WHERE id = ?", leaving)
            _changed(conn)


def remove(conn: apsw.Connection, query: str, passage_hash: bytes) -> bool:
    """Take a judgement back; False where there was none."""
    with transaction(conn):
        conn.execute("DELETE FROM judgement WHERE query = ? AND passage_hash = ?", (query, passage_hash))
        gone = conn.changes() > 0
        _changed(conn)
        _forget_vectors(conn)
    return gone


def empty(conn: apsw.Connection, query: str | None = None) -> int:
    """Forget the judgements of one query, or all, overwriting them in the file; return how many there were."""
    conn.pragma("secure_delete", True)  # whatever the setting is: it was asked for
    with transaction(conn):
        conn.execute("DELETE FROM judgement WHERE ?1 IS NULL OR query = ?1", (query,))
        gone = conn.changes()
        _changed(conn)
        _forget_vectors(conn)
    fold_in(conn)
    return gone


def every(conn: apsw.Connection) -> tuple[Mark, ...]:
    """Return all judgements, newest first."""
    rows = conn.execute(f"{_MARKS} ORDER BY at DESC, id DESC")
    return tuple(_marks(rows))


def of_query(conn: apsw.Connection, query: str) -> tuple[Mark, ...]:
    """Return the judgements of one query."""
    return tuple(_marks(conn.execute(f"{_MARKS} WHERE query = ?", (query,))))


def is_mark(path: object, grade: object, at: object) -> bool:
    """Whether these values of a judgement can be read."""
    at_a_path = isinstance(path, bytes) and b"\0" not in path
    return at_a_path and grade in stored_values.GRADES and stored_values.moment(at) is not None


def _marks(rows: Iterable[tuple[Any, ...]]) -> Iterator[Mark]:
    """Yield the judgements that can be read; `carrel doctor` counts the others, and mends them."""
    for written, passage_hash, path, grade, at, sketch in rows:
        query = stored_values.sound_text(written)
        if query is not None and is_mark(path, grade, at):
            yield Mark(query, passage_hash, path, grade, at, stored_values.sketch(sketch) or b"")


def _changed(conn: apsw.Connection) -> None:
    conn.execute(
        "INSERT INTO meta(key, value) VALUES(?, 1) ON CONFLICT(key)"
        " DO UPDATE SET value = CASE typeof(value) WHEN 'integer' THEN value + 1 ELSE 1 END",
        (STAMP,),
    )


def _forget_vectors(conn: apsw.Connection) -> None:
    """Forget the vectors of queries and the sketches of passages that nobody judged any more."""
    conn.execute(
        "DELETE FROM calibration WHERE name >= ?1 AND name < ?2"
        " AND substr(name, length(?1) + 1) NOT IN (SELECT query FROM judgement)",
        (ASKED, ASKED[:-1] + ";"),
    )
    conn.execute(
        "DELETE FROM meta WHERE key >= ?1 AND key < ?2"
        " AND substr(key, length(?1) + 1) NOT IN (SELECT hex(passage_hash) FROM judgement)",
        (SKETCH, SKETCH[:-1] + ";"),
    )


# --- the vectors of judged queries --------------------------------------------------------------------------------


def keep_vectors(conn: apsw.Connection, model_id: int, vectors: Mapping[str, NDArray[np.float32]]) -> None:
    """Keep the unit vectors that a model gave to queries."""
    with transaction(conn):
        conn.executemany(
            "INSERT OR REPLACE INTO calibration(model_id, name, value) VALUES(?, ?, ?)",
            [(model_id, ASKED + query, vector.astype("<f4").tobytes()) for query, vector in vectors.items()],
        )


def vectors(conn: apsw.Connection, model_id: int, queries: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    """Return the vectors that are kept of these queries, by their texts; what is no unit vector is left out."""
    import numpy as np

    from engine.store.vector_tables import dimension

    size = dimension(conn, model_id)

    def read(value: apsw.SQLiteValue) -> NDArray[np.float32] | None:
        if not isinstance(value, bytes) or len(value) != 4 * size:
            return None
        vector = np.frombuffer(value, "<f4")
        return vector if abs(float(np.linalg.norm(vector)) - 1) <= UNIT_TOLERANCE else None

    rows = conn.execute(
        "SELECT name, calibration.value FROM json_each(?) AS wanted"
        " JOIN calibration ON model_id = ? AND name = wanted.value",
        (json.dumps([ASKED + query for query in queries]), model_id),
    )
    found = ((str(name)[len(ASKED) :], read(value)) for name, value in rows)
    return {query: vector for query, vector in found if vector is not None}
