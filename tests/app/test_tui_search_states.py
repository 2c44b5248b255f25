"""The states of the search screen that are seldom seen, the first run, and pictures of what filters and finds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import NOTES, FakeIndexer, FakeLibrary, ports
from piloting import SIZES, SMALL, WIDE, picture, pressed, settle, told, typed, written

from app.tui.app import CarrelApp
from app.tui.ports import Opened
from app.tui.screens.search.screen import SearchScreen
from app.tui.screens.welcome.screen import WelcomeScreen
from app.tui.settings_file import SettingsFile
from app.tui.terminal_session import open_library
from engine.config import Config
from engine.figures import count
from engine.records import FolderCount, SearchResult, Weights

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


def home_with_vaults(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a home with an Obsidian vault, a Logseq graph in a folder, notes, and folders that hold none."""
    for folder in ("Vault/.obsidian", "Vault/inner/.obsidian", "Work/graph/logseq", "Notes", "src/a/b/c/d/.obsidian"):
        (home / folder).mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))


async def test_vaults_come_first_and_nothing_is_prefilled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home_with_vaults(tmp_path, monkeypatch)
    library = bare(FakeLibrary())
    app = CarrelApp(ports(library, FakeIndexer()))
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        screen: Any = app.screen
        assert screen.line.value == ""
        shown = [line.strip() for line in screen.folders.shown_lines]
        assert shown == [
            "~/Vault   Obsidian vault",
            "~/Work/graph   Logseq graph",
            "~/Notes",
            "In your home",
            "src/",
            "Work/",
        ]
        assert "Everything readable in ~/Vault" in written(pilot)
        await pressed(pilot, "down", "tab")
        assert screen.line.value == "~/Work/graph/"
        await pressed(pilot, *["backspace"] * len("graph/"), "enter")
        assert library.folders == (f"{tmp_path}/Work".encode(),)


@pytest.mark.parametrize(("typed_path", "files"), [("~/Vault", 5_001), ("~", 3), ("/", 3)])
async def test_very_many_files_the_home_and_the_disk_are_asked_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed_path: str, files: int
) -> None:
    home_with_vaults(tmp_path, monkeypatch)
    library = bare(FakeLibrary())
    library.counted = FolderCount(files, files == 3, {b"inner": 4_999, b"Vault": 2})  # type: ignore[attr-defined]
    app = CarrelApp(ports(library, FakeIndexer()))
    async with app.run_test(size=SMALL) as pilot:
        await settle(pilot)
        screen: Any = app.screen
        screen.line.value = typed_path
        await pressed(pilot, "enter")
        asked = " ".join(written(pilot).split())
        assert f"Read all of {typed_path}?" in asked
        assert f"{'More than ' if files != 3 else ''}{count(files)} files would be read" in asked
        assert "until all are found by their words" in asked
        await pressed(pilot, "n")
        assert library.folders == ()
        assert screen.line.value == f"{typed_path}/".replace("//", "/")
        if typed_path == "~/Vault":
            assert "inner/   4,999 files" in written(pilot)
        elif typed_path == "~":
            assert "Vault/   2 files" in written(pilot)
        await pressed(pilot, "enter", "y")
        assert len(library.folders) == 1
        assert isinstance(app.screen, SearchScreen)


async def test_a_large_folder_of_the_command_line_is_asked_about_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home_with_vaults(tmp_path, monkeypatch)
    library = FakeLibrary()
    before = library.folders
    library.counted = FolderCount(100_000, False, {b"Vault": 2})  # type: ignore[attr-defined]
    opened = Opened(library, library.new_cancellation, large=tmp_path)
    app = CarrelApp(replace(ports(library, FakeIndexer()), open_library=lambda: opened))
    async with app.run_test(size=SMALL) as pilot:
        await settle(pilot)
        assert "Read all of ~?" in written(pilot)
        assert "More than 100,000 files would be read" in " ".join(written(pilot).split())
        assert library.folders == before
        await pressed(pilot, "n")
        assert "Vault/   2 files" in written(pilot)
        await pressed(pilot, "escape")
        assert isinstance(app.screen, SearchScreen)
        assert library.folders == before


def test_what_the_command_line_names_is_watched_unless_it_holds_very_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.tui.screens.library import folder_size

    home, small, large = tmp_path / "home", tmp_path / "small", tmp_path / "large"
    for folder, number in ((home, 1), (small, 3), (large, 4)):
        folder.mkdir()
        for each in range(number):
            (folder / f"{each}.md").write_text("# A note\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr(folder_size, "ASKED_ABOVE", 3)
    library = tmp_path / "library.carrel"
    for wanted, asked, watched in (([home], home, 0), ([large, small], large, 1), ([small], None, 1)):
        opened = open_library(library, wanted)
        assert (opened.large, len(opened.library.status().folders)) == (asked, watched)
        opened.library.close()


async def test_a_home_without_notes_offers_nothing_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "src").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    library = bare(FakeLibrary())
    app = CarrelApp(ports(library, FakeIndexer()))
    async with app.run_test(size=SMALL) as pilot:
        await settle(pilot)
        await pressed(pilot, "enter")
        assert isinstance(app.screen, WelcomeScreen)
        assert library.folders == ()
        assert "or choose one of the list" in written(pilot)


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
