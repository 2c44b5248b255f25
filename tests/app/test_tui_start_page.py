"""What an empty query line shows: first keys to a beginner, and to who was here before what was done then."""

from __future__ import annotations

from dataclasses import replace

from fakes import FakeLibrary, ports
from piloting import SMALL, WIDE, pressed, screen_of, settle, typed, written
from textual.pilot import Pilot

from app.tui.app import CarrelApp
from app.tui.screens.reader.screen import ReaderScreen
from app.tui.settings_file import SettingsFile
from engine.config import Config

SAVED = {"bread": "path:kitchen starter"}


def browser(*asked: str, config: Config | None = None, library: FakeLibrary | None = None) -> CarrelApp:
    app = CarrelApp(replace(ports(library or FakeLibrary()), settings=SettingsFile(config=config)))
    for text in asked:
        app.ports.history.remember(text)
    return app


async def clicked(pilot: Pilot[int], words: str) -> None:
    line = next(place for place, text in enumerate(written(pilot).splitlines()) if words in text)
    await pilot.click(offset=(written(pilot).splitlines()[line].index(words) + 1, line))
    await settle(pilot)


async def test_who_was_here_before_finds_searches_saved_ones_and_what_was_opened_last() -> None:
    library = FakeLibrary()
    app = browser("stove", "[/] jar", "yeast", "spark", config=Config(saved=SAVED), library=library)
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "hungry")
        assert screen.rows.hit is not None
        library.opened("hungry", screen.rows.hit.passage_id)
        await typed(pilot, "")
        text = written(pilot)
        assert "walk through the results" not in text
        assert all(each in text for each in ("Searched before", "spark", "[/] jar", "Saved", "bread", "Opened last"))
        assert "stove" not in text.partition("Saved")[0]  # the newest three; ctrl+r has all
        assert "sourdough.md" in text and "Changed last" in text
        await clicked(pilot, "[/] jar")
        assert screen.query_line.value == "[/] jar"
        await typed(pilot, "")
        await clicked(pilot, "bread")
        assert screen.query_line.value == SAVED["bread"]
        await typed(pilot, "")
        await clicked(pilot, "sourdough.md")
        assert isinstance(app.screen, ReaderScreen)
        await pressed(pilot, "escape", "alt+b")
        assert "Opened before" in written(pilot)
        await pressed(pilot, "enter")
        assert isinstance(app.screen, ReaderScreen)


async def test_a_beginner_is_told_the_first_keys_and_so_is_who_wants_nothing_remembered() -> None:
    for app in (browser("yeast"), browser("a", "b", "c", "d", config=Config(history=False))):
        async with app.run_test(size=SMALL) as pilot:
            await settle(pilot)
            assert "walk through the results" in written(pilot)
            assert "Searched before" not in written(pilot)
            assert not screen_of(pilot).query_line.value
