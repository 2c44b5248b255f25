"""Notes that would harm a screen, in every dialog that shows a note's words; and a mouse that does what the keys do."""

from __future__ import annotations

import pytest
from fakes import FakeIndexer, FakeLibrary, ports
from piloting import pressed, settle, typed, written
from rich.cells import cell_len
from textual.events import MouseScrollDown
from textual.pilot import Pilot

from app.tui.app import CarrelApp
from app.tui.screens.search.compare.screen import CompareScreen
from app.tui.screens.search.screen import SearchScreen
from app.tui.screens.search.why_not.screen import WhyNotScreen

SIZES = [(80, 24), (160, 48)]
HOSTILE = {
    "a/[red]markup[/] [@click=app.quit]x[/].md": "# [/] [bold red]starter[/]\n[link=x]starter[/link] {{x}} $lead\n",
    "a/\x1b[31mescape\x07.md": "# \x1b[2Jstarter\x00\x07\x9b31m\nstarter \x1b]52;c;AAAA\x07 \x1b[?1049l\x7f\n",
    "a/\u202egnp.md": "# \u202eretrats starter\n\u2066starter\u2069 שלום starter مرحبا\n",
    "a/👩\u200d🍳 family.md": "# starter 👩\u200d🍳\ufe0f\nstarter 🇩🇪 e\u0301\u0301\u0301 \u200b\n",
    "a/京都の台所.md": "# 京都の台所 starter\n" + "昆布は水に一晩つけておく。starter" * 40 + "\n",
    "a/long.md": "# starter " + "t" * 5_000 + "\n" + "starter" + "x" * 100_000 + "\n",
    "a/\udcff\udcfe broken.md": "# \ud800 starter\nstarter \udfff\n",
}
HARMFUL = ({chr(code) for code in range(32)} | {chr(code) for code in range(0x7F, 0xA0)}) - {"\n"}
HARMFUL |= {"\u202e", "\u2066", "\u2069", "\ud800", "\ufeff"}


def harmless(pilot: Pilot[int]) -> None:
    """Check what is on the screen: no sign that a terminal obeys, and no line wider than it."""
    lines = written(pilot).split("\n")
    assert not set("".join(lines)) & HARMFUL
    assert all(cell_len(line) <= pilot.app.size.width for line in lines)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "keys",
    [
        ["ctrl+n"],
        ["ctrl+n", "[", "/", "]", "enter"],
        ["ctrl+l"],
        ["ctrl+o", "o"],
        ["ctrl+o", "slash", "s", "t"],
        ["ctrl+f", "enter"],
        ["ctrl+g"],
        ["f12", "right", "down", "right"],
        ["tab", "escape", "ctrl+r"],
        ["f6"],
        ["f3", "tab", "down"],
        ["ctrl+p", "m", "o"],
    ],
    ids=" ".join,
)
async def test_hostile_notes_harm_no_dialog(size: tuple[int, int], keys: list[str]) -> None:
    app = CarrelApp(ports(FakeLibrary(HOSTILE), FakeIndexer()))
    async with app.run_test(size=size) as pilot:
        await typed(pilot, "starter")
        for key in keys:
            await pressed(pilot, key)
            harmless(pilot)
        for _ in range(3):
            await pressed(pilot, "down")
            harmless(pilot)
        assert app.is_running


@pytest.mark.parametrize("size", SIZES)
async def test_hostile_notes_are_compared_and_traced_one_by_one(size: tuple[int, int]) -> None:
    app = CarrelApp(ports(FakeLibrary(HOSTILE), FakeIndexer()))
    async with app.run_test(size=size) as pilot:
        screen = await typed(pilot, "starter")
        for _ in screen.rows.hits:
            await pressed(pilot, "f7")
            assert isinstance(app.screen, CompareScreen)
            harmless(pilot)
            await pressed(pilot, "escape", "down")
        await pressed(pilot, "ctrl+n")
        assert isinstance(app.screen, WhyNotScreen)
        for _ in HOSTILE:
            await pressed(pilot, "down")
            harmless(pilot)


async def test_a_hostile_query_is_kept_and_shown_as_text() -> None:
    app = CarrelApp(ports(FakeLibrary(HOSTILE), FakeIndexer()))
    async with app.run_test(size=(80, 24)) as pilot:
        await typed(pilot, 'starter [/]\x1b[31m\u202e path:a -rye "x" ★')
        await pressed(pilot, "tab")
        harmless(pilot)
        await pressed(pilot, "escape", "ctrl+r")
        harmless(pilot)
        await pressed(pilot, "escape", "f6")
        harmless(pilot)


# --- the mouse --------------------------------------------------------------------------------------------------------


@pytest.fixture
def app() -> CarrelApp:
    return CarrelApp(ports(FakeLibrary(), FakeIndexer()))


async def test_a_click_selects_a_row_and_a_second_one_opens_nothing_by_accident(app: CarrelApp) -> None:
    async with app.run_test(size=(160, 48)) as pilot:
        screen = await typed(pilot, "starter")
        top = screen.rows.region
        await pilot.click(offset=(top.x + 10, top.y + 5))
        await settle(pilot)
        assert screen.rows.selected == 1
        assert screen.pane.shown_hit is not None
        assert screen.pane.shown_hit.passage_id == screen.rows.hits[1].passage_id


async def test_the_wheel_scrolls_rows_and_preview(app: CarrelApp) -> None:
    notes = {f"a/{number}.md": f"# Note {number}\nstarter\n" + "more of it\n" * 80 for number in range(40)}
    app = CarrelApp(ports(FakeLibrary(notes), FakeIndexer()))
    async with app.run_test(size=(160, 30)) as pilot:
        screen: SearchScreen = await typed(pilot, "starter")
        for widget in (screen.rows, screen.pane.preview):
            before = widget.scroll_offset.y
            await pilot._post_mouse_events([MouseScrollDown], widget=widget, offset=(5, 5), button=0)
            await settle(pilot)
            assert widget.scroll_offset.y > before
        assert screen.rows.selected == 0  # looking does not choose


async def test_the_wheel_scrolls_the_reader_and_a_click_in_the_outline_jumps(app: CarrelApp) -> None:
    text = "".join(f"# Part {number}\n" + "words of it\n" * 40 for number in range(9)) + "starter\n"
    app = CarrelApp(ports(FakeLibrary({"a/parts.md": text}), FakeIndexer()))
    async with app.run_test(size=(160, 30)) as pilot:
        await typed(pilot, "starter")
        await pressed(pilot, "ctrl+o", "o")
        reader: object = app.screen
        view, outline = reader.text, reader.outline  # type: ignore[attr-defined]
        await pilot.click(outline, offset=(5, 2))
        await settle(pilot)
        assert view.top == text.index("# Part 2")
        await pilot._post_mouse_events([MouseScrollDown], widget=view, offset=(5, 5), button=0)
        await settle(pilot)
        assert view.top > text.index("# Part 2")


@pytest.mark.parametrize("width", [101, 160, 200])
async def test_a_click_on_a_link_follows_it_wherever_the_text_stands(width: int) -> None:
    notes = {"a/start.md": "# Start\nstarter\n\nsee [[other]] here\n", "a/other.md": "# Other\nthe other note\n"}
    app = CarrelApp(ports(FakeLibrary(notes), FakeIndexer()))
    async with app.run_test(size=(width, 30)) as pilot:
        await typed(pilot, "starter")
        await pressed(pilot, "ctrl+o")
        lines = written(pilot).split("\n")
        row = next(number for number, line in enumerate(lines) if "see other" in line)
        await pilot.click(offset=(lines[row].index("see other") + 5, row))
        await settle(pilot)
        assert app.screen.book.document.path.endswith(b"other.md")  # type: ignore[attr-defined]
