"""The log of searches: what was asked, shown and opened, kept in the library until it is emptied."""

from __future__ import annotations

import threading
from pathlib import Path

import apsw
import pytest
from fake_encoder import FakeEncoder
from notes import FILLER, library_of

from engine import config
from engine.errors import LibraryMissing
from engine.library import Library
from engine.maintenance.rebuild import rebuild
from engine.store import search_log
from engine.store.connection import open_writer
from engine.store.schema import VERSION_6

ASKED = "page about harbour"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory):
    many = {f"harbour/{n}.md": f"# Harbour {n}\n\nPage {n} about harbour life.\n" for n in range(30)}
    with library_of(tmp_path_factory.mktemp("log"), {**FILLER, **many}, fitted=False) as opened:
        yield opened


@pytest.fixture(autouse=True)
def empty_log(library: Library):
    yield
    library.empty_search_log()


def test_a_search_alone_writes_nothing(library: Library) -> None:
    library.search(ASKED)
    assert library.search_log() == ()


def test_a_logged_search_tells_what_was_shown_at_which_rank(library: Library) -> None:
    result = library.search(ASKED, limit=50)
    library.log_search(result)
    (logged,) = library.search_log()
    assert (logged.query, logged.verdict, logged.fusion) == (ASKED, result.verdict, "convex")
    assert [row.path for row in logged.rows] == [hit.path.decode() for hit in result.hits[: search_log.SHOWN]]
    assert [row.rank for row in logged.rows] == list(range(1, search_log.SHOWN + 1))
    hashes = library.passage_hashes([hit.passage_id for hit in result.hits])
    assert logged.rows[0].passage_hash == hashes[result.hits[0].passage_id]
    assert not any(row.opened for row in logged.rows)


def test_what_was_opened_is_told_also_from_further_down(library: Library) -> None:
    result = library.search(ASKED, limit=50)
    number = library.log_search(result)
    last = result.hits[-1]
    assert last.rank > search_log.SHOWN
    library.log_opened(number, result.hits[1])
    library.log_opened(number, last)
    (logged,) = library.search_log()
    assert [row.rank for row in logged.rows if row.opened] == [2, last.rank]


def test_a_search_that_was_forgotten_is_passed_over(library: Library) -> None:
    result = library.search(ASKED)
    number = library.log_search(result)
    library.empty_search_log()
    library.log_opened(number, result.hits[0])
    assert library.search_log() == ()


def test_the_newest_come_first_and_the_oldest_are_dropped(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_log, "KEPT", 3)
    for number in range(5):
        library.log_search(library.search(f"{ASKED} {number}"))
    assert [logged.query[-1] for logged in library.search_log()] == ["4", "3", "2"]
    assert [logged.query[-1] for logged in library.search_log(limit=1)] == ["4"]


def test_an_emptied_log_leaves_no_word_in_the_file(tmp_path: Path) -> None:
    with library_of(tmp_path, FILLER, fitted=False) as library:
        library.log_search(library.search("zeppelin secrets"))
        assert library.empty_search_log() == 1
    open_writer(tmp_path / "library.carrel").close()  # folds the log in
    with Library.open(tmp_path / "library.carrel", encoder=FakeEncoder()):
        assert b"zeppelin" not in (tmp_path / "library.carrel").read_bytes()


def test_the_log_of_an_older_carrel_is_read_as_the_persons_own(tmp_path):
    path = tmp_path / "library"
    with Library.open(path, create=True) as library:
        library.log_search(library.search("asked before"), "mcp")
        assert [each.source for each in library.search_log()] == ["mcp"]
    connection = apsw.Connection(str(path))
    connection.execute(
        """DROP VIEW pending; DROP TABLE embedding_queue; DROP INDEX model_shadow;
        DROP TABLE shadow_event; DROP TABLE shadow_review; DROP TABLE shadow_pair; DROP TABLE shadow_search"""
    )
    connection.execute(VERSION_6)
    connection.execute("ALTER TABLE search_log DROP COLUMN source")
    connection.pragma("user_version", 6)
    connection.close()
    with Library.open(path) as library:
        assert [(each.query, each.source) for each in library.search_log()] == [("asked before", "")]
        kept = rebuild(path, FakeEncoder(), lambda _: None, threading.Event())  # type: ignore[arg-type]
    assert kept.saved["logged searches"] == 1
    with Library.open(path) as library:
        library.log_search(library.search("asked now"), "mcp")
        assert [(each.query, each.source) for each in library.search_log()] == [
            ("asked now", "mcp"),
            ("asked before", ""),
        ]


def test_what_is_noted_of_searches_has_nobody_look_again_and_what_others_commit_does(library: Library) -> None:
    result = library.search(ASKED)
    version = library.version()
    number = library.log_search(result)
    library.log_opened(number, result.hits[0])
    assert library.version() == version
    assert len(library.search_log()) == 1

    with Library.open(library.path) as other:
        other.log_search(result)
    library.log_search(result)  # what came before it is told all the same
    changed = library.version()
    assert changed != version
    library.log_search(result)
    library.mark(ASKED, result.hits[0].passage_id, 2)
    assert library.version() != changed


def test_a_note_that_could_not_be_made_has_everybody_look_again(library: Library) -> None:
    result, version = library.search(ASKED), library.version()
    library.log_search(result)
    away = library.path.with_name("away")
    library.path.rename(away)
    with pytest.raises(LibraryMissing):
        library.log_search(result)
    away.rename(library.path)
    library.log_search(result)
    assert library.version() != version
    assert len(library.search_log()) == 2


def test_notes_go_by_the_settings_of_the_moment(library: Library) -> None:
    library.version()
    for secure in (False, True):
        config.change({"secure_delete": secure})
        with library._file.noting() as connection:
            assert bool(connection.pragma("secure_delete")) is secure
