"""Looks for everything that can be wrong inside a library, and says what of it `repair` can mend."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

import apsw
import numpy as np

from engine.errors import CarrelError, LibraryError
from engine.records import Check
from engine.store import fulltext, late_vectors, models, passage_counts, pending_vectors, stored_values, vector_tables
from engine.store.connection import READER_CACHE_KIB, prepare
from engine.store.faults import translated
from engine.store.transactions import path_of

UNIT_TOLERANCE = 1e-5  # float32 rounding stays eighty times below it: 1.2e-7 at most in 88,622 vectors of MiniLM
BEGIN_ANEW = "Put a backup back with `carrel restore FILE`, or index anew with `carrel restore --rebuild`."

NOT_TILING = """
SELECT DISTINCT document_id FROM (
    SELECT document_id, ordinal, start, "end", lag("end", 1, 0) OVER each AS due, row_number() OVER each - 1 AS place
    FROM passage WINDOW each AS (PARTITION BY document_id ORDER BY ordinal)
) WHERE ordinal <> place OR start <> due OR "end" < start
UNION SELECT id FROM document WHERE failure IS NULL AND id NOT IN (SELECT document_id FROM passage)"""
ORPHAN_PASSAGES = "SELECT id FROM passage WHERE document_id NOT IN (SELECT id FROM document)"
ORPHAN_DOCUMENTS = "SELECT id FROM document WHERE folder_id NOT IN (SELECT id FROM folder)"
ORPHAN_COUNTS = "SELECT folder_id FROM left_out WHERE folder_id NOT IN (SELECT id FROM folder)"
ORPHAN_FIGURES = "SELECT model_id FROM calibration WHERE model_id NOT IN (SELECT id FROM model)"
ORPHAN_TEXTS = "SELECT hash FROM embedding_queue WHERE hash NOT IN (SELECT hash FROM passage)"
ORPHAN_TABLES = r"""SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%USING vec0%'
AND name LIKE 'vector\_%' ESCAPE '\' AND substr(name, 8) NOT IN (SELECT id FROM model)"""
USED_FREE_SLOTS = "SELECT id FROM free_slot WHERE id IN (SELECT id FROM passage)"

Found: TypeAlias = tuple[int, str]  # how many faults, and what they are
Find: TypeAlias = Callable[[apsw.Connection], Found]


def checks(conn: apsw.Connection) -> list[Check]:
    """Run all checks and return one result each, sound or not.

    On a read-only connection they run on a temporary copy, because FTS5 counts its own check as a write. Raises
    LibraryBusy where a writer is in the way.
    """
    file = _check(conn, "file", "SQLite finds every page in order", False, _file)
    try:
        with _writable(conn) as copy:
            return [file, *(_check(copy, name, sound, True, find) for name, sound, find in _within(copy))]
    except (apsw.CorruptError, apsw.NotADBError) as error:
        return [file if not file.ok else _damaged("file", error)]
    except apsw.FullError as error:
        return [
            file,
            Check("words", False, 1, f"There is no room for the copy that is checked: {error}.", False, _ROOM),
        ]


def _within(conn: apsw.Connection) -> list[tuple[str, str, Find]]:
    """Return the checks of what stands on the pages: name, what is said where all is sound, how faults are found."""
    return [
        ("words", "the word index agrees with the passages", _words),
        ("word counts", "the word index has a row for every passage", _word_counts),
        ("orphan documents", "every document belongs to a folder", _counting(ORPHAN_DOCUMENTS, "documents")),
        ("orphan passages", "every passage belongs to a document", _counting(ORPHAN_PASSAGES, "passages")),
        ("orphan rows", "every other row has its owner", _orphan_rows),
        ("passage order", "passages follow each other without gaps", _counting(NOT_TILING, "documents")),
        ("vectors", _vectors_told(conn), _missing_vectors),
        ("stray vectors", "every vector has a passage", _stray_vectors),
        ("vector values", "every vector has length one", _vector_values),
        ("vector size", "vectors have the size that their model gives", _vector_sizes),
        ("late vectors", "what late interaction keeps can be read", _late_vectors),
    ]


_ROOM = "Free some space where temporary files lie, and check again."


def stray_vectors(model_id: int) -> str:
    """Return the SELECT for rows of a model's table that belong to no passage and are not parked."""
    return f"""SELECT rowid FROM {vector_tables.table(model_id)}_rowids
    WHERE rowid NOT IN (SELECT id FROM passage UNION ALL SELECT id FROM free_slot)"""


def unusable_vectors(conn: apsw.Connection, model_id: int) -> list[int]:
    """Return the passages whose vector is not finite or not of length one."""
    found: list[int] = []
    if unreadable_vectors(conn, model_id):
        return found  # told apart: such a table is made anew
    for ids, block in vector_tables.read_blocks(conn, model_id):
        lengths = np.sqrt(np.einsum("ij,ij->i", block, block, dtype=np.float64))
        found.extend(ids[~(np.abs(lengths - 1) <= UNIT_TOLERANCE)].tolist())
    return found


def unreadable_vectors(conn: apsw.Connection, model_id: int) -> list[int]:
    """Return the passages with a row in a model's table, but no place in its blocks; all where none can be read."""
    try:
        read = [ids for ids, _ in vector_tables.read_blocks(conn, model_id)]
    except (apsw.SQLError, ValueError, TypeError, LibraryError):
        read = []
    placed = np.concatenate(read) if read else np.empty(0, dtype=np.int64)
    missing: list[int] = np.setdiff1d(vector_tables.live_ids(conn, model_id), placed).tolist()
    return missing


def without_vectors(conn: apsw.Connection) -> list[int]:
    """Return the passages of words that lack a vector of the active model: all of them where there is no model."""
    model = models.active(conn)
    if model is None:
        return [row[0] for row in conn.execute(f"SELECT id FROM passage WHERE {passage_counts.WORDS}")]
    return vector_tables.without_vectors(conn, model.id)


def due_dimension(conn: apsw.Connection, model: models.StoredModel) -> tuple[int | None, int | None]:
    """Return the components that a model's vectors should have, and those that its table has; None where unknown."""
    try:
        found = vector_tables.dimension(conn, model.id)
    except CarrelError:
        found = None
    due = (stored_values.json_object(model.manifest) or {}).get("dimension")
    return (due if isinstance(due, int) and due > 0 else found), found


def _check(conn: apsw.Connection, name: str, sound: str, repairable: bool, find: Find) -> Check:
    try:
        count, detail = find(conn)
    except (apsw.CorruptError, apsw.NotADBError) as error:
        return _damaged(name, error)
    except (ValueError, TypeError, CarrelError) as error:  # values that a sound library cannot hold
        return Check(name, False, 1, f"It could not be checked: {error}", False, BEGIN_ANEW)
    except (apsw.SQLError, apsw.ReadOnlyError) as error:  # a table is gone; the file's head forbids to write
        return _damaged(name, error)
    except apsw.Error as error:
        with translated(path_of(conn)):
            raise error
    if not count:
        return Check(name, True, 0, sound, repairable)
    return Check(name, False, count, detail, repairable, "" if repairable else BEGIN_ANEW)


def _damaged(name: str, error: apsw.Error) -> Check:
    return Check(name, False, 1, f"The file is damaged: {error}.", False, BEGIN_ANEW)


def _counting(select: str, what: str) -> Find:
    def find(conn: apsw.Connection) -> Found:
        count = int(conn.execute(f"SELECT count(*) FROM ({select})").get)
        return count, f"{count} {what} are wrong"

    return find


def _orphan_rows(conn: apsw.Connection) -> Found:
    owned = (ORPHAN_COUNTS, ORPHAN_FIGURES, ORPHAN_TABLES)
    selects = (*owned, ORPHAN_TEXTS) if passage_counts.others_wait(conn) else owned
    count = sum(int(conn.execute(f"SELECT count(*) FROM ({select})").get) for select in selects)
    return count, f"{count} rows or tables belong to a folder, a model or a passage that is gone"


def _file(conn: apsw.Connection) -> Found:
    lines = [str(row[0]) for row in conn.execute("PRAGMA integrity_check")]
    wrong = [line for line in lines if line != "ok" and "passage_fts" not in line]  # words have a check of their own
    return len(wrong), "; ".join(wrong[:3])


def words_disagree(conn: apsw.Connection) -> str:
    """Return what FTS5 says where the word index and the passages do not agree; nothing where they do."""
    try:
        conn.execute("INSERT INTO passage_fts(passage_fts, rank) VALUES('integrity-check', 1)")
    except apsw.CorruptError as error:
        return str(error)
    return ""


def _words(conn: apsw.Connection) -> Found:
    said = words_disagree(conn)
    return int(bool(said)), f"the word index does not agree with the passages ({said})"


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
        prepare(copy, READER_CACHE_KIB)
        yield copy
    finally:
        copy.close()


def _word_counts(conn: apsw.Connection) -> Found:
    rows, passages = fulltext.statistics(conn).rows, int(conn.execute("SELECT count(*) FROM passage").get)
    return abs(rows - passages), f"the word index has {rows} rows for {passages} passages"


def _missing_vectors(conn: apsw.Connection) -> Found:
    model = models.active(conn)
    if model is not None and due_dimension(conn, model)[1] is None:
        return 0, ""  # that there is no table is found by its size
    missing = len(without_vectors(conn))
    unreadable = sum(len(unreadable_vectors(conn, each.id)) for each in _with_tables(conn))
    return missing + unreadable, f"{missing} passages have no vector, {unreadable} one that cannot be read"


def _vectors_told(conn: apsw.Connection) -> str:
    """Return what is said where no vector is missing; some may still be on their way."""
    coming = pending_vectors.count(conn)
    if not coming:
        return "every passage has a vector"
    return f"every passage has a vector or waits for one ({coming:,} {'wait' if coming > 1 else 'waits'})"


def _stray_vectors(conn: apsw.Connection) -> Found:
    stray = sum(len(conn.execute(stray_vectors(model.id)).fetchall()) for model in _with_tables(conn))
    used = len(conn.execute(USED_FREE_SLOTS).fetchall())
    return stray + used, f"{stray} vectors have no passage, {used} passages are marked as gone"


def _vector_values(conn: apsw.Connection) -> Found:
    count = sum(len(unusable_vectors(conn, model.id)) for model in _with_tables(conn))
    return count, f"{count} vectors are not finite or not of length one"


def _vector_sizes(conn: apsw.Connection) -> Found:
    wrong = []
    for model in models.every(conn):
        due, found = due_dimension(conn, model)
        if found is None:
            wrong.append(f"{model.name} has no table of vectors")
        elif due != found:
            wrong.append(f"{model.name} gives {due} components, the library holds {found}")
    return len(wrong), "; ".join(wrong)


def _late_vectors(conn: apsw.Connection) -> Found:
    late, strays = late_vectors.stored(conn), len(late_vectors.strays(conn))
    damaged = len(late_vectors.damaged(conn, late)) if late is not None else 0
    return damaged + strays, f"{damaged} passages have token vectors that cannot be read, {strays} tables no model"


def _with_tables(conn: apsw.Connection) -> list[models.StoredModel]:
    return [model for model in models.every(conn) if due_dimension(conn, model)[1] is not None]
