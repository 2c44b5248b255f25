"""The reader, driven by keys: outline, finding, links and the way back, what it says, and what it hands on."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from fakes import NOW, ROOT, FakeEditor, FakeLibrary, ports
from piloting import SIZES, SMALL, WIDE, pressed, settle, told, typed, written
from textual.geometry import Offset
from textual.pilot import Pilot

from app.tui.app import CarrelApp
from app.tui.pages.line_wrap import row_starts
from app.tui.pages.painter import Painter
from app.tui.pages.units import Units
from app.tui.screens.reader.actions import READER_ACTIONS
from app.tui.screens.reader.headings import headings_of, slug
from app.tui.screens.reader.layout import Layout
from app.tui.screens.reader.screen import ReaderScreen
from app.tui.screens.reader.text_find import beside, find_all
from app.tui.screens.reader.trail import Reading
from engine.records import StoredDocument, StoredPassage

GUIDE = ROOT + b"/kitchen/guide.md"
NOTES = {
    "kitchen/guide.md": (
        "# A guide to bread\n\nBegin with [[starter]], then read [the stove](../gear/stove.md#safety) or\n"
        "<https://example.org/bread>. A [dead end](nowhere.md) and [below](#baking).\n\n"
        "## Care\n\nFeed the **starter** twice a day.\n\n"
        + "".join(f"### Day {day}\n\nThe dough rises on day {day}.\n\n" for day in range(1, 21))
        + "## Baking\n\n```python\ndef bake(loaf: str) -> str:\n    return loaf  # forty minutes\n```\n\n"
        "- flour\n- [x] water\n\n> The starter never lies.\n"
    ),
    "kitchen/starter.md": "# Starter\n\nA culture of yeast. See [[guide]].\n",
    "gear/stove.md": "# Stove\n\nIt has a spark.\n\n## Safety\n\nKeep the starter dry.\n" + "more\n" * 60,
}


async def read(pilot: Pilot[int], reading: Reading | None = None) -> ReaderScreen:
    """Open the reader on a note and wait until its text shows."""
    await settle(pilot)
    screen = ReaderScreen(reading or Reading(GUIDE))
    await pilot.app.push_screen(screen)
    await settle(pilot)
    return screen


def app_with(notes: Mapping[str, str] = NOTES, editor: FakeEditor | None = None) -> tuple[CarrelApp, FakeLibrary]:
    library = FakeLibrary(notes)
    return CarrelApp(ports(library, editor=editor)), library


async def test_a_key_opens_the_reader_at_the_passage_and_another_goes_back() -> None:
    app, _ = app_with()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        search = app.screen
        search.query_one("#query").value = "rises"  # type: ignore[attr-defined]
        await settle(pilot)
        await pilot.press("ctrl+o")
        await settle(pilot)
        reader = app.screen
        assert isinstance(reader, ReaderScreen)
        assert "Feed the starter twice a day." in written(pilot)
        assert reader.text.marks.passage is not None and reader.text.in_sight(reader.text.marks.passage[0])
        await pilot.press("escape")
        assert app.screen is search


async def test_r_in_the_rows_reads_too() -> None:
    app, _ = app_with()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        app.screen.query_one("#query").value = "rises"  # type: ignore[attr-defined]
        await settle(pilot)
        await pilot.press("tab", "r")
        await settle(pilot)
        assert isinstance(app.screen, ReaderScreen)


async def test_the_outline_shows_the_headings_and_jumps() -> None:
    app, _ = app_with()
    async with app.run_test(size=WIDE) as pilot:
        screen = await read(pilot)
        assert not screen.outline.region.width
        await pilot.press("o")
        assert [heading.text for heading in screen.outline.headings[:4]] == [
            "A guide to bread", "Care", "Day 1", "Day 2"
        ]  # fmt: skip
        await pilot.press("end", "up", "enter")
        await settle(pilot)
        assert screen.text.has_focus
        assert "Day 20" in written(pilot) and screen.text.in_sight(screen.outline.headings[-2].start)
        await pilot.press("home")
        await settle(pilot)
        assert screen.outline.selected == 0
        await pilot.press("o", "o")
        assert not screen.outline.region.width and screen.text.has_focus


async def test_finding_goes_to_the_places_round_the_end() -> None:
    app, _ = app_with()
    async with app.run_test(size=WIDE) as pilot:
        screen = await read(pilot)
        await pilot.press("slash", *"STARTER")
        await settle(pilot)
        assert "1 of 3" in screen.place_bar.text
        await pilot.press("enter", "n", "n")
        assert "3 of 3" in screen.place_bar.text and "The starter never lies." in written(pilot)
        await pilot.press("n")
        assert "1 of 3" in screen.place_bar.text
        await pilot.press("N")
        assert "3 of 3" in screen.place_bar.text
        await pilot.press("escape")
        assert "of 3" not in screen.place_bar.text and app.screen is screen
        await pilot.press("ctrl+f", *"q")
        await pilot.press(*"uinoa")
        await settle(pilot)
        assert "not found" in screen.place_bar.text
        await pilot.press("escape")
        assert screen.text.has_focus


async def test_n_goes_among_the_hits_of_the_search_while_nothing_is_sought() -> None:
    app, library = app_with()
    hits = tuple((p.start, p.end) for p in library.passages_of(1))
    async with app.run_test(size=WIDE) as pilot:
        screen = await read(pilot, Reading(GUIDE, hits[0], hits))
        await pilot.press("n", "n")
        assert screen.text.marks.passage == hits[2]
        assert screen.text.in_sight(hits[2][0])


async def test_links_are_chosen_followed_and_come_back_from() -> None:
    app, library = app_with()
    async with app.run_test(size=WIDE) as pilot:
        screen = await read(pilot)
        await pilot.press("tab")
        assert "/kitchen/starter.md" in screen.place_bar.text
        await pilot.press("enter")
        await settle(pilot)
        assert "A culture of yeast." in written(pilot)
        await pilot.press("alt+left")
        await settle(pilot)
        assert "A guide to bread" in screen.title_bar.text or "guide.md" in screen.title_bar.text
        await pilot.press("alt+right")
        await settle(pilot)
        assert "A culture of yeast." in written(pilot)
        await pilot.press("left_square_bracket")
        await settle(pilot)
        await pilot.press("tab", "tab", "enter")
        await settle(pilot)
        assert screen.book is not None and screen.book.document.path.endswith(b"stove.md")
        assert screen.outline.headings[screen.outline.selected].text == "Safety"
        assert library.visited == []


async def test_links_that_lead_elsewhere_say_so() -> None:
    app, library = app_with()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        screen = await read(pilot)
        await pressed(pilot, "tab", "tab", "tab", "enter")
        assert library.visited == ["https://example.org/bread"]
        assert told(pilot)[-1] == "Shown in the web browser."
        library.has_browser = False
        await pressed(pilot, "enter")
        assert told(pilot)[-1] == "There is no web browser to show https://example.org/bread in."
        await pilot.press("tab")
        assert "not in the library" in screen.place_bar.text
        await pilot.press("enter")
        assert "leads to no note" in told(pilot)[-1]
        await pilot.press("tab", "enter")
        assert "## Baking" in written(pilot)
        await pilot.press("shift+tab")
        assert "[" not in screen.place_bar.text


async def test_a_click_follows_a_link() -> None:
    app, _ = app_with()
    async with app.run_test(size=WIDE) as pilot:
        screen = await read(pilot)
        lines = written(pilot).split("\n")
        row = next(place for place, line in enumerate(lines) if "Begin with" in line)
        at = Offset(lines[row].index("starter") - screen.text.region.x + 1, row - screen.text.region.y)
        await pilot.click("#text", offset=at)
        await settle(pilot)
        assert "A culture of yeast." in written(pilot)


async def test_the_editor_opens_at_the_place_that_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", "vim")
    monkeypatch.delenv("VISUAL", raising=False)
    editor = FakeEditor()
    app, _ = app_with(editor=editor)
    async with app.run_test(size=WIDE) as pilot:
        await read(pilot)
        await pilot.press("slash", *"forty", "enter")
        await settle(pilot)
        await pilot.press("e")
        await settle(pilot)
        line = NOTES["kitchen/guide.md"].split("forty")[0].count("\n") + 1
        assert editor.commands[0].arguments == (b"vim", b"+%d" % line, GUIDE)


async def test_path_and_passage_are_copied() -> None:
    app, _ = app_with()
    async with app.run_test(size=WIDE) as pilot:
        await read(pilot)
        await pilot.press("y", "p")
        assert app.clipboard == os.fsdecode(GUIDE)
        await pilot.press("y", "l")
        assert app.clipboard == f"{os.fsdecode(GUIDE)}:1"
        await pilot.press("y", "q")
        assert app.clipboard.startswith("> # A guide to bread")
        assert "](/" in app.clipboard
        await pilot.press("y", "escape")
        await pilot.press("Y")
        assert app.clipboard.startswith("# A guide to bread")


async def test_long_lines_fold_or_run_on() -> None:
    app, _ = app_with({"a/x.md": "# X\n\n" + "word " * 100 + "END\n"})
    async with app.run_test(size=SMALL) as pilot:
        screen = await read(pilot, Reading(ROOT + b"/a/x.md"))
        assert "END" in written(pilot)
        await pilot.press("w")
        assert "END" not in written(pilot)
        await pilot.press(*["right"] * 60)
        assert "END" in written(pilot)
        await pilot.press("w")
        assert "END" in written(pilot) and screen.text.wrap


async def test_a_note_that_cannot_be_read_is_not_said_to_have_left_the_library() -> None:
    app, library = app_with()

    def failing(path: bytes) -> StoredDocument | None:
        raise ValueError(path)

    library.document = failing  # type: ignore[method-assign]
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        screen = await read(pilot)
        assert "could not be read. The log says why." in told(pilot)[-1]
        assert "This note could not be read." in screen.title_bar.text and "opening" not in screen.title_bar.text


async def test_a_note_that_changes_is_read_anew_and_its_loss_is_told() -> None:
    app, library = app_with()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        screen = await read(pilot)
        library.freshness[GUIDE] = "changed"
        library.notes["kitchen/guide.md"] = "# Rewritten\n\nAll new.\n"
        library.commits += 1
        app.look_again()
        await settle(pilot)
        assert "All new." in written(pilot)
        assert "changed since it was indexed" in screen.title_bar.text
        assert ("sync", os.fsdecode(GUIDE)) in library.requests
        await read(pilot, Reading(ROOT + b"/no/such.md"))
        assert "is not in the library any more" in told(pilot)[-1]


async def test_a_document_with_pages_says_which_is_read() -> None:
    app, library = app_with()
    text = "First page.\n\n" + "line\n" * 60 + "Second page.\n" + "line\n" * 60
    second = text.index("Second")
    paged = StoredDocument(9, GUIDE, "Paper", "pdf", NOW, len(text), (), {}, 2, text)
    parts = tuple(
        StoredPassage(90 + page, 9, page - 1, GUIDE, "Paper", (), text[start:end], start, end, 1, 1, page)
        for page, start, end in ((1, 0, second), (2, second, len(text)))
    )
    library.document = lambda path: paged  # type: ignore[method-assign]
    library.passages_of = lambda document_id: parts  # type: ignore[method-assign]
    async with app.run_test(size=WIDE) as pilot:
        screen = await read(pilot)
        assert "page 1 of 2" in screen.place_bar.text and "── page 1 ─" in written(pilot)
        await pilot.press("end")
        assert "page 2 of 2" in screen.place_bar.text and "end" in screen.place_bar.text


HOSTILE = {
    "a/markup.md": "# [/] [b]\x1b[31m[@click=app.quit]x[/]\n\n[/foo] starter \x1b]0;owned\x07 \x00\x9b \u202egnp\n",
    "a/long.md": "# Long\n\n" + "x" * 60_000 + " starter " + "y" * 40_000 + "\n",
    "a/wide.md": "# 漢字" + "漢" * 300 + "\n\nשלום starter مرحبا 漢字かな 👩‍👩‍👧‍👦 ❤️ e\u0301\n",
    "a/open.md": "**a " * 500 + "[x](" * 500 + "`" * 501 + "\n~~~\n```\n\tstarter\n\ud800\n",
    "a/empty.md": "",
}


@pytest.mark.parametrize("size", [WIDE, SMALL, (30, 8)])
@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_notes_are_read_as_text(name: str, size: tuple[int, int]) -> None:
    app, _ = app_with(HOSTILE)
    async with app.run_test(size=size) as pilot:
        await read(pilot, Reading(ROOT + b"/" + name.encode(), words=frozenset({"start"})))
        for keys in (("o",), ("o", "o"), ("end",), ("w",), ("right",), ("w", "home", "tab"), ("slash", "x", "enter")):
            await pilot.press(*keys)
            await settle(pilot)
            text = written(pilot)
            assert not set(text) & {*map(chr, range(32)), "\x9b", "\u202e", "\ud800", "\x7f"} - {"\n"}
        assert app.is_running


async def test_every_key_of_the_reader_is_bound_and_every_action_has_its_method() -> None:
    app, _ = app_with()
    async with app.run_test(size=WIDE) as pilot:
        screen = await read(pilot)
        for action in READER_ACTIONS:
            assert set(action.keys.split(",")) <= set(screen._bindings.key_to_bindings)
            assert hasattr(screen, f"action_{action.run.partition('(')[0]}")


# --- the parts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [8, 33, 80])
@pytest.mark.parametrize("wrap", [True, False])
def test_every_place_is_found_on_its_row_again(width: int, wrap: bool) -> None:
    text = NOTES["kitchen/guide.md"] + "漢字かな " * 80 + "\n\tTab\n" + "w" * 9_000
    layout = Layout(Painter(Units(text, "markdown")), width, wrap)
    rows = [layout.row_of(offset) for offset in range(0, len(text), 7)]
    assert rows == sorted(rows) and rows[-1] < layout.rows
    for row in range(layout.rows):
        assert layout.row_of(layout.offset_of(row)) <= row
        assert layout.offset_of(row) <= len(text)


def test_rows_never_exceed_their_width_and_lose_nothing() -> None:
    from rich.cells import cell_len

    for text in ("plain words " * 30, "漢字" * 90, "mixed 漢字 words " * 20, "x" * 300, "  " * 50 + "end", ""):
        for width in (2, 7, 40):
            starts = (*row_starts(text, width, 3), len(text))
            rows = [text[a:b] for a, b in pairwise(starts)]
            assert "".join(rows) == text
            assert all(cell_len(row.rstrip(" ")) <= width for row in rows)


def test_the_cheap_count_of_rows_is_the_painted_one() -> None:
    text = NOTES["kitchen/guide.md"] + "> a quote of some length that folds\n" * 3 + "\tx y z\n" + "漢字 " * 40
    painter = Painter(Units(text, "markdown"))
    for unit in range(len(painter.units)):
        shown = painter.line(unit)
        for width in (30, 60):
            assert painter.rows(unit, width) == len(shown.starts(width)), shown.text


def test_headings_of_other_formats_come_from_their_passages() -> None:
    parts = [
        StoredPassage(i, 1, i, b"/x.html", "T", headings, "t", i * 10, i * 10 + 9, 1, 1, None)
        for i, headings in enumerate([(), ("One",), ("One", "Two"), ("One", "Two"), ("Three",)])
    ]
    found = headings_of(Units("x" * 50, "html"), parts)
    assert [(heading.level, heading.text, heading.start) for heading in found] == [
        (1, "One", 10), (2, "Two", 20), (1, "Three", 40)
    ]  # fmt: skip


def test_markdown_headings_leave_code_alone_and_know_underlined_ones() -> None:
    text = "Top\n===\n\n# *A* `b`\n\n```\n# no\n```\n\npara\nmore\n---\n\nSecond\n---\n"
    found = headings_of(Units(text, "markdown"), ())
    assert [(heading.level, heading.text) for heading in found] == [(1, "Top"), (1, "A b"), (2, "Second")]
    assert slug("What's New, Here?") == "whats-new-here"


def test_finding_ignores_case_and_breaks_of_lines() -> None:
    text = "Grey\nliquid and grey  LIQUID (a+b)"
    assert find_all(text, "grey liquid") == [(0, 11), (16, 28)]
    assert find_all(text, "(a+b)") == [(29, 34)]
    assert find_all(text, "  ") == []
    spans = [(2, 3), (8, 9)]
    assert [beside(spans, 2, True), beside(spans, 8, True), beside(spans, 2, False)] == [(8, 9), (2, 3), (8, 9)]


# --- pictures -----------------------------------------------------------------------------------------------------


PICTURES = {"text": (), "outline": ("o",), "found": ("slash", *"starter"), "light": ("end", "f4")}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", PICTURES)
def test_pictures(snap_compare: Any, size: tuple[int, int], name: str) -> None:
    keys = PICTURES[name]
    library = FakeLibrary(NOTES)
    document = library.document

    def titled(path: bytes) -> StoredDocument | None:
        found = document(path)
        return replace(found, title="A guide to bread") if found else None

    library.document = titled  # type: ignore[method-assign]
    library.sentences = True
    start, end = (p := library.passages_of(1))[1].start, p[1].end
    reading = Reading(GUIDE, (start, end), ((start, end),), frozenset({"start"}))

    async def before(pilot: Pilot[int]) -> None:
        await read(pilot, reading)
        if keys:
            await pilot.press(*keys)
        await settle(pilot)

    assert snap_compare(CarrelApp(ports(library)), terminal_size=size, run_before=before)


class SlowDocuments(FakeLibrary):
    """A library that gives documents once a test lets it."""

    def __init__(self, notes: Mapping[str, str]) -> None:
        super().__init__(notes)
        self.go_on = threading.Event()
        self.go_on.set()

    def document(self, path: bytes) -> StoredDocument | None:
        assert self.go_on.wait(120)
        return super().document(path)


async def test_what_is_looked_for_is_found_also_where_the_text_came_later_or_changed() -> None:
    library = SlowDocuments({"a/a.md": "# A\n\nbread here\n"})
    app = CarrelApp(ports(library))
    async with app.run_test(size=SMALL) as pilot:
        await typed(pilot, "bread")
        library.go_on.clear()
        await pilot.press("ctrl+o", "slash", *"bread")
        for _ in range(20):
            await pilot.pause()
        library.go_on.set()
        await settle(pilot)
        assert "1 of 1" in written(pilot)
        library.notes["a/a.md"] += "more bread\n"
        library.freshness[ROOT + b"/a/a.md"] = "changed"
        library.commits += 1
        app.look_again()
        await settle(pilot)
        assert "1 of 2" in written(pilot) and "not found" not in written(pilot)


async def test_going_back_twice_at_once_leaves_no_stop_out() -> None:
    library = SlowDocuments({"a/a.md": "# A\n\n[[b]]\n", "a/b.md": "# B\n\n[[c]]\n", "a/c.md": "# C\n\nend\n"})
    app = CarrelApp(ports(library))
    async with app.run_test(size=SMALL) as pilot:
        screen = await read(pilot, Reading(ROOT + b"/a/a.md"))
        await pressed(pilot, "tab", "enter", "tab", "enter")
        library.go_on.clear()
        await pilot.press("alt+left", "alt+left")
        for _ in range(20):
            await pilot.pause()
        library.go_on.set()
        await settle(pilot)
        seen = [screen.book]
        for _ in range(2):
            await pressed(pilot, "alt+right")
            seen.append(screen.book)
        assert [book.document.path[-4:] for book in seen if book] == [b"a.md", b"b.md", b"c.md"]
