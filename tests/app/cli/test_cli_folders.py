"""`carrel add`, `remove` and `folders`."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from cli_fakes import Call, FakeLibrary

from app.cli import indexer_request
from engine.errors import LibraryBusy, PathError
from engine.records import Folder, Writer

NOTES = Folder(1, b"/home/me/notes", "watching", documents=6402, passages=41870, failed=3)
CAFE = Folder(2, b"/home/me/caf\xe9", "paused")


class Terminal(io.StringIO):
    """A terminal on which somebody types."""

    def isatty(self) -> bool:
        return True


def test_add_registers_folders_and_says_what_comes_next(carrel: Call, library: FakeLibrary) -> None:
    Path("notes").mkdir()
    Path("code").mkdir()

    ended = carrel("add", "notes", "code")

    assert ended.code == 0
    assert ended.out == "Added: notes\nAdded: code\n"
    assert "`carrel sync` indexes" in ended.err
    assert library.of("open") == [(None, True)]
    assert library.of("sync") == []


def test_adding_a_folder_twice_is_no_error(carrel: Call) -> None:
    Path("notes").mkdir()
    carrel("add", "notes")

    ended = carrel("add", "notes/")

    assert (ended.code, ended.out) == (0, "Already watched: notes\n")


def test_add_beside_an_indexer_leaves_the_indexing_to_it(carrel: Call, library: FakeLibrary) -> None:
    Path("notes").mkdir()
    library.writer = Writer(4711, "watching", 0.0)

    assert "process 4711" in carrel("add", "notes").err


def test_add_as_json_lists_the_folders(carrel: Call) -> None:
    Path("notes").mkdir()

    added = carrel("add", "--json", "notes").json["added"]

    assert added[0]["path"] == str(Path("notes").absolute())
    assert added[0]["state"] == "watching"


@pytest.mark.parametrize("wrong", ["nowhere", "note.md"])
def test_add_changes_nothing_where_one_path_is_wrong(carrel: Call, library: FakeLibrary, wrong: str) -> None:
    Path("notes").mkdir()
    Path("note.md").write_text("x")

    ended = carrel("add", "notes", wrong)

    assert (ended.code, ended.out) == (2, "")
    assert wrong in ended.err
    assert library.asked == []


def test_add_passes_on_why_a_folder_cannot_be_watched(carrel: Call, library: FakeLibrary) -> None:
    Path("notes").mkdir()
    library.refusals["add"] = [PathError("notes lies inside a watched folder.")]

    ended = carrel("add", "notes")

    assert (ended.code, ended.err) == (2, "carrel: notes lies inside a watched folder.\n")


def test_remove_with_yes_forgets_without_asking(carrel: Call, library: FakeLibrary) -> None:
    library.watched = [NOTES, CAFE]

    ended = carrel("remove", "/home/me/notes", "--yes")

    assert (ended.code, ended.out) == (0, "Forgotten: /home/me/notes, with 6,402 documents\n")
    assert library.watched == [CAFE]


def test_remove_takes_a_name_that_is_not_utf8(carrel: Call, library: FakeLibrary) -> None:
    library.watched = [NOTES, CAFE]

    removed = carrel("remove", "--yes", "--json", "/home/me/caf\udce9").json["removed"]

    assert removed[0]["path_base64"]
    assert library.watched == [NOTES]


def test_remove_without_a_terminal_wants_a_yes(carrel: Call, library: FakeLibrary) -> None:
    library.watched = [NOTES]

    ended = carrel("remove", "/home/me/notes")

    assert ended.code == 2
    assert "--yes" in ended.err
    assert library.watched == [NOTES]


@pytest.mark.parametrize(("answer", "code", "left"), [("y\n", 0, []), ("n\n", 1, [NOTES]), ("\n", 1, [NOTES])])
def test_remove_asks_on_a_terminal(
    carrel: Call, library: FakeLibrary, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, left: list[Folder]
) -> None:
    library.watched = [NOTES]
    monkeypatch.setattr(sys, "stdin", Terminal(answer))

    ended = carrel("remove", "/home/me/notes")

    assert (ended.code, library.watched) == (code, left)
    assert "6,402 documents leave the index; no file is touched." in ended.err


def test_remove_forgets_nothing_where_one_folder_is_not_watched(carrel: Call, library: FakeLibrary) -> None:
    library.watched = [NOTES]

    ended = carrel("remove", "--yes", "/home/me/notes", "/home/me/other")

    assert ended.code == 2
    assert "/home/me/other is not a watched folder" in ended.err
    assert library.watched == [NOTES]


def test_remove_beside_an_indexer_asks_it(carrel: Call, library: FakeLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexer_request, "POLL_SECONDS", 0.0)
    library.watched = [NOTES]
    library.writer = Writer(4711, "watching", 0.0)
    library.refusals["remove"] = [LibraryBusy("Busy.")]
    library.outcomes = [SimpleNamespace(done=True, outcome={"documents": 6402})]

    ended = carrel("remove", "--yes", "/home/me/notes")

    assert (ended.code, ended.out) == (0, "Forgotten: /home/me/notes, with 6,402 documents\n")
    assert library.of("request") == [("remove", "/home/me/notes")]


def test_folders_are_an_aligned_table(carrel: Call, library: FakeLibrary) -> None:
    library.watched = [NOTES, CAFE]

    assert carrel("folders").out.splitlines() == [
        "folder          state     documents  passages  failed",
        "/home/me/notes  watching      6,402    41,870       3",
        "/home/me/caf\ufffd   paused            0         0       –",
    ]


def test_folders_as_json(carrel: Call, library: FakeLibrary) -> None:
    library.watched = [NOTES]

    listed = carrel("folders", "--json").json

    assert listed["format"] == 1
    assert listed["folders"][0] == {
        "path": "/home/me/notes",
        "state": "watching",
        "documents": 6402,
        "passages": 41870,
        "failed": 3,
        "held": 0,
    }


def test_no_folder_says_how_to_add_one(carrel: Call) -> None:
    ended = carrel("folders")

    assert (ended.code, ended.out) == (0, "")
    assert "carrel add" in ended.err


@pytest.mark.usefixtures("no_library")
@pytest.mark.parametrize("arguments", [("folders",), ("remove", "x", "--yes"), ("status",), ("sync",), ("doctor",)])
def test_without_a_library_a_command_says_how_to_make_one(carrel: Call, arguments: tuple[str, ...]) -> None:
    ended = carrel(*arguments)

    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "carrel: There is no library yet.\n`carrel add FOLDER` makes one.\n"
