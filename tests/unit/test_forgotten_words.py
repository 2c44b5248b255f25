"""What is forgotten stands in no file of the library any more: not in the file, its log, or a backup made later."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest
from notes import FILLER, library_of, write
from shelf import PlainParser, words_are_sound

from engine import config
from engine.indexing import removed_folders
from engine.indexing.crash_recovery import journal_file
from engine.library import Library
from engine.maintenance import Maintenance
from engine.paths import places
from engine.retrieval import tier_calibration
from engine.sources import parser
from engine.store import connection, fulltext, segment_merge, vacuum, write_ahead_log
from engine.store.connection import open_reader, open_writer

SECRET = b"zebrazyxo"  # a word that the stemmer leaves as it is
KEPT = b"gnomonixa"
PATIENCE = 120  # seconds
NOTE = f"# Diary\n\nThe password is {SECRET.decode()} and nothing else.\n\nHere {KEPT.decode()} stays.\n"


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(tier_calibration, "refit", lambda *_: None)
    monkeypatch.setattr(parser, "configured_parser", PlainParser)
    with library_of(tmp_path, {**FILLER, "diary.md": NOTE}) as library:
        assert holding(library, SECRET)
        yield library


def notes(library: Library) -> Path:
    return Path(os.fsdecode(library.folders()[0].path))


def holding(library: Library, word: bytes) -> list[str]:
    """Return the files of the library, a backup made now among them, that hold a word in any spelling of its case."""
    Maintenance(library.path).back_up(library.path.with_name("copy.carrel"))
    everything = [each for each in library.path.parent.rglob("*") if each.is_file()]
    beside = [each for each in everything if each.name.startswith(("library.carrel", "copy.carrel"))]
    return [each.name for each in beside if word in each.read_bytes().lower()]


def edit(library: Library) -> None:
    write(notes(library), {"diary.md": NOTE.replace(SECRET.decode(), "changed")})
    library.sync()


def edit_the_title(library: Library) -> None:
    write(notes(library), {"diary.md": NOTE.replace("Diary", SECRET.decode()).replace(f"is {SECRET.decode()}", "")})
    library.sync()
    write(notes(library), {"diary.md": NOTE.replace(f"is {SECRET.decode()}", "")})
    library.sync()


def rename(library: Library) -> None:
    text = NOTE.replace(SECRET.decode(), "nothing")
    write(notes(library), {f"{SECRET.decode()}.md": text, "diary.md": text})
    library.sync()
    (notes(library) / f"{SECRET.decode()}.md").rename(notes(library) / "other.md")
    library.sync()


def delete(library: Library) -> None:
    (notes(library) / "diary.md").unlink()
    library.sync()


def remove_forever(library: Library) -> None:
    library.remove(notes(library), forever=True)


def remove_for_a_day(library: Library) -> None:
    path = notes(library)
    library.remove(path)
    (waiting,) = removed_folders.waiting(library.path)
    os.utime(waiting.file)
    later = time.time() + removed_folders.KEPT_SECONDS + 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(removed_folders.time, "time", lambda: later)
        library.sync()


WAYS: list[Callable[[Library], None]] = [
    edit, edit_the_title, rename, delete, remove_forever, remove_for_a_day,
]  # fmt: skip


@pytest.mark.parametrize("forget", WAYS, ids=lambda way: way.__name__)
def test_forgotten_text_stands_in_no_file_of_the_library(library: Library, forget: Callable[[Library], None]) -> None:
    library.search(SECRET.decode())  # a reader is open from here on
    forget(library)
    assert holding(library, SECRET) == []


def test_what_stays_is_still_found_and_the_word_index_is_sound(library: Library) -> None:
    edit(library)
    assert [hit.title for hit in library.search(KEPT.decode()).hits][:1] == ["Diary"]
    assert library.search(f'"{SECRET.decode()}"').hits == ()
    writer = open_writer(library.path)
    assert words_are_sound(writer)
    writer.close()


def test_an_emptied_log_and_emptied_marks_leave_no_word_in_any_file(library: Library) -> None:
    delete(library)
    asked = f"filler {SECRET.decode()}"
    result = library.search(asked)
    library.log_search(result)
    library.mark(asked, result.hits[0].passage_id)
    assert holding(library, SECRET)
    assert library.empty_search_log() == 1
    assert library.empty_marks() == 1
    assert holding(library, SECRET) == []


MANY = {f"many/{number}.md": f"# N{number}\n\nThe {SECRET.decode()} of {number} lies here.\n" for number in range(60)}


def put_many(library: Library) -> Path:
    write(notes(library), MANY)
    library.sync()
    return notes(library) / "many"


def test_many_notes_leave_together_with_one_merge_and_no_word_stays(library: Library) -> None:
    shutil.rmtree(put_many(library))
    library.sync(accept_removals=True)
    delete(library)
    assert holding(library, SECRET) == []
    with closing(open_writer(library.path)) as writer:
        assert words_are_sound(writer)
        assert fulltext.overwrites(writer), "the next single note is overwritten at once again"
        assert writer.execute("SELECT count(*) FROM meta WHERE key = 'merge_due'").get == 0
    assert library.search(f'"{KEPT.decode()}"').hits == ()


def test_many_notes_that_move_leave_no_old_name(library: Library) -> None:
    folder = put_many(library)
    delete(library)
    folder.rename(folder.with_name(f"moved-{KEPT.decode()}"))
    report = library.sync()
    assert report.moved == len(MANY)
    folder.with_name(f"moved-{KEPT.decode()}").rename(folder)
    assert library.sync().moved == len(MANY)
    assert holding(library, KEPT) == []
    with closing(open_writer(library.path)) as writer:
        assert words_are_sound(writer)


def test_where_the_merge_is_cut_short_the_next_writer_does_it(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = put_many(library)
    delete(library)
    shutil.rmtree(folder)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(segment_merge, "settle", interrupted)
        library.sync(accept_removals=True)
    with closing(open_writer(library.path)) as writer:
        assert writer.execute("SELECT count(*) FROM meta WHERE key = 'merge_due'").get == 1
    write(notes(library), {"new.md": "# New\n\nSomething else.\n"})
    library.sync()
    assert holding(library, SECRET) == []


def interrupted(conn: apsw.Connection) -> None:
    if conn.execute("SELECT 1 FROM meta WHERE key = 'merge_due'").get:
        raise KeyboardInterrupt


def test_while_a_reader_stands_in_an_old_state_nothing_waits_for_it(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (connection, write_ahead_log, vacuum):
        monkeypatch.setattr(module, "BUSY_MILLISECONDS", 2_000 * PATIENCE)  # what waits so long does not end in time
    reader = open_reader(library.path)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM passage").fetchall()
    deleting = threading.Thread(target=delete, args=(library,), daemon=True)
    deleting.start()
    deleting.join(PATIENCE)
    assert not deleting.is_alive()
    reader.close()
    library.sync()  # the next occasion
    assert holding(library, SECRET) == []


def test_overwriting_is_a_setting(library: Library) -> None:
    config.change({"secure_delete": False})
    edit(library)
    writer = open_writer(library.path)
    assert writer.pragma("secure_delete") == 0
    assert not fulltext.overwrites(writer)
    writer.close()
    config.change({"secure_delete": True})
    write(notes(library), {"diary.md": NOTE})
    library.sync()
    delete(library)
    writer = open_writer(library.path)
    assert (writer.pragma("secure_delete"), fulltext.overwrites(writer)) == (1, True)
    writer.close()


def test_a_backup_of_a_library_with_holes_holds_none_of_what_stood_there(library: Library) -> None:
    config.change({"secure_delete": False})
    delete(library)
    writer = open_writer(library.path)
    writer.execute("INSERT INTO passage_fts(passage_fts) VALUES('optimize')")
    writer.close()
    Maintenance(library.path).back_up(library.path.with_name("later.carrel"))
    assert SECRET not in library.path.with_name("later.carrel").read_bytes().lower()


@pytest.mark.parametrize("left", ["reading", "deaths"])
@pytest.mark.parametrize("forget", [delete, remove_forever], ids=lambda way: way.__name__)
def test_a_killed_indexers_journal_forgets_a_file_that_is_gone(
    library: Library, left: str, forget: Callable[[Library], None]
) -> None:
    path = os.fspath(notes(library) / f"{SECRET.decode()}.md")
    record = {"reading": [path] if left == "reading" else [], "deaths": {path: 1} if left == "deaths" else {}}
    journal_file(library.path).write_text(json.dumps(record) + "\n")
    forget(library)
    assert holding(library, SECRET) == []
    assert not journal_file(library.path).exists()


@pytest.mark.parametrize("forget", WAYS, ids=lambda way: way.__name__)
def test_no_file_of_carrels_home_keeps_the_word(library: Library, forget: Callable[[Library], None]) -> None:
    library.path.with_name("copy.carrel").unlink()  # made before
    forget(library)
    home = [each for each in places().data.parent.rglob("*") if each.is_file()]
    beside = [each for each in library.path.parent.rglob("*") if each.is_file() and each.suffix != ".md"]
    assert {each.name for each in beside} >= {"library.carrel", "library.carrel.lock"}
    assert [each.name for each in (*home, *beside) if SECRET in each.read_bytes().lower()] == []


@pytest.mark.parametrize("forget", [edit, delete, remove_forever], ids=lambda way: way.__name__)
def test_a_text_that_still_waits_to_be_embedded_is_forgotten_with_its_note(
    library: Library, forget: Callable[[Library], None]
) -> None:
    (notes(library) / "diary.md").unlink()
    library.sync()
    write(notes(library), {"diary.md": NOTE})
    assert library.sync(meaning=False).pending
    assert holding(library, SECRET)
    forget(library)
    assert holding(library, SECRET) == []


def test_vectors_that_no_document_waits_for_any_more_go_with_the_next_sync(library: Library) -> None:
    spool = library.path.with_name(library.path.name + ".vectors")
    spool.write_bytes(b"vectors of a note that is gone")
    library.sync()
    assert not spool.exists()
