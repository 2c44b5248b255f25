"""The search screen, driven by keys, on a library that answers at once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes import STILL, FakeEditor, FakeIndexer, FakeLibrary, ports
from piloting import SMALL, WIDE, pressed, screen_of, settle, told, typed, written
from textual import events

from app.tui.actions import APP_ACTIONS
from app.tui.app import CarrelApp
from app.tui.indexer_state import IndexerState
from app.tui.ports import Ports
from app.tui.screens.search.actions import SEARCH_ACTIONS
from engine.errors import LibraryDamaged
from engine.records import LeftOut, WordReading


async def test_typing_shows_rows_with_their_figures(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press(*"starter")
        await settle(pilot)
        screen = screen_of(pilot)
        assert screen.rows.hits
        text = written(pilot)
        assert "Sourdough › Care" in text
        assert "strong" in text or "likely" in text or "weak" in text
        assert " V " in text and " K " in text


async def test_keyword_rows_come_before_the_others(library: FakeLibrary, app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        library.held = {"convex"}
        screen = screen_of(pilot)
        screen.query_line.value = "alive"
        shown = screen.parts.shown
        while not (shown.result and shown.result.fusion == "keyword" and shown.result.hits):
            await pilot.pause()
        assert "by words so far" in screen.reading.text
        assert "· words" in written(pilot)
        library.release.set()
        await settle(pilot)
        assert screen.parts.shown.result is not None and screen.parts.shown.result.fusion == "convex"
        assert "by words so far" not in screen.reading.text


async def test_a_newer_key_cancels_the_older_search(library: FakeLibrary, app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        screen = screen_of(pilot)
        library.held = {"keyword", "convex"}
        before = len(library.cancellations)
        screen.query_line.value = "a"
        while len(library.cancellations) < before + 2:
            await pilot.pause()
        older = library.cancellations[before:]
        library.held = set()
        screen.query_line.value = "alive"
        await settle(pilot)
        assert all(cancellation.cancelled.is_set() for cancellation in older)
        assert screen.parts.shown.result is not None and screen.parts.shown.result.query.text == "alive"


async def test_an_answer_to_an_older_question_is_not_shown(library: FakeLibrary, app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press(*"starter")
        await settle(pilot)
        assert all(text in ("", "starter"[: len(text)]) for text, _, _ in library.asked)
        assert screen_of(pilot).parts.shown.result.query.text == "starter"  # type: ignore[union-attr]


async def test_up_and_down_move_without_leaving_the_query_line(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter")
        await pilot.press("down", "down", "up")
        assert screen.rows.selected == 1
        assert screen.query_line.has_focus
        await pilot.press("up", "up", "up")
        assert screen.rows.selected == 0


async def test_tab_goes_to_the_rows_and_a_slash_comes_back(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter")
        await pilot.press("tab")
        assert screen.rows.has_focus
        await pilot.press("end")
        assert screen.rows.selected == len(screen.rows.hits) - 1
        await pilot.press("slash")
        assert screen.query_line.has_focus and screen.query_line.value == "starter"
        await pilot.press("tab", "z")  # which does nothing in the rows
        assert screen.query_line.has_focus and screen.query_line.value == "starterz"


async def test_enter_opens_the_editor_at_the_line(library: FakeLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", "vim -n")
    monkeypatch.delenv("VISUAL", raising=False)
    editor = FakeEditor()
    app = CarrelApp(ports(library, editor=editor))
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "hungry")
        hit = screen.rows.hit
        assert hit is not None and hit.line_start == 5
        await pilot.press("enter")
        assert editor.commands[0].arguments == (b"vim", b"-n", b"+5", hit.path)


async def test_an_editor_that_fails_is_told(library: FakeLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", "[/]editor")
    monkeypatch.delenv("VISUAL", raising=False)
    app = CarrelApp(ports(library, editor=FakeEditor("[/]editor could not be started.")))
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await typed(pilot, "hungry")
        await pilot.press("enter")
        await pilot.pause()
        assert told(pilot) == ["[/]editor could not be started."]


async def test_the_explanation_follows_the_selected_row(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter alive")
        await pilot.press("ctrl+t")
        assert screen.pane.explanation.shown_lines[0] == "Why is this first?"
        await pilot.press("down")
        assert screen.pane.explanation.shown_lines[0] == "Why is this second?"
        await pilot.press("ctrl+t")
        assert screen.pane.shown is screen.pane.preview


async def test_the_preview_shows_the_passage_around_the_hit(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "hungry")
        lines = screen.pane.preview.shown_lines
        assert any(line.startswith("▌ ") and "that the starter is hungry." in line for line in lines)
        assert "  # Sourdough" in lines
        assert "line 5 of 13" in screen.pane.caption.text


async def test_a_verdict_of_none_says_so_and_shows_the_nearest(library: FakeLibrary, app: CarrelApp) -> None:
    library.verdict_none = True
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter")
        assert "nothing relevant" in screen.reading.text
        assert "Nothing here answers this." in written(pilot)
        assert screen.rows.hits


async def test_on_a_small_screen_the_nearest_rows_are_in_sight(library: FakeLibrary, app: CarrelApp) -> None:
    library.verdict_none = True
    async with app.run_test(size=(40, 12)) as pilot:
        screen = await typed(pilot, "starter")
        assert "Nothing here answers this." in written(pilot)
        assert screen.rows.hits[0].title in written(pilot)


async def test_a_search_that_fails_keeps_the_rows(library: FakeLibrary, app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter")
        library.error = LibraryDamaged("The file is damaged.")
        await typed(pilot, "starter alive")
        assert screen.rows.hits
        assert "The file is damaged." in screen.reading.text


async def test_a_word_grows_however_long_the_keys_rest(library: FakeLibrary) -> None:
    app = CarrelApp(ports(library, pace=replace(STILL, settle=0.0)))
    async with app.run_test(size=WIDE) as pilot:
        await pressed(pilot, *"star")
        assert {typing for text, _, typing in library.asked if text} == {True}


@pytest.mark.parametrize(("key", "asked"), [("space", "star "), ("home", "star"), ("left", "star"), ("enter", "star")])
async def test_a_blank_a_move_of_the_caret_and_enter_finish_a_word(library: FakeLibrary, key: str, asked: str) -> None:
    app = CarrelApp(ports(library, pace=replace(STILL, settle=0.0)))
    async with app.run_test(size=WIDE) as pilot:
        await pressed(pilot, *"star")
        library.asked.clear()
        await pressed(pilot, key)
        assert library.asked[-1] == (asked, "convex", False)


async def test_a_word_that_was_finished_grows_again_once_it_is_edited(library: FakeLibrary) -> None:
    app = CarrelApp(ports(library, pace=replace(STILL, settle=0.0)))
    async with app.run_test(size=WIDE) as pilot:
        await pressed(pilot, *"star", "home", "end", "t")
        assert library.asked[-1] == ("start", "convex", True)


async def test_a_letter_that_was_passed_over_is_asked_for_once_the_keys_rest(library: FakeLibrary) -> None:
    app = CarrelApp(ports(library, pace=replace(STILL, settle=0.0)))
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, "vitamin d")
        assert library.asked[-1] == ("vitamin d", "convex", False)


async def test_a_query_that_is_put_there_whole_is_finished(library: FakeLibrary) -> None:
    app = CarrelApp(ports(library, pace=replace(STILL, settle=0.0)))
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "")
        library.asked.clear()
        screen.query_line.write("star")
        await settle(pilot)
        assert {typing for _, _, typing in library.asked} == {False}


async def test_lines_that_are_pasted_become_one(library: FakeLibrary, app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "")
        pasted = "first line picnic\nsecond line: esc\r\n\ttabbed third\n"
        screen.query_line.post_message(events.Paste(pasted))
        await settle(pilot)
        assert screen.query_line.value == "first line picnic second line: esc tabbed third"
        assert library.asked[-1][0] == screen.query_line.value


async def test_how_a_query_was_read_stands_above_its_rows(library: FakeLibrary, app: CarrelApp) -> None:
    library.reading = {
        "words": (WordReading("starter", 4, 1.0), WordReading("sourdogh", 0, 5.0, nearest="sourdough")),
        "left_out": (LeftOut("stove", 3),),
    }
    async with app.run_test(size=SMALL) as pilot:
        screen = await typed(pilot, "starter sourdogh -stove")
        shown = written(pilot)
        assert "No passage holds “sourdogh”. Did you mean “sourdough”?" in shown
        assert "-stove left out 3 passages." in shown
        assert screen.rows.hits
        await pressed(pilot, "shift+tab")
        assert screen.query_line.value == "starter sourdough -stove"
        assert screen.query_line.has_focus


async def test_a_new_commit_refreshes_the_rows_and_keeps_the_selection(library: FakeLibrary, app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter")
        await pilot.press("down")
        chosen = screen.rows.hit
        assert chosen is not None
        library.notes["zymurgy/new.md"] = "# Starter starter starter\n\nstarter starter starter\n"
        library.commits += 1
        app.look_again()
        await settle(pilot)
        assert len(screen.rows.hits) == 6
        assert screen.rows.hit is not None and screen.rows.hit.passage_id == chosen.passage_id
        assert screen.query_line.has_focus
        assert "6 documents" in screen.status_bar.text


async def test_who_has_not_moved_is_shown_the_best_row_of_a_new_commit(library: FakeLibrary, app: CarrelApp) -> None:
    async with app.run_test(size=SMALL) as pilot:
        screen = await typed(pilot, "starter")
        library.notes = {"a/new.md": "# Starter starter starter\n\nstarter starter starter\n", **library.notes}
        library.commits += 1
        app.look_again()
        await settle(pilot)
        assert (screen.rows.selected, screen.rows.scroll_offset.y) == (0, 0)
        assert screen.rows.hits[0].path.endswith(b"new.md")


async def test_a_new_query_selects_its_best_row(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter")
        await pilot.press("down", "down")
        await typed(pilot, "starters")
        assert screen.rows.selected == 0


async def test_the_indexer_is_told_of_in_the_status_line(library: FakeLibrary) -> None:
    indexer = FakeIndexer()
    app = CarrelApp(ports(library, indexer))
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        assert indexer.started
        indexer.report(IndexerState("indexing", files_done=41, files_total=100, rate=55.0, seconds_left=13.0))
        await settle(pilot)
        assert "words 41 %, meaning 100 %, 13 s left" in screen_of(pilot).status_bar.text
        indexer.report(IndexerState("watching"))
        await settle(pilot)
        assert "up to date" in screen_of(pilot).status_bar.text
        indexer.report(IndexerState("following", pid=77, foreign=True))
        await settle(pilot)
        assert "another Carrel indexes (pid 77)" in screen_of(pilot).status_bar.text


@pytest.mark.parametrize("key", ["ctrl+c", "ctrl+q"])
@pytest.mark.parametrize("first", [(), ("f1",), ("tab",), ("ctrl+p",)])
async def test_leaving_works_from_everywhere(library: FakeLibrary, key: str, first: tuple[str, ...]) -> None:
    indexer = FakeIndexer()
    app = CarrelApp(ports(library, indexer))
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, "s")
        await pilot.press(*first)
        await pilot.press(key)
    assert indexer.left
    assert app.return_code == 0


async def test_a_read_only_library_starts_no_indexer(library: FakeLibrary) -> None:
    library.read_only = True
    indexer = FakeIndexer()
    app = CarrelApp(ports(library, indexer))
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        assert "read-only" in screen_of(pilot).status_bar.text
        assert not indexer.started


async def test_an_empty_query_lists_what_changed_last(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        screen = screen_of(pilot)
        assert "Changed last" in written(pilot)
        dates = [hit.modified for hit in screen.rows.hits]
        assert dates == sorted(dates, reverse=True)


async def test_a_library_that_cannot_be_opened_is_explained(library: FakeLibrary) -> None:
    def refuse() -> None:
        raise LibraryDamaged("The library is damaged.", cause="Page 3 is torn.", fix="Run carrel doctor.")

    broken: Ports = replace(ports(library), open_library=refuse)  # type: ignore[arg-type]
    app = CarrelApp(broken)
    async with app.run_test(size=SMALL) as pilot:
        await settle(pilot)
        text = written(pilot)
        assert "The library is damaged." in text and "Run carrel doctor." in text


async def test_what_is_typed_before_the_library_is_open_is_searched(library: FakeLibrary, app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen_of(pilot).query_line.value = "hungry"
        await settle(pilot)
        assert screen_of(pilot).rows.hits[0].title == "Sourdough"


HOSTILE = {
    "a/[/]\x1b[31m.md": "# [/] [link] [@click=app.quit]x[/]\n\n[/foo] starter \x1b]0;owned\x07 \x00\x9b \u202egnp\n",
    "a/long.md": "# Long\n\n" + "x" * 60_000 + " starter " + "y" * 40_000 + "\n",
    "a/tabs.md": "# T\tA\tB\n\n\tstarter\t\ttabs\r\n\ud800 half a pair\n",
    "a/wide.md": "# 漢字" + "漢" * 300 + "\n\nשלום starter مرحبا 漢字かな\n",
}


@pytest.mark.parametrize("size", [WIDE, SMALL, (40, 10)])
async def test_hostile_notes_are_shown_as_text(size: tuple[int, int]) -> None:
    app = CarrelApp(ports(FakeLibrary(HOSTILE)))
    async with app.run_test(size=size) as pilot:
        screen = await typed(pilot, "starter")
        await pilot.press("ctrl+t")
        for _ in HOSTILE:
            await settle(pilot)
            text = written(pilot)
            assert not set(text) & {chr(code) for code in range(32)} - {"\n"}
            assert not set(text) & {"\x9b", "\u202e", "\ud800", "\x7f"}
            await pilot.press("down")
        await pilot.press("ctrl+t")
        for _ in HOSTILE:
            await pilot.press("up")
            await settle(pilot)
            text = written(pilot)
            assert not set(text) & {chr(code) for code in range(32)} - {"\n"}
        assert app.is_running
        assert any("[/]" in hit.title for hit in screen.rows.hits)


async def test_the_theme_changes_by_key(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        before = app.theme
        await pilot.press("f4")
        assert {before, app.theme} == {"carrel-dark", "carrel-light"}


async def test_f2_brings_the_preview_to_a_small_screen(app: CarrelApp) -> None:
    async with app.run_test(size=SMALL) as pilot:
        screen = await typed(pilot, "starter")
        assert screen.pane.region.height == 0
        await pilot.press("f2")
        assert screen.pane.region.height > 0
        await pilot.press("f2")
        assert screen.pane.region.height == 0


async def test_the_palette_offers_what_the_keys_do(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter")
        await pressed(pilot, "ctrl+p")
        assert "Explain the ranking of this result" in written(pilot) and "Leave Carrel" in written(pilot)
        await pressed(pilot, *"explain ranking", "enter")
        assert screen.pane.explaining


async def test_every_key_of_the_help_is_bound(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter")
        bound = set(screen._bindings.key_to_bindings) | set(app._bindings.key_to_bindings)
        for action in (*SEARCH_ACTIONS, *APP_ACTIONS):
            assert set(action.keys.split(",")) <= bound
            assert action.help or not action.footer
