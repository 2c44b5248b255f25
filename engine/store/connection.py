"""Opens the library file, for reading or for writing.

A reader changes no byte of the main file and must leave no statement open between searches, for an open statement keeps
the write-ahead log from being folded in.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import apsw

from engine.errors import LibraryError, LibraryMissing, LibraryReadOnly
from engine.paths import identity_of, private_folder
from engine.store import entries
from engine.store.faults import explained, translated, unopenable
from engine.store.library_connection import LibraryConnection
from engine.store.migrations import Told, migrate, newest_version, refuse_strangers, renew_words, version
from engine.store.transactions import BUSY_MILLISECONDS
from engine.store.untrusted_file import harden, refuse_foreign
from engine.store.word_tokenizer import register

READER_CACHE_KIB = 32_768  # holds the hot part of the word index at 50,000 passages
WRITER_CACHE_KIB = 65_536  # a batch of many files stays in memory until its commit
PAGE_BYTES = 8_192  # the smallest file of 4,096, 8,192 and 16,384 on 30,000 passages, by half a percent
LOG_LIMIT_BYTES = 64 * 2**20  # what the write-ahead log shrinks back to after a large sync


def open_reader(path: Path) -> LibraryConnection:
    """Open the library for reading only.

    Where its folder is read-only and no writer has it open, the file is opened as `immutable`: such a connection does
    not see later changes. Raises LibraryMissing, LibraryDamaged, SchemaTooNew, or LibraryReadOnly where changes wait
    in a log beside the file that cannot be read in.
    """
    if not path.is_file():
        raise unopenable(path)
    with translated(path):
        conn = _readable(path)
        try:
            harden(conn)
            refuse_strangers(conn, path)
            if version(conn) < 1:
                raise LibraryMissing(f"The library {path} is empty.", fix="Add a folder with `carrel add FOLDER`.")
            refuse_foreign(conn, path)
            conn.file = identity_of(path) or conn.file
            prepare(conn, READER_CACHE_KIB)
            if version(conn) < entries.SINCE:
                conn.execute(entries.NONE_YET)
            conn.pragma("query_only", True)
        except BaseException:
            conn.close()
            raise
    return conn


def open_writer(
    path: Path, create: bool = False, *, lock_held: bool = False, told: Told | None = None
) -> LibraryConnection:
    """Open the library for writing and bring it to the newest schema.

    With `create` a missing file is made, readable by its owner only. `lock_held` says that the caller holds the indexer
    lock, which a migration of an existing library takes otherwise. `told` gets, of the passages whose words a migration
    builds anew, how many are done, and all. Raises LibraryMissing, LibraryDamaged, SchemaTooNew,
    LibraryReadOnly, LibraryBusy.
    """
    from engine.effective_settings import effective  # readers need no settings

    if create:
        _create(path)
    if not path.is_file():
        raise unopenable(path)
    with translated(path):
        conn = LibraryConnection(_name(path), flags=apsw.SQLITE_OPEN_READWRITE)
        conn.path = path
        try:
            conn.set_busy_timeout(BUSY_MILLISECONDS)
            conn.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)  # a refused file keeps its bytes
            harden(conn)
            refuse_strangers(conn, path)
            refuse_foreign(conn, path)
            conn.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
            if conn.readonly("main"):
                raise explained(apsw.ReadOnlyError("attempt to write a readonly database"), path)
            conn.file = identity_of(path) or conn.file
            prepare(conn, WRITER_CACHE_KIB)
            conn.pragma("page_size", PAGE_BYTES)  # of a file that is still empty; others keep theirs
            conn.pragma("journal_mode", "wal")
            conn.pragma("synchronous", "normal")
            conn.pragma("journal_size_limit", LOG_LIMIT_BYTES)
            conn.pragma("foreign_keys", True)
            conn.pragma("secure_delete", effective().secure_delete)
            if version(conn) < newest_version():
                migrate(conn, path, lock_held=lock_held, told=told)
            renew_words(conn, path, lock_held=lock_held, told=told)
        except BaseException:
            conn.close()
            raise
    return conn


def _name(path: Path) -> str:
    name = str(path)
    try:
        name.encode("utf-8")
    except UnicodeEncodeError as error:
        raise LibraryReadOnly(
            "The library's path cannot be opened.",
            cause="It holds bytes that are not UTF-8.",
            fix="Name another library with --library.",
        ) from error
    return name


def _readable(path: Path) -> LibraryConnection:
    conn = LibraryConnection(_name(path), flags=apsw.SQLITE_OPEN_READONLY)
    conn.path = path
    conn.set_busy_timeout(BUSY_MILLISECONDS)
    try:
        version(conn)
        return conn
    except (apsw.CantOpenError, apsw.ReadOnlyError) as error:
        conn.close()
        return _unchanging(path, error)
    except BaseException:
        conn.close()
        raise


def _unchanging(path: Path, error: apsw.Error) -> LibraryConnection:
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size:
        raise LibraryReadOnly(
            f"The library {path} cannot be read where it lies.",
            cause=f"Changes wait in {log.name}, and they can only be read where the folder is writable.",
            fix="Copy both files into a folder of yours and name the copy with --library.",
        ) from error
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    conn = LibraryConnection(f"file:{quote(_name(path))}?immutable=1", flags=flags)
    conn.path, conn.immutable = path, True
    return conn


def _create(path: Path) -> None:
    try:
        if not path.parent.is_dir():
            private_folder(path.parent)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise LibraryReadOnly(
            f"The library {path} cannot be made.",
            cause=str(error),
            fix="Make the folder writable for you, or name another library with --library.",
        ) from error


def prepare(conn: apsw.Connection, cache_kib: int) -> None:
    """Load sqlite-vec and the word index's tokeniser into a connection, and set its memory."""
    register(conn)
    conn.enable_load_extension(True)
    conn.load_extension(_vector_extension())
    conn.enable_load_extension(False)
    conn.pragma("cache_size", -cache_kib)
    conn.pragma("temp_store", "memory")


def _vector_extension() -> str:
    """Return sqlite-vec's loadable file; importing the package would load numpy, 85 ms of every first opening."""
    spec = find_spec("sqlite_vec")
    if spec is None or spec.origin is None:
        raise LibraryError("The part that compares vectors is missing.", fix="Install Carrel again.")
    return str(Path(spec.origin).with_name("vec0"))
