"""Screens that close by themselves once their work is done, while help or another screen lies over them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fakes import FakeLibrary, ports
from piloting import WIDE, pressed, screen_of, settle, until
from textual.pilot import Pilot

from app.model_catalogue import Model
from app.tui.app import CarrelApp
from app.tui.browser import CarrelScreen
from app.tui.screens.command_list import CommandScreen
from app.tui.screens.library import model_fetch
from app.tui.screens.library.model_fetch import fetch
from app.tui.screens.library.picker import PickerScreen
from app.tui.screens.library.screen import LibraryScreen
from app.tui.screens.search.screen import SearchScreen
from app.tui.screens.welcome.screen import WelcomeScreen
from engine.records import FolderCount


class SlowCount(FakeLibrary):
    """A library that counts a folder once a test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.counting, self.go_on = threading.Event(), threading.Event()

    def count_files(self, folder: Path, most: int, stop: Callable[[], bool]) -> FolderCount:
        self.counting.set()
        assert self.go_on.wait(120)
        return super().count_files(folder, most, stop)


async def counting(pilot: Pilot[int], folder: Path, library: SlowCount) -> None:
    """Choose a folder in the picker that is open, and wait until it is counted."""
    cast("Any", pilot.app.screen).line.value = str(folder)
    await settle(pilot)
    await pilot.press("enter")
    while not library.counting.is_set():
        await pilot.pause()


async def test_a_folder_that_is_added_under_the_help_closes_the_picker_and_not_the_help(tmp_path: Path) -> None:
    library = SlowCount()
    app = CarrelApp(ports(library))
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pressed(pilot, "f3", "a")
        await counting(pilot, tmp_path, library)
        await pilot.press("f1")
        await pilot.pause()
        library.go_on.set()
        await settle(pilot)
        assert [type(each) for each in app.screen_stack] == [LibraryScreen, PickerScreen, CommandScreen]
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, LibraryScreen))
        await pressed(pilot, "escape")
        assert isinstance(app.screen, SearchScreen)


async def test_a_folder_that_is_added_while_another_screen_shows_closes_the_welcome(tmp_path: Path) -> None:
    library = SlowCount()
    library.folders = ()
    app = CarrelApp(ports(library))
    async with app.run_test(size=WIDE) as pilot:
        await until(pilot, lambda: isinstance(app.screen, WelcomeScreen))
        await counting(pilot, tmp_path, library)
        await pilot.press("f3")
        await pilot.pause()
        library.go_on.set()
        await settle(pilot)
        assert isinstance(app.screen, LibraryScreen)
        await pilot.press("f3")
        await until(pilot, lambda: app.screen is screen_of(pilot))


async def test_a_model_that_came_while_the_help_was_read_leaves_no_dialog(monkeypatch: pytest.MonkeyPatch) -> None:
    began, go_on = threading.Event(), threading.Event()

    def install(_model: Model, _told: Callable[[str], None]) -> None:
        began.set()
        assert go_on.wait(120)

    monkeypatch.setattr(model_fetch, "_install", install)
    app = CarrelApp(ports(FakeLibrary()))
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pressed(pilot, "f3")
        screen = cast("CarrelScreen", app.screen)
        app.run_worker(fetch(screen, cast("Any", SimpleNamespace(name="far/away"))), exit_on_error=False)
        while not began.is_set():
            await pilot.pause()
        await pilot.press("f1")
        await pilot.pause()
        go_on.set()
        await settle(pilot)
        assert isinstance(app.screen, CommandScreen)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
