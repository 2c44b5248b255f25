"""Keys as a screen names them: each does something where it is named, and the one that opened something closes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from fakes import NOTES, FakeLibrary, ports
from piloting import SMALL, WIDE, pressed, screen_of, settle, told, typed, written
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from app.tui.app import CarrelApp
from app.tui.screens.chooser import ChoiceScreen
from app.tui.screens.letter_choice import LetterScreen
from app.tui.screens.search.compare.screen import CompareScreen
from app.tui.screens.search.screen import SearchScreen
from app.tui.settings_file import SettingsFile
from engine.config import Config
from engine.records import SearchResult

LONG = {f"a/{number}.md": f"# Note {number}\n\nstarter {'x' * number}\n" for number in range(6)}
# What stands for a key in a text; what is said of another place ("f12 in the search") is no key of this one.
NAMED = re.compile(
    r"(?<![\w+])((?:(?:ctrl|alt|shift)\+[^\s,;.:]+|f\d\d?|esc|del|tab|enter|[↑↓←→]+(?= [a-z]))(?=[\s,;.:]|$)"
    r"|\S+(?= shows (?:them|more)| takes (?:the|it)| turns the page))(?! in the search)"
)
TEXTUAL = {"esc": "escape", "del": "delete", "↑": "up", "↓": "down", "←": "left", "→": "right", ".": "full_stop"}


class OneGood(FakeLibrary):
    """A library in which all rows but the first are weak."""

    def search(self, text: str, **more: Any) -> SearchResult:
        found = super().search(text, **more)
        hits = tuple(replace(hit, tier="weak" if place else "strong") for place, hit in enumerate(found.hits))
        return replace(found, hits=hits, verdict="strong" if hits else "none")


class Empty(FakeLibrary):
    """A library in which nothing passes a filter."""

    def search(self, text: str, **more: Any) -> SearchResult:
        return replace(super().search(text, **more), hits=(), found=0, verdict="none")


def browser(library: FakeLibrary, config: Config | None = None) -> CarrelApp:
    app = CarrelApp(replace(ports(library), settings=SettingsFile(config=config)))
    app.ports.history.remember("bread oven")
    return app


def keys_in(text: str) -> Iterator[str]:
    """Yield the keys that a text names, as Textual calls them."""
    for name in NAMED.findall(text):
        *held, last = name.split("+")
        each = last if last[:1] in "↑↓←→" else [last.split("/")[0].split("…")[0]]
        for key in each:
            yield "+".join([*held, TEXTUAL.get(key, key)])


def on_top(pilot: Pilot[int]) -> str:
    """Return the text of the screen that has the keys, without what shows of the one below it."""
    boxes = [child.region for child in pilot.app.screen.children if child.display]
    lines = written(pilot).splitlines()
    return "\n".join(line[box.x : box.right] for box in boxes for line in lines[box.y : box.bottom])


def test_what_is_taken_for_a_key() -> None:
    text = "6 weak   . shows them  ↑↓ move  ctrl+d/u half  esc back; alt+z takes the last one away.  f12 in the search"
    assert list(keys_in(text)) == ["full_stop", "up", "down", "ctrl+d", "escape", "alt+z"]
    assert list(keys_in("deltas of tables centered ↑ 3")) == []


@pytest.mark.parametrize("size", [SMALL, WIDE])
@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("", ()),
        ("starter", ()),
        ("starter", ("tab",)),
        ("starter", ("f12",)),
        ("starter", ("ctrl+t",)),
        ("starter", ("ctrl+l",)),
        ("starter path:nowhere", ()),
        ("starter type:m", ()),
        ("starter", ("ctrl+f",)),
        ("starter", ("ctrl+f", "enter")),
        ("", ("ctrl+r",)),
        ("", ("f6",)),
        ("starter", ("f6",)),
        ("starter", ("f6", "down")),
        ("", ("alt+b",)),
        ("starter", ("f7",)),
        ("starter", ("ctrl+n",)),
        ("starter", ("ctrl+y",)),
        ("starter", ("ctrl+o",)),
        ("starter", ("ctrl+o", "ctrl+f", *"start")),
        ("", ("f3",)),
        ("", ("f3", "a")),
        ("", ("f5",)),
        ("", ("f9",)),
    ],
)
async def test_every_key_that_is_named_does_something_where_it_is_named(
    size: tuple[int, int], query: str, keys: tuple[str, ...]
) -> None:
    app = browser(OneGood(LONG), Config(saved={"ovens": "bread oven"}) if "down" in keys else None)
    async with app.run_test(size=size) as pilot:
        await typed(pilot, query)
        await pressed(pilot, *keys)
        works = set(app.screen.active_bindings)
        assert [key for key in keys_in(on_top(pilot)) if key not in works] == []


async def test_the_key_that_shows_the_weak_rows_is_the_one_that_works_there_and_ones_own() -> None:
    async with browser(OneGood(LONG)).run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter")
        assert "5 weak   ctrl+↓ shows them" in written(pilot)
        await pressed(pilot, "tab")
        assert "5 weak   . shows them" in written(pilot)
        await pressed(pilot, "full_stop")
        assert len(screen.rows.hits) == 6 and "shows them" not in written(pilot)
    own = Config(keys={"search.more": "ctrl+b,v", "search.drop_filter": "alt+g"})
    async with browser(OneGood(LONG), own).run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter")
        assert "ctrl+b shows them" in written(pilot)
        await pressed(pilot, "tab")
        assert "v shows them" in written(pilot)
        await pressed(pilot, "v")
        assert len(screen.rows.hits) == 6
    async with browser(Empty(LONG), own).run_test(size=WIDE) as pilot:
        await typed(pilot, "starter path:nowhere")
        assert "alt+g takes the last one away; ctrl+f picks another" in " ".join(on_top(pilot).split())


# --- once more ------------------------------------------------------------------------------------------------------


def place(pilot: Pilot[int]) -> tuple[object, ...]:
    """Return what a key may have opened: a screen, the focus, the explanation, the mode."""
    screen, search = pilot.app.screen, pilot.app.screen_stack[0]
    explaining = isinstance(search, SearchScreen) and search.pane.explaining
    return screen, screen.focused, explaining, pilot.app.current_mode


@pytest.mark.parametrize(
    "key",
    [
        *("f1", "ctrl+p", "f3", "f5", "f9", "f7", "f12", "alt+w", "ctrl+t", "ctrl+o", "ctrl+y"),
        *("ctrl+f", "f6", "alt+s", "ctrl+r", "alt+b", "ctrl+n"),
    ],
)
async def test_the_key_that_opens_something_closes_it_again(key: str) -> None:
    app = browser(FakeLibrary())
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, "starter")
        before = place(pilot)
        await pressed(pilot, key)
        assert place(pilot) != before
        await pressed(pilot, key)
        assert place(pilot) == before


async def test_letters_that_open_something_close_it_unless_they_are_typed_there() -> None:
    app = browser(FakeLibrary())
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, "starter")
        await pressed(pilot, "tab", "w", "w")
        assert screen_of(pilot).rows.has_focus and not screen_of(pilot).pane.explaining
        await pressed(pilot, "y", "y")
        assert app.screen is screen_of(pilot)
        await pressed(pilot, "n", "n", "o")
        line = app.screen.focused
        assert isinstance(line, Input) and line.value == "no"
        await pressed(pilot, "ctrl+n")
        assert app.screen is screen_of(pilot)


async def test_a_key_of_ones_own_closes_what_it_opened_and_the_old_one_does_not() -> None:
    own = Config(keys={"search.saved": "ctrl+b", "search.compare": "ctrl+j"})
    app = browser(FakeLibrary(), own)
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, "starter alive")
        await pressed(pilot, "ctrl+b", "f6")
        assert isinstance(app.screen, ChoiceScreen)
        await pressed(pilot, "ctrl+b", "ctrl+j")
        assert isinstance(app.screen, CompareScreen)
        await pressed(pilot, "ctrl+j")
        assert app.screen is screen_of(pilot)


async def test_what_if_closes_with_its_key_but_not_over_rows_that_stand_by_other_settings() -> None:
    app = browser(FakeLibrary())
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter alive")
        await pressed(pilot, "f12", "right", "f12")
        assert screen.query_line.has_focus and screen.pane.explaining
        await pressed(pilot, "f12", "r", "f12", "ctrl+t")
        assert not screen.pane.explaining


async def test_finding_in_the_reader_closes_with_its_key() -> None:
    app = browser(FakeLibrary())
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, "starter")
        await pressed(pilot, "ctrl+o", "ctrl+f", *"feed", "ctrl+f")
        assert app.screen.has_class("-finding") is False and "Find in this text" not in written(pilot)


# --- what stays -----------------------------------------------------------------------------------------------------


async def test_a_letter_that_copies_nothing_is_named_and_the_choice_stays() -> None:
    app = browser(FakeLibrary())
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, "starter")
        await pressed(pilot, "ctrl+y", "z")
        assert isinstance(app.screen, LetterScreen)
        assert "z does nothing here; p, l, m, w, q, t do." in written(pilot)
        await pressed(pilot, "down")
        assert "↓ does nothing here" in written(pilot)
        await pressed(pilot, "p")
        assert app.screen is screen_of(pilot) and app.clipboard.endswith(".md")
        await pressed(pilot, "ctrl+y")
        line = next(at for at, text in enumerate(written(pilot).splitlines()) if " m  Markdown link" in text)
        await pilot.click(offset=(3, line))
        await settle(pilot)
        assert app.clipboard.startswith("[") and app.screen is screen_of(pilot)
        await pressed(pilot, "ctrl+y")
        await pilot.click(offset=(60, 5))
        assert app.screen is screen_of(pilot)


async def test_saved_searches_name_the_keys_of_what_is_chosen_alone() -> None:
    app = browser(FakeLibrary(), Config(saved={"ovens": "bread oven"}))
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, "starter")
        await pressed(pilot, "f6")
        assert "Keep the present search" in on_top(pilot) and "f8" not in on_top(pilot)
        await pressed(pilot, "delete", "f8")
        assert isinstance(app.screen, ChoiceScreen) and app.config.saved == {"ovens": "bread oven"}
        await pressed(pilot, "down")
        assert "f8 watch" in on_top(pilot) and "del forget it" in on_top(pilot)
        await pressed(pilot, "delete")
        assert app.config.saved == {} and "del forget" not in on_top(pilot)
    async with browser(FakeLibrary()).run_test(size=WIDE) as pilot:
        await typed(pilot, "")
        await pressed(pilot, "f6")
        assert "None yet." in written(pilot)
        assert not [key for key in ("f8", "del ", "enter pick", "↑↓") if key in on_top(pilot)]


async def test_a_row_alone_is_compared_with_the_best_weak_one_which_stays_folded() -> None:
    app = browser(OneGood(LONG))
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter")
        await pressed(pilot, "f7")
        assert isinstance(app.screen, CompareScreen)
        first, second = app.screen._pair.first.hit, app.screen._pair.second.hit
        assert (first.tier, second.tier) == ("strong", "weak") and second == screen.parts.shown.folded_away[0]
        await pressed(pilot, "f7")
        assert len(screen.rows.hits) == 1
    alone = browser(FakeLibrary({"a.md": NOTES[next(iter(NOTES))]}))
    async with alone.run_test(size=WIDE, notifications=True) as pilot:
        screen = await typed(pilot, "starter")
        assert len(screen.rows.hits) <= 1
        await pressed(pilot, "f7")
        assert told(pilot)[-1] == "Two results are needed to compare them."


@pytest.mark.parametrize(
    ("pasted", "line"),
    [
        ("def f(x):\n        return x\n\n\n        # why\n", "def f(x): return x # why"),
        ("\u2003one\r\n\ttwo\u2028three", "one two three"),
        ("  as it  is", "  as it  is"),
        ("\n\n", ""),
    ],
)
async def test_pasted_lines_are_joined_without_their_indentation(pasted: str, line: str) -> None:
    async with browser(FakeLibrary()).run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "")
        screen.query_line.post_message(events.Paste(pasted))
        await settle(pilot)
        assert screen.query_line.value == line
