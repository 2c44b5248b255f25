"""`carrel` and `carrel PATH...`: the browser, and what happens where there is no terminal for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cli_fakes import Call, FakeLibrary

from app.cli import factories
from engine.events import Scanned
from engine.paths import places
from engine.records import Folder, SyncReport

Opened = list[tuple[Path | None, list[Path], str]]


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Opened:
    """Let `carrel` believe in a terminal; what the browser is opened with is in the list returned."""
    opened: Opened = []

    def open_browser(library: Path | None, folders: list[Path], query: str = "") -> int:
        opened.append((library, folders, query))
        return 0

    monkeypatch.setattr(factories, "interactive", lambda: True)
    monkeypatch.setattr(factories, "open_browser", open_browser)
    return opened


def test_carrel_opens_the_browser(carrel: Call, browser: Opened) -> None:
    assert carrel().code == 0
    assert browser == [(None, [], "")]


def test_carrel_with_folders_opens_the_browser_on_them(carrel: Call, browser: Opened) -> None:
    Path("notes").mkdir()
    Path("code").mkdir()

    carrel("--library", "/l", "notes", "./code")

    assert browser == [(Path("/l"), [Path("notes").absolute(), Path("code").absolute()], "")]


def test_a_wrong_folder_among_them_is_told_before_anything_opens(carrel: Call, browser: Opened) -> None:
    Path("notes").mkdir()

    ended = carrel("notes", "nowhere")

    assert (ended.code, browser) == (2, [])
    assert "There is no folder nowhere." in ended.err


def test_without_a_terminal_a_folder_is_indexed_and_the_status_printed(carrel: Call, library: FakeLibrary) -> None:
    Path("notes").mkdir()
    library.report = SyncReport(added=1)
    library.happenings = (Scanned(files=100, to_do=1),)

    ended = carrel("notes")

    assert ended.code == 0
    assert library.of("open") == [(None, True)]
    assert library.of("sync") == [((Path("notes").absolute(),), False)]
    assert ended.err == "100 files seen, 1 to read.\n"
    assert "carrel search WORDS" in ended.out
    assert "up to date" in ended.out


def test_without_a_terminal_and_without_a_library_the_help_is_printed(carrel: Call, library: FakeLibrary) -> None:
    ended = carrel()

    assert (ended.code, library.asked) == (0, [])
    assert ended.out.startswith("Usage: carrel ")


def test_without_a_terminal_the_status_of_the_library_is_printed(carrel: Call, library: FakeLibrary) -> None:
    places().library.parent.mkdir(parents=True)
    places().library.touch()
    library.watched = [Folder(1, b"/notes", "watching")]

    ended = carrel()

    assert (ended.code, library.of("sync")) == (0, [])
    assert "/notes" in ended.out
    assert "carrel search WORDS" in ended.out


def test_json_asks_for_the_status_even_on_a_terminal(carrel: Call, browser: Opened) -> None:
    Path("notes").mkdir()

    assert carrel("notes", "--json").json["folders"][0]["path"] == str(Path("notes").absolute())
    assert browser == []


def test_a_folder_inside_a_watched_one_is_indexed_with_it(carrel: Call, library: FakeLibrary) -> None:
    Path("notes/kitchen").mkdir(parents=True)
    library.watched = [Folder(1, os.fsencode(Path("notes").absolute()), "watching")]

    assert carrel("notes/kitchen").code == 0
    assert library.of("add") == []
    assert library.of("sync") == [((Path("notes/kitchen").absolute(),), False)]


def test_the_browser_opens_on_a_query(carrel: Call, browser: Opened) -> None:
    Path("notes").mkdir()

    for call in (("browse", "starter", "-stove"), ("-q", "starter -stove"), ("notes", "-q", "starter -stove")):
        assert carrel(*call).code == 0

    assert [query for _, _, query in browser] == ["starter -stove"] * 3
    assert browser[-1][1] == [Path("notes").absolute()]
    assert carrel("-q", "starter", "status").code == 2


def test_a_query_without_a_terminal_is_sent_to_the_search(carrel: Call) -> None:
    for call in (("browse", "starter"), ("-q", "starter")):
        ended = carrel(*call)
        assert (ended.code, ended.out) == (2, "")
        assert "carrel search starter" in ended.err
