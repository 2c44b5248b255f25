"""Numbered steps from an empty file to the newest schema, each applied once and written down in `migration`.

`PRAGMA user_version` carries the number too: it stands in the file header, where a Carrel of any age can read it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import cast

import apsw

from engine.errors import LibraryBusy, LibraryDamaged, SchemaTooNew
from engine.store import fulltext, stored_values
from engine.store.lock import IndexerLock
from engine.store.own_words import own_date, own_words
from engine.store.schema import (
    APPLICATION_ID,
    VERSION_1,
    VERSION_3,
    VERSION_4,
    VERSION_5,
    VERSION_6,
    VERSION_7,
    VERSION_8,
)

Migration = Callable[[apsw.Connection], None]
Told = Callable[[int, int], None]


def first_schema(conn: apsw.Connection) -> None:
    """Version 1: all tables of the first release."""
    conn.execute(VERSION_1)
    conn.pragma("application_id", APPLICATION_ID)


def without_event_table(conn: apsw.Connection) -> None:
    """Version 2: the table `event` is gone, which no Carrel ever wrote to."""
    conn.execute("DROP TABLE IF EXISTS event")


def words_by_own_rules(conn: apsw.Connection) -> None:
    """Version 3: words are split and folded by `tokenizer`; the column of pairs is gone, which are words now.

    `passage.text` and the vectors stay as they are.
    """
    overwrites = fulltext.overwrites(conn)
    conn.execute(VERSION_3)
    fulltext.overwrite(conn, overwrites)


def other_names(conn: apsw.Connection) -> None:
    """Version 4: other names of a document are words of its title, and what it says of itself stands by its tags.

    When its bytes were last looked at is kept from now on.
    """
    conn.execute(VERSION_4)
    documents = conn.execute("SELECT id, title, CAST(metadata AS BLOB) FROM document WHERE metadata <> '{}'").fetchall()
    for document, title, written in cast("list[tuple[int, str, bytes]]", documents):
        metadata = stored_values.metadata(stored_values.sound_text(written)) or {}
        said, date = own_words(metadata, title), own_date(metadata)
        passages = [row[0] for row in conn.execute("SELECT id FROM passage WHERE document_id = ?", (document,))]
        fulltext.remove_rows(conn, passages if said else ())
        conn.execute("UPDATE document SET own_words = ?, own_date = ? WHERE id = ?", (said, date, document))
        fulltext.insert_rows(conn, passages if said else ())


def entries_of_files(conn: apsw.Connection) -> None:
    """Version 5: each message of a mailbox has a title and metadata of its own, once its file is read again."""
    conn.execute(VERSION_5)


def words_before_vectors(conn: apsw.Connection) -> None:
    """Version 6: a passage is found by its words before it has a vector; what is still to be embedded waits."""
    conn.execute(VERSION_6)


def searches_of_programs(conn: apsw.Connection) -> None:
    """Version 7: what a program asked is told apart from what the person asked."""
    conn.execute(VERSION_7)


def models_beside(conn: apsw.Connection) -> None:
    """Version 8: other models follow what changes, and one may run beside the model in use, to be compared with it."""
    conn.execute(VERSION_8)


# The version is the place in this tuple, from 1.
MIGRATIONS: tuple[Migration, ...] = (
    first_schema,
    without_event_table,
    words_by_own_rules,
    other_names,
    entries_of_files,
    words_before_vectors,
    searches_of_programs,
    models_beside,
)


def newest_version(migrations: Sequence[Migration] = MIGRATIONS) -> int:
    """Return the schema version that this Carrel writes."""
    return len(migrations)


def version(conn: apsw.Connection) -> int:
    """Return the schema version of the file, 0 for an empty one."""
    return int(conn.pragma("user_version"))


def refuse_strangers(conn: apsw.Connection, path: Path) -> None:
    """Raise SchemaTooNew or LibraryDamaged unless the file is empty or a library of this or an older version."""
    newest, identity, found = newest_version(), int(conn.pragma("application_id")), version(conn)
    if identity != APPLICATION_ID and (identity or found or _has_tables(conn)):
        raise LibraryDamaged(
            f"The file {path} is not a Carrel library.",
            cause="It is an SQLite database that another program made.",
            fix="Name another file with --library.",
        )
    if found > newest:
        raise SchemaTooNew(
            f"The library {path} was written by a newer Carrel.",
            cause=f"It has schema {found}, and this version knows schemas up to {newest}. The file was not touched.",
            fix="Update Carrel, or name another library with --library.",
        )


def _has_tables(conn: apsw.Connection) -> bool:
    return conn.execute("SELECT 1 FROM sqlite_master LIMIT 1").get is not None


def migrate(
    conn: apsw.Connection,
    path: Path,
    *,
    lock_held: bool = False,
    migrations: Sequence[Migration] = MIGRATIONS,
    told: Told | None = None,
) -> None:
    """Bring the file to the newest schema; does nothing when it is there.

    A file that holds something is copied to `<library>.before-v<N>` first, under the indexer lock. Each step commits
    on its own, with the words that it builds anew, of which `told` gets the passages done, and all. Raises LibraryBusy
    where another process holds that lock.
    """
    newest = newest_version(migrations)
    found = version(conn)
    if found >= newest:
        return
    from engine.store.backup import back_up

    existing = found > 0
    guard = IndexerLock(path).acquire("migrate") if existing and not lock_held else nullcontext()
    with guard:
        if existing:
            back_up(conn, path.with_name(f"{path.name}.before-v{newest}"))
        for number, step in enumerate(migrations, start=1):
            _apply(conn, number, step, told)


def renew_words(conn: apsw.Connection, path: Path, *, lock_held: bool = False, told: Told | None = None) -> None:
    """Build the word index anew where it was made by other rules than this Carrel's, or with other tables of letters.

    Where another process holds the indexer lock the words stay as they are: that one has built them.
    """
    if not fulltext.outdated(conn):
        return
    try:
        with nullcontext() if lock_held else IndexerLock(path).acquire("migrate"), _immediate(conn):
            if fulltext.outdated(conn):
                fulltext.rebuild(conn, told)
    except LibraryBusy:
        return


def _apply(conn: apsw.Connection, number: int, step: Migration, told: Told | None) -> None:
    with _immediate(conn):
        if version(conn) < number:  # asked again inside: another process may have been first
            step(conn)
            if step is words_by_own_rules:
                fulltext.rebuild(conn, told)
            conn.execute("INSERT INTO migration VALUES(?, ?, ?)", (number, step.__name__, time.time()))
            conn.pragma("user_version", number)


@contextmanager
def _immediate(conn: apsw.Connection) -> Iterator[None]:
    conn.execute("BEGIN IMMEDIATE")
    try:
        yield
        conn.execute("COMMIT")
    except BaseException:
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        raise
