"""Looks for everything that can be wrong inside a library; what it finds, `repair` mends where `repairable` says so."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import apsw
import numpy as np

from engine.errors import CarrelError
from engine.records import Check
from engine.store import fulltext, models, vectors
from engine.store.connection import path_of, snapshot
from engine.store.faults import translated

UNIT_TOLERANCE = 1e-3  # float32 rounding stays a thousand times below it

NOT_TILING = """
SELECT DISTINCT document_id FROM (
    SELECT document_id, ordinal, start, "end", lag("end", 1, 0) OVER each AS due, row_number() OVER each - 1 AS place
    FROM passage WINDOW each AS (PARTITION BY document_id ORDER BY ordinal)
) WHERE ordinal <> place OR start <> due OR "end" < start"""
ORPHAN_PASSAGES = "SELECT id FROM passage WHERE document_id NOT IN (SELECT id FROM document)"
ORPHAN_DOCUMENTS = "SELECT id FROM document WHERE folder_id NOT IN (SELECT id FROM folder)"
USED_FREE_SLOTS = "SELECT id FROM free_slot WHERE id IN (SELECT id FROM passage)"


def stray_vectors(model_id: int) -> str:
    """Return the SELECT for rows of a model's table that belong to no passage and are not parked."""
    return f"""SELECT rowid FROM {vectors.table(model_id)}_rowids
    WHERE rowid NOT IN (SELECT id FROM passage UNION ALL SELECT id FROM free_slot)"""


def unusable_vectors(conn: apsw.Connection, model_id: int) -> list[int]:
    """Return the passages whose vector is not finite or not of length one."""
    found: list[int] = []
    for ids, block in vectors.read_blocks(conn, model_id):
        lengths = np.sqrt(np.einsum("ij,ij->i", block, block, dtype=np.float64))
        found.extend(ids[~(np.abs(lengths - 1) <= UNIT_TOLERANCE)].tolist())
    return found


def checks(conn: apsw.Connection) -> list[Check]:
    """Run all checks and return one result each, sound or not.

    Takes about a second at 50,000 passages. On a read-only connection the word index is checked in a temporary copy,
    because FTS5 counts its own check as a write. Raises LibraryBusy where a writer is in the way.
    """
    names: list[tuple[str, str, bool, Callable[[apsw.Connection], tuple[int, str]]]] = [
        ("file", "SQLite finds every page in order", False, _file),
        ("words", "the word index agrees with the passages", True, _words),
        ("word counts", "the word index has a row for every passage", True, _word_counts),
        ("orphan documents", "every document belongs to a folder", True, _counting(ORPHAN_DOCUMENTS, "documents")),
        ("orphan passages", "every passage belongs to a document", True, _counting(ORPHAN_PASSAGES, "passages")),
        ("passage order", "passages follow each other without gaps", True, _counting(NOT_TILING, "documents")),
        ("vectors", "every passage has a vector", True, _missing_vectors),
        ("stray vectors", "every vector has a passage", True, _stray_vectors),
        ("vector values", "every vector has length one", True, _vector_values),
        ("vector size", "vectors have the size that their model gives", False, _vector_sizes),
    ]
    return [_check(conn, *each) for each in names]


def _check(
    conn: apsw.Connection,
    name: str,
    sound: str,
    repairable: bool,
    find: Callable[[apsw.Connection], tuple[int, str]],
) -> Check:
    try:
        count, detail = find(conn)
    except (apsw.CorruptError, apsw.NotADBError) as error:
        return Check(name, False, 1, f"The file is damaged: {error}.", False)
    except apsw.Error as error:
        with translated(path_of(conn)):
            raise error
    return Check(name, count == 0, count, detail if count else sound, repairable)


def _counting(select: str, what: str) -> Callable[[apsw.Connection], tuple[int, str]]:
    def find(conn: apsw.Connection) -> tuple[int, str]:
        count = int(conn.execute(f"SELECT count(*) FROM ({select})").get)
        return count, f"{count} {what} are wrong"

    return find


def _file(conn: apsw.Connection) -> tuple[int, str]:
    lines = [str(row[0]) for row in conn.execute("PRAGMA integrity_check")]
    wrong = [line for line in lines if line != "ok" and "passage_fts" not in line]  # words have a check of their own
    return len(wrong), "; ".join(wrong[:3])


def _words(conn: apsw.Connection) -> tuple[int, str]:
    with _writable(conn) as copy:
        try:
            copy.execute("INSERT INTO passage_fts(passage_fts, rank) VALUES('integrity-check', 1)")
        except apsw.CorruptError as error:
            return 1, f"the word index does not agree with the passages ({error})"
    return 0, ""


@contextmanager
def _writable(conn: apsw.Connection) -> Iterator[apsw.Connection]:
    """Give the connection itself, or where it cannot write a temporary copy of the library that vanishes."""
    if not conn.readonly("main"):
        yield conn
        return
    copy = apsw.Connection("")  # an empty name: SQLite keeps it in memory, and in an unnamed file when it grows
    try:
        with copy.backup("main", conn, "main") as backup:
            backup.step()
        yield copy
    finally:
        copy.close()


def _word_counts(conn: apsw.Connection) -> tuple[int, str]:
    with snapshot(conn):
        rows, passages = fulltext.statistics(conn).rows, int(conn.execute("SELECT count(*) FROM passage").get)
    return abs(rows - passages), f"the word index has {rows} rows for {passages} passages"


def _missing_vectors(conn: apsw.Connection) -> tuple[int, str]:
    model = models.active(conn)
    count = len(vectors.without_vectors(conn, model.id)) if model else 0
    return count, f"{count} passages have no vector"


def _stray_vectors(conn: apsw.Connection) -> tuple[int, str]:
    stray = sum(len(conn.execute(stray_vectors(model.id)).fetchall()) for model in models.every(conn))
    used = len(conn.execute(USED_FREE_SLOTS).fetchall())
    return stray + used, f"{stray} vectors have no passage, {used} passages are marked as gone"


def _vector_values(conn: apsw.Connection) -> tuple[int, str]:
    count = sum(len(unusable_vectors(conn, model.id)) for model in models.every(conn))
    return count, f"{count} vectors are not finite or not of length one"


def _vector_sizes(conn: apsw.Connection) -> tuple[int, str]:
    wrong = []
    for model in models.every(conn):
        try:
            found = vectors.dimension(conn, model.id)
        except CarrelError:
            wrong.append(f"{model.name} has no vectors")
            continue
        due = json.loads(model.manifest or "{}").get("dimension", found)
        if due != found:
            wrong.append(f"{model.name} gives {due} components, the library holds {found}")
    return len(wrong), "; ".join(wrong)
