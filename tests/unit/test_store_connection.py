"""Opening a library file: who may read it, what is refused, and a file that goes or is damaged meanwhile."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import apsw
import pytest
from store_samples import Sample

from engine.errors import (
    LibraryBusy,
    LibraryDamaged,
    LibraryError,
    LibraryFull,
    LibraryMissing,
    LibraryReadOnly,
    SchemaTooNew,
)
from engine.library import Library
from engine.store import backup, connection, migrations, pending_vectors
from engine.store.connection import open_reader, open_writer
from engine.store.faults import translated
from engine.store.lock import IndexerLock
from engine.store.transactions import snapshot, transaction

NOBODY = 65534


@contextmanager
def as_somebody_else(folder: Path) -> Iterator[None]:
    """Lend a folder to a user who may read it and not write it; root may always write."""
    for path in (folder, *folder.iterdir()):
        path.chmod(0o555 if path.is_dir() else 0o444)
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o755)


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that other users can reach, which those of pytest are not."""
    folder = Path(tempfile.mkdtemp())
    yield folder
    shutil.rmtree(folder)


def test_a_new_library_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "made" / "library.carrel"
    before = os.umask(0)
    try:
        open_writer(path, create=True).close()
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_writer_works_on_a_log_and_keeps_foreign_keys(tmp_path: Path) -> None:
    conn = open_writer(tmp_path / "library.carrel", create=True)
    assert conn.pragma("journal_mode") == "wal"
    assert conn.pragma("foreign_keys") == 1
    with pytest.raises(LibraryError), transaction(conn):
        conn.execute("INSERT INTO left_out VALUES(99, 'hidden', 1)")


def test_a_missing_library_is_missing_and_not_made(tmp_path: Path) -> None:
    path = tmp_path / "library.carrel"
    for opened in (open_reader, open_writer):
        with pytest.raises(LibraryMissing) as caught:
            opened(path)
        assert "carrel add" in caught.value.fix
    assert not path.exists()


@pytest.mark.parametrize("how", ["deleted", "replaced"])
@pytest.mark.parametrize("when", ["before", "within"])
def test_a_transaction_notices_that_the_file_went_under_it(tmp_path: Path, how: str, when: str) -> None:
    def go() -> None:
        path.rename(tmp_path / "aside")
        if how == "replaced":
            open_writer(path, create=True).close()

    path = tmp_path / "library.carrel"
    conn = open_writer(path, create=True)
    with transaction(conn):
        conn.execute("INSERT INTO meta VALUES('known', 1)")
    if when == "before":
        go()
    with pytest.raises(LibraryMissing, match="deleted or replaced while it was in use"), transaction(conn):
        conn.execute("INSERT INTO meta VALUES('lost', 1)")
        if when == "within":
            go()
    assert not conn.in_transaction


def test_a_file_that_is_no_database_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "library.carrel"
    path.write_bytes(b"these are only notes " * 400)
    for opened in (open_reader, open_writer):
        with pytest.raises(LibraryDamaged):
            opened(path)


def test_the_database_of_another_program_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "bookmarks.db"
    other = apsw.Connection(str(path))
    other.execute("CREATE TABLE bookmark(url)")
    other.close()
    before = path.read_bytes()
    for opened in (open_reader, open_writer):
        with pytest.raises(LibraryDamaged, match="not a Carrel library"):
            opened(path)
    assert path.read_bytes() == before


def test_a_library_of_a_newer_carrel_is_refused_and_keeps_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "library.carrel"
    conn = open_writer(path, create=True)
    conn.pragma("user_version", migrations.newest_version() + 1)
    conn.close()
    before = path.read_bytes()
    for opened in (open_reader, open_writer):
        with pytest.raises(SchemaTooNew, match="newer Carrel"):
            opened(path)
    assert path.read_bytes() == before


def test_a_reader_cannot_write_and_leaves_the_file_as_it_is(tmp_path: Path) -> None:
    sample = Sample(tmp_path / "library.carrel")
    sample.put("a.md", "soil and water")
    sample.conn.close()
    before = sample.path.read_bytes()
    reader = open_reader(sample.path)
    with pytest.raises(LibraryReadOnly), translated(sample.path):
        reader.execute("DELETE FROM passage")
    assert sample.find("water", reader)
    reader.close()
    assert sample.path.read_bytes() == before


def test_a_reader_sees_what_another_process_committed(tmp_path: Path) -> None:
    sample = Sample(tmp_path / "library.carrel")
    reader = open_reader(sample.path)
    assert not reader.immutable
    before = reader.pragma("data_version")
    sample.put("a.md", "soil and water")
    assert sample.find("water", reader)
    assert reader.pragma("data_version") != before


def test_a_library_in_a_read_only_folder_is_opened_as_unchanging(shared: Path) -> None:
    sample = Sample(shared / "a library?.carrel")
    sample.put("a.md", "soil and water")
    sample.conn.close()
    with as_somebody_else(shared):
        reader = open_reader(sample.path)
        assert reader.immutable
        assert sample.find("water", reader)
        reader.close()
        with pytest.raises(LibraryReadOnly):
            open_writer(sample.path)


def test_changes_that_wait_beside_a_read_only_library_are_not_passed_over(shared: Path) -> None:
    sample = Sample(shared / "library.carrel")
    sample.put("a.md", "soil and water")
    log = Path(f"{sample.path}-wal")
    kept = log.read_bytes()
    sample.conn.close()
    log.write_bytes(kept)
    with as_somebody_else(shared), pytest.raises(LibraryReadOnly, match="Changes wait"):
        open_reader(sample.path)


def test_a_second_writer_waits_and_then_says_who_is_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "BUSY_MILLISECONDS", 20)
    path = tmp_path / "library.carrel"
    first, second = open_writer(path, create=True), open_writer(path)
    with transaction(first), pytest.raises(LibraryBusy), transaction(second):
        pass
    with transaction(second):
        second.execute("INSERT INTO meta VALUES('a', 1)")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (apsw.FullError, LibraryFull),
        (apsw.IOError, LibraryFull),
        (apsw.BusyError, LibraryBusy),
        (apsw.ReadOnlyError, LibraryReadOnly),
        (apsw.CorruptError, LibraryDamaged),
        (apsw.NotADBError, LibraryDamaged),
        (apsw.CantOpenError, LibraryMissing),
    ],
)
def test_every_error_of_sqlite_has_a_cause_and_a_fix(
    tmp_path: Path, error: type[apsw.Error], expected: type[LibraryError]
) -> None:
    library = tmp_path / "library.carrel"
    if expected is not LibraryMissing:
        library.touch()
    with pytest.raises(expected) as caught, translated(library):
        raise error("as SQLite says it")
    assert caught.value.fix


def test_an_interruption_is_not_an_error_of_the_library(tmp_path: Path) -> None:
    with pytest.raises(apsw.InterruptError), translated(tmp_path / "library.carrel"):
        raise apsw.InterruptError("interrupted")


def test_a_full_disk_is_told_and_loses_nothing(tmp_path: Path) -> None:
    sample = Sample(tmp_path / "library.carrel")
    sample.put("a.md", "soil and water")
    sample.conn.pragma("max_page_count", int(sample.conn.pragma("page_count")) + 2)
    with pytest.raises(LibraryFull):
        sample.put("b.md", "\n\n".join(f"paragraph {i} about rivers and lakes" * 20 for i in range(50)))
    assert sample.find("water")
    assert not sample.find("rivers")


def test_a_snapshot_does_not_move_while_others_write(tmp_path: Path) -> None:
    sample = Sample(tmp_path / "library.carrel")
    reader = open_reader(sample.path)
    with snapshot(reader):
        assert not sample.find("water", reader)
        sample.put("a.md", "soil and water")
        assert not sample.find("water", reader)
    assert sample.find("water", reader)


def coloured_schema(conn: apsw.Connection) -> None:
    conn.execute("ALTER TABLE document ADD COLUMN colour TEXT")


def broken_schema(conn: apsw.Connection) -> None:
    conn.execute("ALTER TABLE document ADD COLUMN colour TEXT")
    conn.execute("ALTER TABLE nothing ADD COLUMN colour TEXT")


def test_a_migration_keeps_the_notes_and_leaves_a_backup(tmp_path: Path) -> None:
    sample = Sample(tmp_path / "library.carrel")
    sample.put("a.md", "soil and water")
    migrations.migrate(sample.conn, sample.path, migrations=(*migrations.MIGRATIONS, coloured_schema))
    assert migrations.version(sample.conn) == migrations.newest_version() + 1
    assert sample.find("water")
    applied = [name for (name,) in sample.conn.execute("SELECT name FROM migration ORDER BY version")]
    assert applied == [*(step.__name__ for step in migrations.MIGRATIONS), "coloured_schema"]
    kept = tmp_path / f"library.carrel.before-v{migrations.newest_version() + 1}"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    old = open_reader(kept)
    assert migrations.version(old) == migrations.newest_version()
    assert sample.find("water", old)


def test_a_migration_that_fails_leaves_the_library_as_it_was(tmp_path: Path) -> None:
    sample = Sample(tmp_path / "library.carrel")
    with pytest.raises(apsw.SQLError):
        migrations.migrate(sample.conn, sample.path, migrations=(*migrations.MIGRATIONS, broken_schema))
    assert migrations.version(sample.conn) == migrations.newest_version()
    assert "colour" not in [row[1] for row in sample.conn.execute("PRAGMA table_info(document)")]


def test_a_migration_needs_the_indexer_lock(tmp_path: Path) -> None:
    sample = Sample(tmp_path / "library.carrel")
    newer = (*migrations.MIGRATIONS, coloured_schema)
    with IndexerLock(sample.path).acquire("sync"):
        with pytest.raises(LibraryBusy):
            migrations.migrate(sample.conn, sample.path, migrations=newer)
        migrations.migrate(sample.conn, sample.path, lock_held=True, migrations=newer)
    assert migrations.version(sample.conn) == migrations.newest_version(newer)


def older_library(path: Path) -> Path:
    """Make a library as the first release did, with one watched folder."""
    conn = apsw.Connection(str(path))
    connection.prepare(conn, connection.WRITER_CACHE_KIB)
    migrations.migrate(conn, path, migrations=migrations.MIGRATIONS[:1])
    conn.execute("INSERT INTO folder(path, added_at) VALUES(CAST('/notes' AS BLOB), 1.5)")
    conn.close()
    return path


def tables(conn: apsw.Connection) -> set[str]:
    return {name for (name,) in conn.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}


def test_an_older_library_loses_the_table_that_nobody_wrote_and_nothing_else(tmp_path: Path) -> None:
    path = older_library(tmp_path / "library.carrel")
    with closing(open_reader(path)) as reader:
        before = tables(reader)
    with closing(open_writer(path)) as writer:
        assert before - tables(writer) == {"event"}
        assert writer.execute("SELECT path, added_at FROM folder").fetchall() == [(b"/notes", 1.5)]
        assert migrations.version(writer) == migrations.newest_version()
    with closing(open_writer(tmp_path / "new.carrel", create=True)) as new, closing(open_reader(path)) as migrated:
        assert tables(new) == tables(migrated)
    with closing(open_reader(tmp_path / f"library.carrel.before-v{migrations.newest_version()}")) as kept:
        assert "event" in tables(kept)


def test_what_waited_in_an_older_library_waits_for_the_model_in_use(tmp_path: Path) -> None:
    path = tmp_path / "older.carrel"
    conn = apsw.Connection(str(path))
    connection.prepare(conn, connection.WRITER_CACHE_KIB)
    migrations.migrate(conn, path, migrations=migrations.MIGRATIONS[:7])
    conn.execute(
        "INSERT INTO model(name, manifest, fingerprint, state, created_at) VALUES('m', '{}', 'f', 'active', 1)"
    )
    conn.execute("INSERT INTO pending VALUES(x'01', 'a text', 5.0)")
    assert pending_vectors.count(conn) == 1
    migrations.migrate(conn, path)
    assert pending_vectors.count(conn) == pending_vectors.count(conn, model_id=1) == 1
    assert pending_vectors.next_batch(conn, 9) == {b"\x01": "a text"}
    assert conn.execute("SELECT hash, text, priority FROM pending").fetchall() == [(b"\x01", "a text", 5.0)]


def test_an_older_library_is_read_as_it_is(tmp_path: Path) -> None:
    path = older_library(tmp_path / "library.carrel")
    before = path.read_bytes()
    with Library.open(path) as library:
        assert [folder.path for folder in library.folders()] == [b"/notes"]
        assert library.status().schema == 1
    assert path.read_bytes() == before


def test_an_older_library_that_lost_the_table_is_brought_up_to_date_too(tmp_path: Path) -> None:
    path = older_library(tmp_path / "library.carrel")
    with closing(apsw.Connection(str(path))) as conn:
        conn.execute("DROP TABLE event")
    with closing(open_writer(path)) as writer:
        assert migrations.version(writer) == migrations.newest_version()


def test_a_backup_holds_words_and_vectors(tmp_path: Path) -> None:
    sample = Sample(tmp_path / "library.carrel")
    sample.put("a.md", "soil and water")
    copy = open_reader(backup.back_up(sample.conn, tmp_path / "copy.carrel").path)
    assert sample.find("water", copy)
    assert copy.execute(f"SELECT count(*) FROM vector_{sample.model}").get == 1


def test_searching_by_words_loads_no_numpy(tmp_path: Path) -> None:
    sample = Sample(tmp_path / "library.carrel")
    sample.put("a.md", "soil and water")
    code = """
import sys
from pathlib import Path
from engine.store import bm25, change_log, documents, folders, fulltext, models, requests
from engine.store.connection import open_reader
conn = open_reader(Path(sys.argv[1]))
assert models.active(conn) is not None
assert fulltext.document_frequencies(conn, ["water"]) == {"water": 1}
assert len(documents.rows_for(conn, [1])) == 1
print("numpy" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code, str(sample.path)], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
