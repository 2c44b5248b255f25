"""How the room of the search screen is shared out: the density of the rows, their text, and the border to the pane."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes import NOW, ROOT, FakeLibrary, ports, search_notes
from piloting import SMALL, WIDE, pressed, settle, typed, written
from textual.pilot import Pilot

from app.tui.app import CarrelApp
from app.tui.screens.search.row import RowShape, context_of, judged_line, row_lines
from app.tui.screens.search.row_snippet import snippet_lines
from app.tui.settings_file import SettingsFile
from engine.config import Config
from engine.records import Hit, SearchResult, SearchSettings

MANY = {f"kitchen/{number}.md": f"# Note {number}\n\nThe starter number {number} is alive.\n" for number in range(20)}
LONG = "It begins here with much that nobody asked for at all. Then the starter is fed. And after that it goes on."


@pytest.fixture
def result(library: FakeLibrary) -> SearchResult:
    return search_notes(library.notes, "starter alive", SearchSettings(), 10)


def browser(config: Config | None = None, library: FakeLibrary | None = None) -> CarrelApp:
    return CarrelApp(replace(ports(library or FakeLibrary()), settings=SettingsFile(config=config)))


def rows_in_sight(pilot: Pilot[int]) -> int:
    return written(pilot).count("Note ")


async def test_rows_stand_as_dense_as_the_screen_is_low_and_d_turns_through_three_densities() -> None:
    app = browser(library=FakeLibrary(MANY))
    async with app.run_test(size=SMALL) as pilot:
        screen = await typed(pilot, "starter")
        assert rows_in_sight(pilot) >= 8
        assert " meaning " not in written(pilot).rpartition("─" * 20)[2]
        await pressed(pilot, "tab", "down", "d")
        assert rows_in_sight(pilot) >= 17 and app.config.density == "one"
        assert screen.rows.selected == 1
        await pressed(pilot, "d")
        assert app.config.density == "full" and " meaning " in written(pilot).rpartition("─" * 20)[2]
        lines = written(pilot).splitlines()[5:]
        assert not lines[3].strip(" ▌▁▂▃▄▅▆▇█")  # rows stand apart
        assert lines[4].lstrip(" ▌0123456789").startswith("Note ")
        await pressed(pilot, "escape", "alt+d")
        assert app.config.density == "two"


async def test_high_screens_show_all_figures_and_wide_ones_two_lines_of_text(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "hungry")
        assert "▕" in written(pilot)
        assert screen.rows._shape == RowShape("full", 1)
        await pilot.resize_terminal(160, 34)
        await settle(pilot)
        assert screen.rows._shape == RowShape("full", 2)


async def test_the_border_moves_by_keys_and_by_mouse_and_stays_where_it_was_put() -> None:
    app = browser()
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter")
        pane = screen.pane
        assert abs(pane.outer_size.width - 60) <= 1
        await pressed(pilot, "alt+left", "alt+left")
        assert pane.outer_size.width == 72  # three fifths of 120
        await pilot.mouse_down("#pane", offset=(0, 4))
        await pilot.hover("#body", offset=(84, 4))
        await pilot.mouse_up("#body", offset=(84, 4))
        await settle(pilot)
        assert pane.outer_size.width == 36
        await pilot.hover("#body", offset=(20, 4))  # the mouse was let go
        await settle(pilot)
        assert pane.outer_size.width == 36
        await pilot.resize_terminal(200, 34)
        await settle(pilot)
        assert pane.outer_size.width == 60
        await pressed(pilot, *["alt+right"] * 3)
        assert pane.outer_size.width == 40  # not less: neither side disappears
        screen.parts.proportions.keep()
        assert app.config.pane_share == 0.2
    again = browser(Config(pane_share=0.2))
    async with again.run_test(size=(80, 40)) as pilot:
        screen = await typed(pilot, "starter")
        body = screen.query_one("#body").content_size.height
        assert abs(screen.pane.outer_size.height - body / 5) <= 1  # below the rows on a narrow screen


@pytest.mark.parametrize("width", [20, 40, 56, 80, 120])
def test_no_row_of_any_density_is_wider_than_its_list(result: SearchResult, width: int) -> None:
    context = context_of(result, (ROOT,), NOW)
    hits = [result.hits[0], replace(result.hits[0], judged=-2, more_in_document=tuple(range(12)))]
    for shape in (RowShape("full", 2), RowShape("two"), RowShape("one")):
        for hit in hits:
            lines = row_lines(hit, width, context, shape)
            assert len(lines) == shape.lines
            assert all(line.cell_length <= width for line in lines)
        if width >= 56:
            assert row_lines(hits[1], width, context, shape)[-1].plain.endswith("+12")


def test_a_row_says_how_many_near_duplicates_in_other_notes_it_stands_for(result: SearchResult) -> None:
    context = context_of(result, (ROOT,), NOW)
    hit = replace(result.hits[0], duplicates=tuple(range(12)))
    line = row_lines(hit, 77, context, RowShape("two"))[-1].plain
    assert " + 12 near-duplicates " in line and line.split()[-1] == row_lines(hit, 77, context)[-1].plain.split()[-1]
    assert judged_line(hit).plain == "+ 12 near-duplicates"
    assert judged_line(replace(hit, judged=1)).plain == "· opened before   + 12 near-duplicates"


def shown(hit: Hit, text: str, width: int, lines: int = 1) -> list[str]:
    at = text.find("starter")
    hit = replace(hit, snippet=text, marks=((at, at + 7),) if at >= 0 else ())
    return [line.plain for line in snippet_lines(hit, width, lines, frozenset())]


def test_a_text_begins_with_a_sentence_or_a_word_and_fills_its_line(result: SearchResult) -> None:
    hit = result.hits[0]
    assert shown(hit, LONG, 50) == ["… Then the starter is fed. And after that it goes…"]
    assert shown(hit, LONG, 60)[0].startswith("… all. Then the starter")  # the end alone would leave a gap
    assert len(shown(hit, LONG, 60)[0]) > 54
    assert shown(hit, LONG, 200) == [LONG]
    far = "a word " * 30 + "and the starter " + "at the end " * 9
    line = shown(hit, far, 40)[0]
    assert "starter" in line and line.split()[1] in ("a", "word") and len(line) >= 39
    two = shown(hit, LONG, 44, 2)
    assert two == ["It begins here with much that nobody asked", "for at all. Then the starter is fed. And af…"]
    assert shown(hit, "", 40, 2) == ["", ""]
    assert shown(hit, "… in small letters it goes on. The starter is fed now.", 60)[0].startswith("… in small")
