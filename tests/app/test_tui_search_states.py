"""The states of the search screen that are seldom seen, the first run, and pictures of what filters and finds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import NOTES, FakeIndexer, FakeLibrary, ports
from piloting import SIZES, SMALL, WIDE, picture, pressed, settle, told, typed, written

from app.tui.app import CarrelApp
from app.tui.screens.search.screen import SearchScreen
from app.tui.screens.welcome.screen import WelcomeScreen
from app.tui.settings_file import SettingsFile
from app.tui.widgets.folder_line import completed_folder
from engine.config import Config
from engine.records import SearchResult, Weights

# --- states ---------------------------------------------------------------------------------------------------------


class Wordless(FakeLibrary):
    """A library whose model is missing."""

    def search(self, *arguments: Any, **named: Any) -> SearchResult:
        result = super().search(*arguments, **named)
        reason = "by words alone: The model tuned-3 is missing. `carrel models use` names those that there are."
        return replace(result, fusion="keyword", weights=Weights(0.0, 1.0, reason))


async def test_a_missing_model_is_told_with_what_to_do() -> None:
    app = CarrelApp(ports(Wordless()))
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, "starter")
        assert "Found by words alone: meaning is off." in written(pilot)
        assert "carrel models use" in written(pilot)


async def test_words_alone_by_choice_are_no_trouble() -> None:
    config = Config(fusion="keyword")
    app = CarrelApp(replace(ports(Wordless()), settings=SettingsFile(config=config)))
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, "starter")
        assert "meaning is off" not in written(pilot)


async def test_searches_go_by_the_settings(library: FakeLibrary) -> None:
    app = CarrelApp(replace(ports(library), settings=SettingsFile(config=Config(fusion="rrf"))))
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, "starter")
        assert library.asked[-1][1] == "rrf"
        app.change_config(fusion="vector")
        await settle(pilot)
        assert library.asked[-1][1] == "vector"


# --- the first run --------------------------------------------------------------------------------------------------


def bare(library: FakeLibrary) -> FakeLibrary:
    library.folders = ()
    return library


async def test_the_first_run_adds_a_folder(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    library = bare(FakeLibrary())
    app = CarrelApp(ports(library, FakeIndexer()))
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await settle(pilot)
        screen: Any = app.screen
        assert isinstance(screen, WelcomeScreen)
        text = written(pilot)
        assert "Which folder holds your notes?" in text
        assert all(key in text for key in ("type", "↑ ↓", "enter", "ctrl+t", "f1"))
        screen.line.value = f"{tmp_path}/no"
        screen.line.cursor_position = len(screen.line.value)
        await settle(pilot)
        await pressed(pilot, "tab")
        assert screen.line.value == f"{tmp_path}/notes/"
        await pressed(pilot, "enter")
        assert isinstance(app.screen, SearchScreen)
        assert library.folders == (f"{tmp_path}/notes".encode(),)
        assert "is read now" in told(pilot)[0]
        assert app.roots == library.folders


async def test_a_folder_that_is_not_there_is_told() -> None:
    app = CarrelApp(ports(bare(FakeLibrary())))
    async with app.run_test(size=SMALL) as pilot:
        await settle(pilot)
        screen: Any = app.screen
        screen.line.value = "/no/such/[/]folder"
        await pressed(pilot, "enter")
        assert "/no/such/[/]folder does not exist." in written(pilot)
        screen.line.value = ""
        await pressed(pilot, "enter")
        assert "Type the path of a folder" in written(pilot)
        await pressed(pilot, "escape")
        assert "No folder is watched yet" in written(pilot)
        await pressed(pilot, "enter")
        assert isinstance(app.screen, WelcomeScreen)


async def test_a_read_only_library_without_folders_asks_for_none() -> None:
    app = CarrelApp(ports(bare(FakeLibrary(read_only=True))))
    async with app.run_test(size=SMALL) as pilot:
        await settle(pilot)
        await pressed(pilot, "enter")
        assert isinstance(app.screen, SearchScreen)


def test_folders_are_completed_by_name(tmp_path: Path) -> None:
    for name in ("notes", "Novels", ".hidden", "node"):
        (tmp_path / name).mkdir()
    (tmp_path / "note.md").write_text("no folder")
    assert completed_folder(f"{tmp_path}/no") == f"{tmp_path}/node/"
    assert completed_folder(f"{tmp_path}/not") == f"{tmp_path}/notes/"
    assert completed_folder(f"{tmp_path}/") == f"{tmp_path}/node/"
    assert completed_folder(f"{tmp_path}/.h") == f"{tmp_path}/.hidden/"
    assert completed_folder(f"{tmp_path}/missing/x") is None
    assert completed_folder("plain") is None


# --- pictures -------------------------------------------------------------------------------------------------------


SAVED = Config(saved={"bread": "path:kitchen starter"})
ASKED = ('path:kitchen "rye starter" -stove', "how long does a starter live")


@pytest.mark.parametrize("size", SIZES)
def test_chips_and_completion(snap_compare: Any, size: tuple[int, int]) -> None:
    assert picture(snap_compare, FakeLibrary(), size, query="starter -stove path:kit")


@pytest.mark.parametrize("size", SIZES)
def test_an_unfolded_note(snap_compare: Any, size: tuple[int, int]) -> None:
    assert picture(snap_compare, FakeLibrary(), size, "tab", "l", query="hungry starter")


@pytest.mark.parametrize("size", SIZES)
def test_the_filter_picker(snap_compare: Any, size: tuple[int, int]) -> None:
    assert picture(snap_compare, FakeLibrary(), size, "ctrl+f", "enter", query="starter")


@pytest.mark.parametrize("size", SIZES)
def test_the_history(snap_compare: Any, size: tuple[int, int]) -> None:
    assert picture(snap_compare, FakeLibrary(), size, "ctrl+r", asked=ASKED)


@pytest.mark.parametrize("size", SIZES)
def test_saved_searches(snap_compare: Any, size: tuple[int, int]) -> None:
    assert picture(snap_compare, FakeLibrary(), size, "f6", query="starter", config=SAVED)


@pytest.mark.parametrize("size", SIZES)
def test_no_model(snap_compare: Any, size: tuple[int, int]) -> None:
    assert picture(snap_compare, Wordless(), size, query="starter")


@pytest.mark.parametrize("size", SIZES)
def test_the_first_run(snap_compare: Any, size: tuple[int, int], monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert picture(snap_compare, bare(FakeLibrary(dict(NOTES))), size)
