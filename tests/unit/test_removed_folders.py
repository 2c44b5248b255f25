"""Forgetting a folder step by step: whenever it is cut short, the library is sound and nothing is lost unasked."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import apsw
import pytest
from shelf import Shelf, paragraph, words_are_sound

import engine
from engine.errors import LibraryDamaged
from engine.indexing import removed_folders
from engine.indexing.removed_folders import forget_folder
from engine.library import Library
from engine.records import Folder
from engine.store import folders, pending_vectors

pytestmark = pytest.mark.processes

KILLED_AT_A_COMMIT = """
import os, sys
from pathlib import Path
from engine.indexing import removed_folders
from engine.store import folders
from engine.store.connection import open_writer

removed_folders.AT_ONCE = 1
conn = open_writer(Path(sys.argv[1]))
(folder,) = folders.every(conn)
left = int(sys.argv[2])

def count(cursor, sql, bindings):
    global left
    left -= sql == "COMMIT"
    if left == 0:
        os._exit(9)
    return True

conn.exec_trace = count
removed_folders.forget_folder(conn, folder.id, forever=sys.argv[3] == "forever")
"""
COMMITS = 4  # one a document, and one for the folder


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    shelf = Shelf(tmp_path)
    for name in ("a.md", "b.md", "c.md"):
        shelf.write(name, paragraph(f"word{name[0]}"))
    shelf.sync()
    return shelf


def folder_of(shelf: Shelf) -> Folder:
    (folder,) = folders.every(shelf.conn)
    return folder


@pytest.mark.parametrize("how", ["for a day", "forever"])
@pytest.mark.parametrize("commit", range(1, COMMITS + 1))
def test_killed_before_any_of_its_commits_it_leaves_a_sound_library_that_a_sync_makes_whole(
    shelf: Shelf, commit: int, how: str
) -> None:
    before = shelf.contents()
    assert forgotten_in_a_process(shelf, commit, how) == 9
    assert words_are_sound(shelf.conn)
    assert folder_of(shelf).documents == COMMITS - commit
    report = shelf.sync()
    assert shelf.contents() == before
    assert report.embedded == (0 if how == "for a day" else commit - 1)
    assert removed_folders.waiting(shelf.library) == []


@pytest.mark.parametrize(("how", "waiting"), [("for a day", 1), ("forever", 0)])
def test_carried_through_it_leaves_no_folder_and_no_document(shelf: Shelf, how: str, waiting: int) -> None:
    assert forgotten_in_a_process(shelf, COMMITS + 1, how) == 0
    assert (folders.every(shelf.conn), shelf.documents()) == ((), {})
    assert words_are_sound(shelf.conn)
    assert len(removed_folders.waiting(shelf.library)) == waiting


def test_a_folder_forgotten_twice_before_any_sync_still_comes_back_whole(shelf: Shelf) -> None:
    before, path = shelf.contents(), folder_of(shelf).path
    for _ in range(2):
        forget_folder(shelf.conn, folder_of(shelf).id)
        removed_folders.take_back(shelf.conn, shelf.library, path)
    report = shelf.sync()
    assert report.embedded == 0
    assert shelf.contents() == before


def test_forever_means_what_waits_from_an_earlier_time_too(shelf: Shelf) -> None:
    path = folder_of(shelf).path
    forget_folder(shelf.conn, folder_of(shelf).id)
    removed_folders.take_back(shelf.conn, shelf.library, path)
    forget_folder(shelf.conn, folder_of(shelf).id, forever=True)
    assert removed_folders.waiting(shelf.library) == []
    assert not removed_folders.take_back(shelf.conn, shelf.library, path)


def test_what_waits_and_is_damaged_is_dropped_after_its_day(shelf: Shelf) -> None:
    forget_folder(shelf.conn, folder_of(shelf).id)
    (waiting,) = removed_folders.waiting(shelf.library)
    waiting.file.write_bytes(b"damaged")
    shelf.sync()
    assert waiting.file.exists()
    day_before = waiting.at - removed_folders.KEPT_SECONDS - 1
    os.utime(waiting.file, (day_before, day_before))
    shelf.sync()
    assert not waiting.file.parent.exists()


def forgotten_in_a_process(shelf: Shelf, commit: int, how: str) -> int:
    """Forget the folder in a process that dies before its so many-th commit, and return its exit status."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", KILLED_AT_A_COMMIT, str(shelf.library), str(commit), how],
        env={**os.environ, "PYTHONPATH": str(Path(engine.__file__).parent.parent)},
        check=False,
    )
    return done.returncode


def test_a_folder_forgotten_while_it_is_embedded_comes_back_with_what_still_waits(shelf: Shelf) -> None:
    before = shelf.contents()
    shelf.write("new.md", paragraph("unembedded"))
    shelf.sync(meaning=False)
    read = len(shelf.parser.read_paths)
    assert (read, pending_vectors.count(shelf.conn)) == (1, 1)
    forget_folder(shelf.conn, folder_of(shelf).id)
    assert pending_vectors.count(shelf.conn) == 0
    assert removed_folders.take_back(shelf.conn, shelf.library, os.fsencode(shelf.notes))
    report = shelf.sync()
    assert shelf.parser.read_paths == []
    assert (report.unchanged, report.embedded, report.pending) == (4, 1, 0)
    assert before.items() <= shelf.contents().items()


def test_a_folder_whose_kept_part_is_damaged_comes_back_from_its_files(shelf: Shelf) -> None:
    before, path = shelf.contents(), folder_of(shelf).path
    forget_folder(shelf.conn, folder_of(shelf).id)
    (waiting,) = removed_folders.waiting(shelf.library)
    damage(waiting.file, "passage")
    assert removed_folders.take_back(shelf.conn, shelf.library, path)
    shelf.sync()
    assert shelf.contents() == before
    assert not waiting.file.exists()


def test_a_folder_whose_rules_cannot_be_read_back_is_told_with_the_way_out(shelf: Shelf) -> None:
    folder = Path(os.fsdecode(folder_of(shelf).path))
    forget_folder(shelf.conn, folder_of(shelf).id)
    (waiting,) = removed_folders.waiting(shelf.library)
    damage(waiting.file, "folder")
    with Library.open(shelf.library) as library:
        with pytest.raises(LibraryDamaged) as told:
            library.add(folder)
        assert f"carrel remove --forever {folder}" in told.value.fix and "restore" not in told.value.fix
        library.remove(folder, forever=True)
        library.add(folder)


def damage(file: Path, table: str) -> None:
    """Overwrite the first page of a table."""
    with closing(apsw.Connection(str(file))) as conn:
        page = conn.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).get
        octets = conn.pragma("page_size")
    with file.open("r+b") as stream:
        stream.seek((page - 1) * octets)
        stream.write(b"\xff" * octets)
