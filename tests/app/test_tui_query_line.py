"""The query line by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes import STILL, FakeLibrary, ports
from piloting import SMALL, pressed, typed
from textual.app import App, ComposeResult

from app.tui.app import CarrelApp
from app.tui.screens.search import query_line
from app.tui.screens.search.query_line import QueryLine


class OneLine(App[None]):
    """Holds a query line and nothing else."""

    def compose(self) -> ComposeResult:
        yield QueryLine(id="query")


async def test_the_cursor_stands_still_at_rest_and_blinks_again_at_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_line, "BLINKING_SECONDS", 0.01)
    app = OneLine()
    async with app.run_test() as pilot:
        line = app.query_one(QueryLine)
        while line.cursor_blink:
            await pilot.pause()
        monkeypatch.setattr(query_line, "BLINKING_SECONDS", 3600.0)
        await pilot.press("a")
        assert line.cursor_blink


async def test_a_query_that_was_emptied_or_replaced_comes_back(library: FakeLibrary) -> None:
    app = CarrelApp(ports(library))
    app.ports.history.remember("an older one")
    async with app.run_test(size=SMALL) as pilot:
        screen = await typed(pilot, "how long does a starter live")
        await pressed(pilot, "escape")
        assert screen.query_line.value == ""
        await pressed(pilot, "escape", "ctrl+z")  # pressed once more than was needed
        assert screen.query_line.value == "how long does a starter live"
        assert screen.parts.shown.question == "how long does a starter live"
        await pressed(pilot, "ctrl+r", "enter")
        assert screen.query_line.value == "an older one"
        await pressed(pilot, "ctrl+z")
        assert screen.query_line.value == "how long does a starter live"
        await pressed(pilot, "x")
        assert not screen.parts.kept.can_bring_back  # the key suspends, as everywhere


async def test_the_history_keeps_what_stood_and_whose_rows_were_walked(library: FakeLibrary) -> None:
    app = CarrelApp(ports(library, pace=replace(STILL, stood=0.001)))
    history = app.ports.history
    async with app.run_test(size=SMALL) as pilot:
        for text in ("sourdough", "sourdough care", "starter"):
            await typed(pilot, text)
            while history.entries()[:1] != (text,):
                await pilot.pause()
        assert history.entries() == ("starter", "sourdough care")  # not what it grew from
    still = CarrelApp(ports(library))
    async with still.run_test(size=SMALL) as pilot:
        await typed(pilot, "yeast")
        assert still.ports.history.entries() == ()
        await pressed(pilot, "down")
        assert still.ports.history.entries() == ("yeast",)
