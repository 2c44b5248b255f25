"""The picker: the search screen that gives rows away instead of opening them, and the browser opened on a query."""

from __future__ import annotations

from dataclasses import replace

from fakes import FakeEditor, FakeLibrary, ports
from piloting import SMALL, WIDE, pressed, screen_of, settle, written
from textual.pilot import Pilot

from app.tui.app import CarrelApp
from app.tui.row_picker import PickRequest, RowPicker
from app.tui.screens.search.screen import SearchScreen
from engine.errors import CarrelError, LibraryDamaged


def names(picker: RowPicker) -> list[bytes]:
    return [hit.path.rpartition(b"/")[2] for hit in picker.picked.hits] if picker.picked else []


async def test_enter_gives_the_selected_row_away_and_opens_nothing(library: FakeLibrary) -> None:
    editor = FakeEditor()
    picker = RowPicker(ports(library, editor=editor), PickRequest("starter"))
    async with picker.run_test(size=SMALL) as pilot:
        await settle(pilot)
        assert "pick" in written(pilot).splitlines()[-1] and "cancel" in written(pilot).splitlines()[-1]
        expected = screen_of(pilot).rows.hits[1]
        await pressed(pilot, "tab", "e", "slash", "down")  # a single pick: tab goes to the rows, where letters work
        await pilot.press("enter")
    assert picker.picked is not None and picker.picked.hits == (expected,) and picker.picked.answered
    assert editor.commands == []


async def test_with_several_tab_marks_and_goes_on(library: FakeLibrary) -> None:
    picker = RowPicker(ports(library), PickRequest("starter", multi=True))
    async with picker.run_test(size=WIDE) as pilot:
        await settle(pilot)
        hits = screen_of(pilot).rows.hits
        await pressed(pilot, "tab", "ctrl+j", "tab", "ctrl+k", "ctrl+k", "ctrl+k", "tab", "tab")
        await pilot.press("enter")
    assert picker.picked is not None
    assert set(picker.picked.hits) == {hits[1], hits[2]}  # the first was marked twice


async def test_escape_closes_what_lies_above_and_then_cancels(library: FakeLibrary) -> None:
    picker = RowPicker(ports(library), PickRequest("starter"))
    async with picker.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pressed(pilot, "ctrl+t", "escape")
        assert picker.is_running and not screen_of(pilot).pane.explaining
        await pilot.press("escape")
    assert picker.picked is None and picker.failure is None


async def enter_while_searching(pilot: Pilot[int], library: FakeLibrary) -> SearchScreen:
    """Press enter behind a query whose answer is held back."""
    await settle(pilot)
    library.held = {"keyword", "convex"}
    screen = screen_of(pilot)
    screen.query_line.write("cabbage")
    await pilot.pause()
    await pilot.press("enter")
    return screen


async def test_enter_behind_a_query_that_is_still_searched_picks_its_best_row(library: FakeLibrary) -> None:
    picker = RowPicker(ports(library), PickRequest("stove"))
    async with picker.run_test(size=WIDE) as pilot:
        await enter_while_searching(pilot, library)
        assert picker.picked is None
        library.release.set()
        while picker.picked is None:
            await pilot.pause()
    assert names(picker) == [b"fermentation-log.md"]


async def test_an_answer_picks_nothing_once_the_query_was_changed_again(library: FakeLibrary) -> None:
    picker = RowPicker(ports(library), PickRequest("stove"))
    async with picker.run_test(size=WIDE) as pilot:
        screen = await enter_while_searching(pilot, library)
        library.held = set()
        screen.query_line.write("yeast")
        await settle(pilot)
        assert screen.parts.shown.question == "yeast"
        assert picker.picked is None


async def test_a_library_that_cannot_be_picked_from_ends_it_with_the_reason(library: FakeLibrary) -> None:
    def damaged() -> object:
        raise LibraryDamaged("The library is damaged.")

    faults: list[CarrelError | None] = []
    library.folders = ()
    for given in (replace(ports(library), open_library=damaged), ports(library)):
        picker = RowPicker(given, PickRequest("starter"))
        async with picker.run_test(size=SMALL) as pilot:
            await settle(pilot)
        faults.append(picker.failure)
    assert [str(fault).partition(".")[0] for fault in faults] == ["The library is damaged", "No folder is watched yet"]


async def test_the_browser_opens_on_a_query(library: FakeLibrary) -> None:
    async with CarrelApp(ports(library), "stove").run_test(size=WIDE) as pilot:
        await settle(pilot)
        screen = screen_of(pilot)
        assert (screen.query_line.value, screen.query_line.cursor_position) == ("stove", 5)
        assert screen.rows.hit is not None and screen.rows.hit.title == "Camping stove"
