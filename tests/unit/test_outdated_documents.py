"""After an update, what an older reader has read is read again, once, and nothing else is."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from shelf import Shelf, StopAfter, paragraph

from engine.events import Committed, Preparing
from engine.indexing import file_reader
from engine.indexing.removed_folders import forget_folder, take_back
from engine.library import Library
from engine.maintenance.exporter import export
from engine.maintenance.importer import import_from
from engine.sources.readers import file_types
from engine.sources.readers.file_types import READER_VERSIONS
from engine.store import folders, meta
from engine.store.connection import open_writer

pytestmark = pytest.mark.usefixtures("unfitted")


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    shelf = Shelf(tmp_path)
    for name in ("a.md", "b.md", "c.txt"):
        shelf.write(name, paragraph(f"word{name[0]}"))
    shelf.sync()
    return shelf


def rise(monkeypatch: pytest.MonkeyPatch, reader: str) -> None:
    monkeypatch.setitem(READER_VERSIONS, reader, READER_VERSIONS[reader] + 1)


def read_in(shelf: Shelf) -> set[str]:
    return {os.path.relpath(os.fsdecode(path), shelf.base) for path in shelf.parser.read_paths}


def test_files_are_read_again_once_their_reader_has_a_higher_version(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    rise(monkeypatch, "markdown")
    report = shelf.sync()
    assert read_in(shelf) == {"notes/a.md", "notes/b.md"}
    assert (report.unchanged, report.updated, report.embedded) == (3, 0, 0)
    assert any(isinstance(event, Preparing) for event in shelf.events)
    shelf.sync()
    assert read_in(shelf) == set()


def test_what_the_newer_reader_finds_takes_the_place_of_the_old_passages(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    rise(monkeypatch, "text")
    plain = shelf.parser.read
    monkeypatch.setattr(shelf.parser, "read", lambda path, root: plain(path.replace(b"c.txt", b"a.md"), root))
    shelf.sync()
    assert list(shelf.passages(b"c.txt").values()) == list(shelf.passages(b"a.md").values())


@pytest.mark.parametrize("risen", ["", "pdf", "markdown"])
def test_once_all_is_read_again_no_document_is_asked_when_it_was_read(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, risen: str
) -> None:
    if risen:
        rise(monkeypatch, risen)
        shelf.sync()
    asked: list[str] = []
    shelf.conn.exec_trace = lambda cursor, sql, bindings: asked.append(sql) or True
    shelf.sync()
    shelf.conn.exec_trace = None
    assert asked
    assert not [sql for sql in asked if "path, indexed_at FROM document" in sql or "INSERT" in sql]


def test_reading_again_goes_on_where_it_was_stopped(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(30):
        shelf.write(f"more{number}.md", paragraph(f"more{number}"))
    shelf.sync()
    rise(monkeypatch, "markdown")
    monkeypatch.setattr(file_reader, "BATCH_FILES", 2)
    stop = StopAfter(Committed)
    shelf.sync(on_event=stop.on_event, stop=stop.event)
    shelf.sync()
    assert 0 < len(read_in(shelf)) < 32
    shelf.sync()
    assert read_in(shelf) == set()


def test_a_paused_folder_waits_for_its_turn(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    other = shelf.add_folder("other")
    (other / "d.md").write_text(paragraph("wordd"))
    shelf.sync()
    (known,) = [folder for folder in folders.every(shelf.conn) if folder.path == os.fsencode(other)]
    folders.set_state(shelf.conn, known.id, "paused")
    rise(monkeypatch, "markdown")
    shelf.sync()
    assert read_in(shelf) == {"notes/a.md", "notes/b.md"}
    folders.set_state(shelf.conn, known.id, "watching")
    shelf.sync()
    assert read_in(shelf) == {"other/d.md"}


def test_a_file_that_the_older_reader_could_not_read_is_tried_again(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.write("bad.md", b"\0")
    shelf.sync()
    shelf.sync()
    assert read_in(shelf) == set()
    rise(monkeypatch, "markdown")
    shelf.sync()
    assert "notes/bad.md" in read_in(shelf)


def test_a_file_left_out_for_want_of_a_reader_is_read_once_there_is_one(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.write("song.mp3", "la la la")
    assert shelf.sync().skipped == {"no reader for .mp3": 1}
    monkeypatch.setattr(file_types, "_NO_READER", file_types._NO_READER - {".mp3"})
    monkeypatch.setitem(file_types._BY_SUFFIX, b".mp3", "text")
    report = shelf.sync()
    assert (report.added, report.skipped) == (1, {})
    assert read_in(shelf) == {"notes/song.mp3"}


def test_a_suffix_that_goes_to_another_reader_counts_as_a_newer_one(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(file_types._BY_SUFFIX, b".txt", "telling")
    monkeypatch.setitem(READER_VERSIONS, "telling", 1)
    shelf.sync()
    assert read_in(shelf) == {"notes/c.txt"}


def test_a_library_of_an_older_carrel_is_read_again_and_nothing_is_embedded(shelf: Shelf) -> None:
    meta.put(shelf.conn, "readers", None)
    report = shelf.sync()
    assert len(read_in(shelf)) == 3
    assert report.embedded == 0
    shelf.sync()
    assert read_in(shelf) == set()


@pytest.mark.parametrize("kept", ["", "7", "{}", '{"versions": 1, "risen": []}', b"\xff"])
def test_a_damaged_record_counts_as_none(shelf: Shelf, kept: str | bytes) -> None:
    meta.put(shelf.conn, "readers", kept)
    assert shelf.sync().unchanged == 3
    assert len(read_in(shelf)) == 3


def test_going_back_to_an_older_carrel_reads_nothing_again_and_forward_once_more(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = READER_VERSIONS["text"]
    monkeypatch.setitem(READER_VERSIONS, "text", now - 1)
    shelf.sync()
    assert read_in(shelf) == set()
    monkeypatch.setitem(READER_VERSIONS, "text", now)
    shelf.sync()
    assert read_in(shelf) == {"notes/c.txt"}


def test_a_first_sync_of_one_file_is_no_reason_to_read_it_again(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    path = shelf.write("a.md", paragraph("worda"))
    shelf.sync(paths=[os.fsencode(path)])
    shelf.sync()
    assert read_in(shelf) == set()


def test_documents_with_a_date_of_indexing_in_the_future_are_read_again_just_once(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.conn.execute("UPDATE document SET indexed_at = 9e9")
    rise(monkeypatch, "text")
    shelf.sync()
    assert read_in(shelf) == {"notes/c.txt"}
    shelf.sync()
    assert read_in(shelf) == set()


def test_a_folder_that_comes_back_after_an_update_is_read_again(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder,) = folders.every(shelf.conn)
    forget_folder(shelf.conn, folder.id)
    rise(monkeypatch, "markdown")
    shelf.sync()
    take_back(shelf.conn, shelf.library, folder.path)
    report = shelf.sync()
    assert read_in(shelf) == {"notes/a.md", "notes/b.md"}
    assert report.embedded == 0


def test_a_folder_that_comes_back_into_a_library_of_an_older_carrel_hides_nothing(shelf: Shelf) -> None:
    other = shelf.add_folder("other")
    (other / "d.md").write_text(paragraph("wordd"))
    shelf.sync()
    meta.put(shelf.conn, "readers", None)
    for _ in range(2):
        forget_folder(shelf.conn, next(each.id for each in folders.every(shelf.conn) if each.path.endswith(b"other")))
        take_back(shelf.conn, shelf.library, os.fsencode(other))
    shelf.sync()
    assert read_in(shelf) == {"notes/a.md", "notes/b.md", "notes/c.txt", "other/d.md"}


def test_an_export_of_an_older_carrel_is_read_again_where_its_files_are(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    export(shelf.library, lines.append, with_vectors=True)
    rise(monkeypatch, "text")
    taken_in(shelf, "".join(lines))
    shelf.sync()
    assert read_in(shelf) == {"notes/c.txt"}


def test_an_export_of_this_carrel_is_not_read_again(shelf: Shelf) -> None:
    lines: list[str] = []
    export(shelf.library, lines.append, with_vectors=True)
    taken_in(shelf, "".join(lines))
    shelf.sync()
    assert read_in(shelf) == set()


def taken_in(shelf: Shelf, lines: str) -> None:
    """Make the shelf's library anew from an export."""
    shelf.conn.close()
    shelf.library.unlink()
    stop = StopAfter(Committed).event
    import_from(shelf.library, io.BytesIO(lines.encode()), "the export", shelf.encoder, lambda event: None, stop)
    with Library.open(shelf.library) as library:
        assert library.status().documents == 3
    shelf.conn = open_writer(shelf.library)
