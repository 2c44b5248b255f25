"""Guards against a library file that others made or changed: whose schema it has, and that each statement ends."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

import apsw

from engine.errors import LibraryDamaged
from engine.store.migrations import MIGRATIONS, newest_version, version
from engine.store.word_tokenizer import register

REMEDY = "Put a backup back with `carrel restore FILE`, or index anew with `carrel restore --rebuild`."
LEAST_SECONDS = 60.0  # in which all checks of a small file end
BYTES_A_SECOND = 2**20  # a fiftieth of what the checks of a sound library read on a slow disk
_STEPS = 100_000  # of SQLite's machine between two looks at the clock: about 5 ms

# What sqlite-vec 0.1 makes for `vector_tables.create`; `%s` is the name of a model's table.
_OF_VECTORS = {
    "": "CREATE VIRTUAL TABLE %s USING vec0(embedding float[#])",
    "_info": 'CREATE TABLE "%s_info" (key text primary key, value any)',
    "_chunks": (
        'CREATE TABLE "%s_chunks"(chunk_id INTEGER PRIMARY KEY AUTOINCREMENT,size INTEGER NOT NULL,'
        "validity BLOB NOT NULL,rowids BLOB NOT NULL)"
    ),
    "_rowids": (
        'CREATE TABLE "%s_rowids"(rowid INTEGER PRIMARY KEY AUTOINCREMENT,id,chunk_id INTEGER,chunk_offset INTEGER)'
    ),
    "_vector_chunks00": 'CREATE TABLE "%s_vector_chunks00"(rowid PRIMARY KEY,vectors BLOB NOT NULL)',
}
_VECTORS = re.compile(r"(vector_[0-9]{1,18})(|_info|_chunks|_rowids|_vector_chunks00)")
_SIZE = re.compile(r"float\[[0-9]{1,5}\](?: distance_metric=cosine)?")
# What `late_vectors.create` makes, where a library has or had a late model.
LATE_MODEL = (
    "CREATE TABLE late_model(id INTEGER PRIMARY KEY, name TEXT NOT NULL, fingerprint TEXT NOT NULL, "
    "dimension INTEGER NOT NULL, factor INTEGER NOT NULL, method TEXT NOT NULL, state TEXT NOT NULL)"
)
LATE_VECTORS = (
    "CREATE TABLE %s(passage_id INTEGER PRIMARY KEY, hash BLOB NOT NULL, scale REAL NOT NULL, mean BLOB NOT NULL, "
    "codes BLOB NOT NULL)"
)
_LATE = re.compile(r"late_[0-9]{1,18}")
_AUTOMATIC = re.compile(r"sqlite_autoindex_(.+)_[0-9]+")  # what SQLite makes for UNIQUE and PRIMARY KEY
_STATISTICS = {
    "sqlite_stat1": "CREATE TABLE sqlite_stat1(tbl,idx,stat)",
    "sqlite_stat4": "CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)",
}


class SchemaObject(NamedTuple):
    """A table, index, view or trigger, as SQLite lists it."""

    type: str
    name: str
    table: str
    sql: str | None


def harden(conn: apsw.Connection) -> None:
    """Let nothing in the file's schema call what could do harm, nor any statement write behind SQLite's back."""
    conn.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
    conn.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)


def refuse_foreign(conn: apsw.Connection, path: Path) -> None:
    """Raise LibraryDamaged where the file holds a table, index, view or trigger that no Carrel makes."""
    found = foreign(conn)
    if found:
        first = found[0]
        raise LibraryDamaged(
            f"The file {path} is no library as Carrel makes it.",
            cause=f"The {first.type} “{first.name[:80]}” in it is not Carrel's.",
            fix=REMEDY,
        )


def foreign(conn: apsw.Connection) -> list[SchemaObject]:
    """Return what the schema holds beside, or in place of, what this version of it has; 40 µs for 27 objects."""
    number = _known(conn)
    return [each for each in _objects(conn) if not _is_own(each, number)]


def missing(conn: apsw.Connection) -> list[str]:
    """Return the names of what this version of the schema has and the file has not."""
    return sorted(_expected(_known(conn)).keys() - {each.name for each in _objects(conn)})


@contextmanager
def ending(conn: apsw.Connection, path: Path) -> Iterator[None]:
    """Break off what a file makes endless: raises LibraryDamaged where the block takes far longer than its size says.

    A sound library is read in a fraction of that time.
    """
    until = time.monotonic() + LEAST_SECONDS + path.stat().st_size / BYTES_A_SECOND
    conn.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
    try:
        yield
    except apsw.InterruptError as error:
        raise LibraryDamaged(
            f"The file {path} could not be read to its end.", cause="It takes endless work.", fix=REMEDY
        ) from error
    finally:
        conn.set_progress_handler(None)


def _known(conn: apsw.Connection) -> int:
    """Return the version of the schema, the newest where the file names none that there is."""
    number = version(conn)
    return number if 0 < number <= newest_version() else newest_version()


def _objects(conn: apsw.Connection) -> list[SchemaObject]:
    """Return all that the schema lists; text that is no UTF-8 comes with U+FFFD in it."""
    rows = conn.execute(
        "SELECT CAST(type AS BLOB), CAST(name AS BLOB), CAST(tbl_name AS BLOB), CAST(sql AS BLOB) FROM sqlite_master"
    )
    return [
        SchemaObject(_text(kind), _text(name), _text(of), _text(sql) if sql else None) for kind, name, of, sql in rows
    ]


def _text(value: apsw.SQLiteValue) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


@cache
def _expected(number: int) -> dict[str, SchemaObject]:
    """Return what a new library of a version holds, by name; made once, in memory, in 1.3 ms."""
    conn = apsw.Connection(":memory:")
    try:
        register(conn)
        for step in MIGRATIONS[:number]:
            step(conn)
        return {each.name: each for each in _objects(conn)}
    finally:
        conn.close()


def _is_own(found: SchemaObject, number: int) -> bool:
    if found == _expected(number).get(found.name) or found.sql == _STATISTICS.get(found.name, ""):
        return True
    if found.sql is None:
        automatic = _AUTOMATIC.fullmatch(found.name)
        return found.type == "index" and automatic is not None and automatic[1] == found.table
    return _is_of_vectors(found) or _is_of_late_interaction(found)


def _is_of_late_interaction(found: SchemaObject) -> bool:
    if found.type != "table" or found.table != found.name:
        return False
    return found.sql == (LATE_VECTORS % found.name if _LATE.fullmatch(found.name) else LATE_MODEL)


def _is_of_vectors(found: SchemaObject) -> bool:
    name = _VECTORS.fullmatch(found.name)
    if name is None or found.type != "table" or found.table != found.name:
        return False
    return _SIZE.sub("float[#]", found.sql or "", count=1) == _OF_VECTORS[name[2]] % name[1]
