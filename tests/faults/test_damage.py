"""Damage of every kind: the doctor finds it, says what mends it, and that does; what was there is always kept."""

from __future__ import annotations

import errno
import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest
from fake_encoder import FakeEncoder
from sound_library import Sound, assert_as_before, care, faults, library, sound

from engine.errors import (
    CarrelError,
    LibraryBusy,
    LibraryDamaged,
    LibraryError,
    LibraryMissing,
    PathError,
    SchemaTooNew,
)
from engine.library import Library
from engine.records import Check
from engine.store import backup, connection
from engine.store.connection import open_reader, open_writer
from engine.store.vector_tables import read_matrix

__all__ = ["library", "sound"]


def mended(library: Path, found: list[Check]) -> None:
    """Do what the doctor says: repair where it can, else the command that it names."""
    if all(check.repairable for check in found):
        assert care(library).check(repair=True).done
        return
    assert any("carrel restore --rebuild" in check.remedy for check in found)
    before = library.read_bytes()
    rebuilt = care(library).rebuild()
    assert rebuilt.kept is not None and rebuilt.kept.read_bytes() == before


# --- pages --------------------------------------------------------------------------------------------------------

PAGES = {
    "leaf of the passages": ("passage", "leaf"),
    "interior page of the passages": ("passage", "internal"),
    "leaf of the documents": ("document", "leaf"),
    "leaf of an index": ("passage_by_hash", "leaf"),
    "words": ("passage_fts_data", "leaf"),
    "sizes of the words": ("passage_fts_docsize", "leaf"),
    "list of the vectors": ("vector_%_rowids", "leaf"),
    "folders": ("folder", "leaf"),
    "schema": ("sqlite_schema", "%"),
}


def pages_of(library: Path, name: str, kind: str) -> list[int]:
    """Return the numbers, from 1, of the pages of a table or an index, by SQLite's own account."""
    conn = apsw.Connection(str(library), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        rows = conn.execute("SELECT pageno FROM dbstat WHERE name LIKE ? AND pagetype LIKE ?", (name, kind))
        return [row[0] for row in rows]
    finally:
        conn.close()


def overwrite(library: Path, page: int, seed: int) -> None:
    """Write noise over a page, the file's header excepted."""
    content = bytearray(library.read_bytes())
    length = int.from_bytes(content[16:18], "big")
    start, end = (page - 1) * length + (100 if page == 1 else 0), page * length
    content[start:end] = random.Random(seed).randbytes(end - start)
    library.write_bytes(content)


@pytest.mark.parametrize("kind", PAGES)
def test_a_damaged_page_is_found_and_mended_by_what_the_doctor_names(library: Path, sound: Sound, kind: str) -> None:
    pages = pages_of(library, *PAGES[kind])
    assert pages, "the library is too small to have such a page"
    overwrite(library, pages[-1], seed=5)
    found = faults(library)
    assert found
    mended(library, found)
    if kind in ("folders", "schema"):  # then nothing can say what was watched
        with Library.open(library, encoder=FakeEncoder()) as opened:
            opened.add(sound.notes)
            opened.sync()
    assert_as_before(library, sound)


def noise(content: bytes) -> bytes:
    return random.Random(3).randbytes(len(content))


def wrong_header(content: bytes) -> bytes:
    return random.Random(4).randbytes(100) + content[100:]


def half(content: bytes) -> bytes:
    return content[: len(content) // 2 + 77]


def one_page(content: bytes) -> bytes:
    return content[: int.from_bytes(content[16:18], "big")]


def nothing(content: bytes) -> bytes:
    return b""


FILES = (noise, wrong_header, half, one_page)


@pytest.mark.parametrize("damage", FILES, ids=lambda damage: damage.__name__)
def test_a_damaged_file_is_found_and_begun_anew(library: Path, sound: Sound, damage: Callable[[bytes], bytes]) -> None:
    library.write_bytes(damage(library.read_bytes()))
    found = faults(library)
    assert found
    assert not all(check.repairable for check in found)
    mended(library, found)
    with Library.open(library, encoder=FakeEncoder()) as opened:
        opened.add(sound.notes)
        opened.sync()
    assert_as_before(library, sound)


@pytest.mark.parametrize("damage", (*FILES, nothing), ids=lambda damage: damage.__name__)
def test_a_damaged_file_gives_way_to_the_backup_and_is_kept(
    library: Path, sound: Sound, damage: Callable[[bytes], bytes]
) -> None:
    damaged = damage(library.read_bytes())
    library.write_bytes(damaged)
    restored = care(library).restore(sound.backup)
    assert restored.kept is not None and restored.kept.read_bytes() == damaged
    assert_as_before(library, sound)
    reader = open_reader(library)
    assert reader.execute("SELECT query, grade FROM judgement").fetchall() == [("q", 2)]
    reader.close()


def test_an_empty_file_is_told_as_a_library_that_is_not_there(library: Path) -> None:
    library.write_bytes(b"")
    with pytest.raises(LibraryMissing):
        care(library).check()


def test_a_copy_that_does_not_reach_the_disk_leaves_the_library_in_its_place(
    library: Path, sound: Sound, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = backup.synced

    def failing(path: Path) -> None:
        if ".part-" in path.name:
            raise OSError(errno.EIO, "Input/output error")
        real(path)

    monkeypatch.setattr(backup, "synced", failing)
    for work in (lambda: care(library).restore(sound.backup), care(library).rebuild):
        with pytest.raises((LibraryError, OSError)):
            work()
        assert library.exists()
        assert_as_before(library, sound)


def test_a_missing_library_is_restored(library: Path, sound: Sound) -> None:
    library.unlink()
    assert care(library).restore(sound.backup).kept is None
    assert_as_before(library, sound)


def test_beginning_anew_saves_judgements_rules_and_vectors(library: Path, sound: Sound) -> None:
    with Library.open(library, encoder=FakeEncoder()) as opened:
        opened.set_folder_rules(os.fsencode(sound.notes), ["*.tmp"])
    conn = open_writer(library)
    conn.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    conn.close()
    overwrite(library, pages_of(library, "passage_fts_data", "leaf")[-1], seed=6)

    rebuilt = care(library).rebuild()

    assert (rebuilt.saved["folders"], rebuilt.saved["judgements"]) == (1, 1)
    assert rebuilt.report.embedded == 0, "all vectors could be read"
    with Library.open(library, encoder=FakeEncoder()) as opened:
        assert opened.folder_rules(os.fsencode(sound.notes)) == ("*.tmp",)
    assert_as_before(library, sound)


# --- other programs -----------------------------------------------------------------------------------------------


def test_another_programs_database_is_no_backup_and_is_not_touched(library: Path, tmp_path: Path) -> None:
    other = tmp_path / "bookmarks.db"
    with sqlite3.connect(other) as conn:
        conn.execute("CREATE TABLE bookmark(address)")
    before, kept = library.read_bytes(), other.read_bytes()
    with pytest.raises(LibraryDamaged, match="not a Carrel library"):
        care(library).restore(other)
    with pytest.raises(PathError, match="is no library"):
        care(library).back_up(other)
    assert (library.read_bytes(), other.read_bytes()) == (before, kept)


@pytest.mark.parametrize("damage", (*FILES, nothing), ids=lambda damage: damage.__name__)
def test_a_damaged_backup_is_refused_and_the_library_stays(
    library: Path, sound: Sound, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    bad = tmp_path / "bad.backup"
    bad.write_bytes(damage(sound.backup.read_bytes()))
    with pytest.raises(LibraryDamaged, match=r"bad\.backup"):
        care(library).restore(bad)
    assert_as_before(library, sound)
    parts = {"library.carrel" + part for part in ("", "-wal", "-shm", ".lock")}
    assert {each.name for each in tmp_path.glob("*library*")} <= parts, "nothing half-done is left"


def newer(path: Path) -> bytes:
    conn = sqlite3.connect(path)
    conn.execute("PRAGMA user_version = 999")
    conn.close()
    return path.read_bytes()


def test_a_library_of_a_newer_carrel_is_refused_before_any_write(library: Path, sound: Sound, tmp_path: Path) -> None:
    before = newer(library)
    asked: list[Callable[[], object]] = [
        lambda: care(library).check(),
        lambda: care(library).check(repair=True),
        lambda: care(library).back_up(tmp_path / "x.backup"),
        lambda: care(library).compact(),
        lambda: care(library).export(lambda line: None),
        lambda: Library.open(library),
        lambda: open_writer(library),
    ]
    for ask in asked:
        with pytest.raises(SchemaTooNew):
            ask()
    assert library.read_bytes() == before


def test_a_backup_of_a_newer_carrel_is_refused(library: Path, sound: Sound, tmp_path: Path) -> None:
    late = tmp_path / "late.backup"
    shutil.copy(sound.backup, late)
    newer(late)
    with pytest.raises(SchemaTooNew):
        care(library).restore(late)
    assert_as_before(library, sound)


def test_a_library_that_another_program_locks_is_told_so(
    library: Path, sound: Sound, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "BUSY_MILLISECONDS", 20)
    other = apsw.Connection(str(library))  # the same SQLite: locks of a process do not count between two of them
    other.execute("BEGIN EXCLUSIVE")
    with Library.open(library, encoder=FakeEncoder()) as opened:
        assert opened.search("harbour").hits, "reading goes on"
        with pytest.raises(LibraryBusy, match="in use"):
            opened.set_folder_rules(os.fsencode(sound.notes), ["x"])
    other.execute("ROLLBACK")
    other.close()
    assert_as_before(library, sound)


def test_repair_that_the_pages_do_not_allow_says_what_does(library: Path) -> None:
    overwrite(library, pages_of(library, "passage_fts_data", "leaf")[0], seed=8)
    overwrite(library, pages_of(library, "passage", "leaf")[0], seed=8)
    try:
        examined = care(library).check(repair=True)
    except CarrelError as error:
        assert "carrel restore" in error.fix
    else:
        assert any("carrel restore" in check.remedy for check in examined.checks if not check.ok)


def test_no_vector_is_lost_where_words_are_repaired(library: Path, sound: Sound) -> None:
    conn = open_writer(library)
    conn.execute("INSERT INTO passage_fts(passage_fts) VALUES('delete-all')")
    conn.close()
    care(library).check(repair=True)
    reader = open_reader(library)
    assert len(read_matrix(reader, sound.model)[0]) == sound.passages
    reader.close()


def test_looking_at_a_damaged_file_changes_no_byte_of_it(library: Path) -> None:
    overwrite(library, pages_of(library, "passage", "leaf")[-1], seed=2)
    before = library.read_bytes()
    assert faults(library)
    assert library.read_bytes() == before


def test_a_damaged_list_of_waiting_texts_ends_no_check(library: Path, sound: Sound) -> None:
    """Its root holds noise, so that it cannot even be counted."""
    conn = apsw.Connection(str(library), flags=apsw.SQLITE_OPEN_READONLY)
    pages = [row[0] for row in conn.execute("SELECT rootpage FROM sqlite_master WHERE tbl_name = 'embedding_queue'")]
    conn.close()
    for page in pages:
        overwrite(library, page, seed=5)
    found = faults(library)
    assert "file" in {check.name for check in found}
    mended(library, found)
    assert_as_before(library, sound)


def test_a_file_whose_head_says_that_it_is_read_only_is_damaged(library: Path, sound: Sound) -> None:
    """The byte at 18 is the version that may write it; SQLite opens one above its own for reading."""
    content = bytearray(library.read_bytes())
    content[18] = 0x57
    library.write_bytes(content)
    found = faults(library)
    assert found and all("carrel restore --rebuild" in check.remedy for check in found if not check.repairable)
    mended(library, found)
    assert_as_before(library, sound)
