"""The order of a start: the screen, the rows of the first search, and then what would take the processor from both."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest
from fakes import FakeIndexer, FakeLibrary, ports
from piloting import WIDE, settle, typed
from textual import events
from textual.css import stylesheet
from textual.pilot import Pilot

from app.tui import followed_library
from app.tui.app import CarrelApp
from engine.errors import CarrelError


class ColdLibrary(FakeLibrary):
    """Remembers whether its model was loaded; its first search by words goes on until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.warmed = False
        self.held = {"keyword"}

    def warm(self) -> None:
        self.warmed = True


async def until(pilot: Pilot[int], seen: Callable[[], object]) -> None:
    while not seen():
        await pilot.pause()


async def test_the_indexer_and_the_model_wait_until_the_first_search_has_rows() -> None:
    library, indexer = ColdLibrary(), FakeIndexer()
    app = CarrelApp(ports(library, indexer))
    async with app.run_test(size=WIDE) as pilot:
        await until(pilot, lambda: library.asked)
        await pilot.pause()
        assert not indexer.started and not library.warmed
        library.release.set()
        await settle(pilot)
        assert indexer.started and library.warmed


async def test_the_first_search_of_both_legs_waits_for_the_words_and_loads_the_model_behind_them() -> None:
    library = ColdLibrary()
    app = CarrelApp(ports(library))
    async with app.run_test(size=WIDE) as pilot:
        await until(pilot, lambda: library.asked)
        await pilot.press("s")
        await until(pilot, lambda: library.asked[-1][0] == "s")
        for _ in range(5):
            await pilot.pause()
        assert {fusion for _, fusion, _ in library.asked} == {"keyword"}
        library.release.set()
        await settle(pilot)
        assert library.asked[-1][:2] == ("s", "convex")


async def test_a_first_search_that_does_not_end_keeps_the_indexer_waiting_for_a_while_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(followed_library, "FIRST_ROWS_SECONDS", 0.0)
    library, indexer = ColdLibrary(), FakeIndexer()
    async with CarrelApp(ports(library, indexer)).run_test(size=WIDE) as pilot:
        await until(pilot, lambda: indexer.started)
        assert not library.release.is_set()
        library.release.set()


async def test_a_first_search_that_fails_keeps_nothing_waiting() -> None:
    library, indexer = FakeLibrary(), FakeIndexer()
    library.error = CarrelError("The file is damaged.")
    async with CarrelApp(ports(library, indexer)).run_test(size=WIDE) as pilot:
        await settle(pilot)
        assert indexer.started


@pytest.fixture
def _styles_parsed_once() -> None:
    """Parse as a browser does: here it is counted."""


async def test_no_style_is_parsed_twice_until_the_theme_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[tuple[Any, ...]] = []  # scope, source and rank
    once = stylesheet.parse

    def parse(*facts: Any, **more: Any) -> Any:
        parsed.append((*facts[:2], more["tie_breaker"]))
        return once(*facts, **more)

    monkeypatch.setattr(stylesheet, "parse", parse)
    app = CarrelApp(ports(FakeLibrary()))
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        started = len(parsed)
        for key in ("f2", "f3", "f9", "f1"):
            await pilot.press(key)
            await settle(pilot)
        assert started < len(parsed) == len(set(parsed))
        before = app.screen.styles.background
        app.theme = "carrel-light"
        await settle(pilot)
        assert len(parsed) > len(set(parsed))
        assert app.screen.styles.background != before


async def test_the_search_is_found_again_from_the_other_screens() -> None:
    app = CarrelApp(ports(FakeLibrary()))
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter")
        app.action_show_library()
        await settle(pilot)
        assert app.current_mode == "library"
        app.action_show_library()
        await settle(pilot)
        assert app.screen is screen and app.current_mode == "search"


async def test_a_screen_that_came_while_the_terminal_had_no_focus_has_the_keys_once_it_has() -> None:
    app = CarrelApp(ports(FakeLibrary()))
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        app.post_message(events.AppBlur())
        await settle(pilot)
        app.action_show_library()
        await settle(pilot)
        app.post_message(events.AppFocus())
        await settle(pilot)
        assert app.focused is app.screen.query_one("#tree")


async def test_garbage_is_collected_again_once_the_first_picture_stands() -> None:
    gc.disable()  # as the command line does while it imports
    try:
        async with CarrelApp(ports(FakeLibrary())).run_test(size=WIDE) as pilot:
            await settle(pilot)
            assert gc.isenabled()
    finally:
        gc.enable()
