"""Marking results right or wrong, what opening leaves behind, and the log of searches."""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace
from typing import Any

import pytest
from fakes import STILL, FakeExploration, FakeLibrary, ports
from piloting import pressed, screen_of, settle, told, typed, written

from app.tui.app import CarrelApp
from app.tui.screens.search.explanation.score import memory_lines
from app.tui.screens.search.explanation.subject import Explained
from app.tui.screens.search.row import judged_line
from app.tui.settings_file import SettingsFile
from engine.config import Config
from engine.errors import LibraryReadOnly
from engine.records import Hit, Mark, Remembered, SearchResult, SearchSettings

QUERY = "starter culture"


def browser(library: FakeLibrary, config: Config | None = None, settle: float | None = 0.0) -> CarrelApp:
    settings = SettingsFile()
    settings.config = config or Config()
    return CarrelApp(replace(ports(library, pace=replace(STILL, settle=settle)), settings=settings))


async def test_plus_marks_the_row_and_plus_again_takes_it_back() -> None:
    library = FakeLibrary()
    async with browser(library).run_test(size=(120, 40), notifications=True) as pilot:
        screen = await typed(pilot, QUERY)
        await pressed(pilot, "tab", "down")
        chosen = screen.rows.hit
        assert chosen is not None
        await pressed(pilot, "plus")
        assert library.marks == {(QUERY, chosen.passage_id): 2}
        assert "✔ marked right" in written(pilot)
        assert "Marked right: it ranks higher" in " ".join(told(pilot))
        assert screen.rows.hit is not None
        assert screen.rows.hit.passage_id == chosen.passage_id
        await pressed(pilot, "plus")
        assert library.marks == {}
        assert "✔ marked right" not in written(pilot)


class Steered(FakeLibrary):
    """A library in which a note marked wrong goes to the end, and its row shows the next passage of it."""

    def search(self, text: str, **asked: Any) -> SearchResult:
        found = super().search(text, **asked)
        wrong = [hit for hit in found.hits if hit.judged == -2]
        kept = [hit for hit in found.hits if hit.judged != -2]
        return replace(found, hits=(*kept, *map(_giving_way, wrong)))


def _giving_way(hit: Hit) -> Hit:
    if not hit.more_in_document:
        return hit
    shown, *further = hit.more_in_document
    below = (*further, hit.passage_id)
    return replace(hit, passage_id=shown, more_in_document=below, judged=None, judged_below=(hit.passage_id, -2))


async def test_marks_and_selection_follow_their_row_and_are_taken_back_one_by_one() -> None:
    library = Steered()
    async with browser(library).run_test(size=(120, 40), notifications=True) as pilot:
        screen = await typed(pilot, "starter hungry")
        first, second = screen.rows.hits[:2]
        assert first.more_in_document
        await pressed(pilot, "tab", "minus")
        assert library.marks == {("starter hungry", first.passage_id): -2}
        assert screen.rows.hit is not None
        assert screen.rows.hit.document_id == first.document_id
        assert screen.rows.selected == len(screen.rows.hits) - 1
        assert "✘ marked wrong: a passage below" in written(pilot)
        assert f"“{first.title}”" in told(pilot)[-1]
        assert "- again or u takes it back" in told(pilot)[-1]
        await pressed(pilot, "minus")
        assert library.marks == {}
        assert screen.rows.hit.passage_id == first.passage_id
        assert screen.rows.selected == 0
        await pressed(pilot, "down", "minus", "home", "end")
        assert library.marks == {("starter hungry", second.passage_id): -2}
        assert screen.rows.hit.passage_id == second.passage_id
        await pressed(pilot, "minus")
        assert library.marks == {}
        screen.rows.choose(0)
        await pressed(pilot, "plus", "minus", "slash", "f10")
        assert list(library.marks.values()) == [2]
        await pressed(pilot, "alt+u")
        assert list(library.marks.values()) == [-2]
        await pressed(pilot, "alt+u")
        assert list(library.marks.values()) == [2]
        await pressed(pilot, "alt+u")
        assert library.marks == {}
        assert "is no longer marked" in told(pilot)[-1]
        await pressed(pilot, "alt+u")
        assert "Nothing was marked" in told(pilot)[-1]


async def test_what_is_said_of_a_mark_fits_a_screen_of_80_cells() -> None:
    library = FakeLibrary({"kitchen/long.md": f"# {'A title that goes on and on ' * 4}\n\nThe hungry starter.\n"})
    async with browser(library).run_test(size=(80, 24), notifications=True) as pilot:
        await typed(pilot, "starter hungry")
        await pressed(pilot, "tab", "minus")
        assert "it ranks lower. - again or u takes it back. “A title" in told(pilot)[-1][:74]
        await pressed(pilot, "u")
        assert told(pilot)[-1].startswith("Taken back: “A title that goes on")
        assert told(pilot)[-1].endswith("is no longer marked.") and len(told(pilot)[-1]) <= 74


async def test_what_is_marked_from_the_query_line_is_what_the_next_key_means() -> None:
    library = Steered()
    library.marks = {("starter hungry", 101): 1}
    async with browser(library).run_test(size=(80, 24)) as pilot:
        screen = await typed(pilot, "starter hungry")
        first = screen.rows.hit
        assert first is not None
        await pilot.press("f11", "f11", "f11")
        await settle(pilot)
        assert library.marks["starter hungry", first.passage_id] == -2
        assert set(library.marks) <= {("starter hungry", 101), ("starter hungry", first.passage_id)}
        await pressed(pilot, "f11", "tab", "g", "down", "plus")
        further = screen.rows.hit
        assert further is not None
        assert further.judged == 2
        assert library.marks["starter hungry", further.passage_id] == 2


async def test_minus_marks_the_row_wrong_also_over_an_earlier_plus() -> None:
    library = FakeLibrary()
    async with browser(library).run_test(size=(80, 24)) as pilot:
        screen = await typed(pilot, QUERY)
        await pressed(pilot, "tab", "plus", "minus")
        assert screen.rows.hit is not None
        assert library.marks == {(QUERY, screen.rows.hit.passage_id): -2}
        assert "✘ marked wrong" in written(pilot)


async def test_chords_mark_from_the_query_line_and_signs_there_are_typed() -> None:
    library = FakeLibrary()
    async with browser(library).run_test(size=(120, 40), notifications=True) as pilot:
        screen = await typed(pilot, QUERY)
        await pressed(pilot, "f10")
        assert list(library.marks.values()) == [2]
        await pressed(pilot, "f11")
        assert list(library.marks.values()) == [-2]
        await pressed(pilot, "space", "minus", "d")
        assert screen.query_line.value == f"{QUERY} -d"
        assert len(library.marks) == 1


async def test_without_a_search_nothing_is_marked_and_the_reason_is_told() -> None:
    library = FakeLibrary()
    async with browser(library).run_test(size=(120, 40), notifications=True) as pilot:
        await settle(pilot)
        await pressed(pilot, "tab", "plus")
        assert library.marks == {}
        assert "Search for words first" in " ".join(told(pilot))


async def test_rows_of_more_like_this_are_not_marked() -> None:
    library = FakeLibrary()
    async with browser(library).run_test(size=(120, 40), notifications=True) as pilot:
        await typed(pilot, QUERY)
        await pressed(pilot, "tab", "m", "plus", "enter")
        assert library.marks == {}


async def test_a_mark_that_cannot_be_kept_is_told() -> None:
    library = FakeLibrary()
    library.refusal = LibraryReadOnly("The library can only be read.")
    async with browser(library).run_test(size=(120, 40), notifications=True) as pilot:
        await typed(pilot, QUERY)
        await pressed(pilot, "tab", "plus")
        assert "The library can only be read." in " ".join(told(pilot))


@pytest.mark.parametrize("key", ["enter", "r"])
async def test_opening_in_the_editor_or_the_reader_counts_as_opened(key: str) -> None:
    library = FakeLibrary()
    async with browser(library).run_test(size=(120, 40), notifications=True) as pilot:
        await typed(pilot, QUERY)
        await pressed(pilot, "tab", key)
        assert list(library.marks.values()) == [1]


async def test_with_memory_off_opening_leaves_no_trace_and_a_mark_says_that_it_waits() -> None:
    library = FakeLibrary()
    async with browser(library, Config(memory=False)).run_test(size=(120, 40), notifications=True) as pilot:
        await typed(pilot, QUERY)
        await pressed(pilot, "tab", "enter")
        assert library.marks == {}
        await pressed(pilot, "plus")
        assert list(library.marks.values()) == [2]
        assert "Memory is off" in " ".join(told(pilot))


async def test_an_opening_that_cannot_be_kept_does_not_hold_up_the_editor() -> None:
    library = FakeLibrary()
    library.refusal = LibraryReadOnly("no")
    app = browser(library)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await typed(pilot, QUERY)
        await pressed(pilot, "enter")
        assert len(app.ports.edit.commands) == 1  # type: ignore[union-attr]


async def test_the_log_holds_a_finished_search_once_with_what_was_opened() -> None:
    library = FakeLibrary()
    async with browser(library, Config(search_log=True)).run_test(size=(120, 40), notifications=True) as pilot:
        screen = await typed(pilot, "starter")
        await typed(pilot, QUERY)
        assert screen.rows.hit is not None
        await pressed(pilot, "tab", "enter")
        screen.parts.search.ask_again()  # as after a commit of the indexer
        await settle(pilot)
        assert [query for query, _ in library.log] == ["starter", QUERY]
        assert library.log[-1][1] == [screen.rows.hit.passage_id]


class SlowLog(FakeLibrary):
    """A library whose log takes its time: nothing is written down before `may_write` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.writing = threading.Event()
        self.may_write = threading.Event()
        self.remembered = threading.Event()

    def log_search(self, result: SearchResult) -> int:
        self.writing.set()
        assert self.may_write.wait(120)
        return super().log_search(result)

    def opened(self, query: str, passage_id: int) -> Mark:
        self.remembered.set()
        return super().opened(query, passage_id)

    def log_opened(self, number: int, hit: Hit) -> None:
        assert number > 0
        super().log_opened(number, hit)


async def test_a_row_opened_while_its_search_is_written_down_stands_in_the_log() -> None:
    library = SlowLog()
    async with browser(library, Config(search_log=True)).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        screen = screen_of(pilot)
        screen.query_line.write(QUERY)
        while not library.writing.is_set():
            await pilot.pause()
        chosen = screen.rows.hit
        assert chosen is not None
        await pilot.press("enter")
        while not library.remembered.is_set():
            await pilot.pause()
        library.may_write.set()
        await settle(pilot)
        assert library.log == [(QUERY, [chosen.passage_id])]


@pytest.mark.parametrize("key", ["enter", "ctrl+o"])
async def test_a_row_opened_before_the_last_word_counts_as_finished_stands_in_the_log(key: str) -> None:
    library = FakeLibrary()
    app = browser(library, Config(search_log=True), settle=None)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await typed(pilot, QUERY)
        chosen = screen.rows.hit
        assert chosen is not None
        assert library.log == []
        await pressed(pilot, key)
        assert library.log == [(QUERY, [chosen.passage_id])]


async def test_a_search_opened_and_then_finished_is_written_down_once() -> None:
    library = FakeLibrary()
    app = browser(library, Config(search_log=True), settle=None)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await typed(pilot, QUERY)
        await pressed(pilot, "enter", "tab", "down", "enter")
        first, second = (hit.passage_id for hit in screen.rows.hits[:2])
        assert library.log == [(QUERY, [first, second])]


async def test_without_consent_nothing_is_logged() -> None:
    library = FakeLibrary()
    async with browser(library).run_test(size=(120, 40), notifications=True) as pilot:
        await typed(pilot, QUERY)
        await pressed(pilot, "tab", "enter")
        assert library.log == []


async def test_switching_the_log_off_forgets_what_was_written() -> None:
    library = FakeLibrary()
    library.log.append(("starter", []))
    app = browser(library, Config(search_log=True))
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(pilot)
        await pressed(pilot, "f5")
        screen = pilot.app.screen
        names = [setting.name for setting in screen._settings]
        await pressed(pilot, *["down"] * names.index("search_log"), "enter")
        assert not app.config.search_log
        assert library.log == []
        assert "1 search forgotten" in " ".join(told(pilot))


async def test_the_explanation_names_the_search_that_is_remembered() -> None:
    library = FakeLibrary()
    async with browser(library).run_test(size=(120, 40), notifications=True) as pilot:
        screen = await typed(pilot, QUERY)
        hit, result = screen.rows.hit, screen.parts.shown.result
        assert hit is not None
        assert result is not None
        remembered = Remembered("keeping a [starter] alive", 0.871, 2)
        shown = replace(hit, explanation=replace(hit.explanation, remembered=remembered))
        lines = "\n".join(line.plain for line in memory_lines(Explained(shown, result), 60))
        assert "marked right for “keeping a [starter] alive” · cosine .871" in " ".join(lines.split())
        assert memory_lines(Explained(hit, result), 60) == []


async def test_the_line_below_a_row_tells_the_mark() -> None:
    library = FakeLibrary()
    async with browser(library).run_test(size=(120, 40), notifications=True) as pilot:
        screen = await typed(pilot, QUERY)
        hit = screen.rows.hit
        assert hit is not None
        assert judged_line(replace(hit, judged=-2)).plain == "✘ marked wrong"
        assert judged_line(replace(hit, judged=1)).plain == "· opened before"


@pytest.mark.parametrize(("editor", "kept"), [("vim", False), ("code", True)])
async def test_a_glance_counts_nothing_but_a_window_of_its_own_may_stay_open(editor: str, kept: bool) -> None:
    library = FakeLibrary()
    settings = SettingsFile(config=Config(editor=editor))
    app = CarrelApp(replace(ports(library, pace=replace(STILL, look=3600.0)), settings=settings))
    async with app.run_test(size=(120, 40)) as pilot:
        await typed(pilot, QUERY)
        await pilot.press("ctrl+o")
        await pilot.pause()
        assert len(app.screen_stack) == 2
        await pressed(pilot, "escape")
        assert library.marks == {}
        await pressed(pilot, "enter")
        assert len(app.ports.edit.commands) == 1  # type: ignore[union-attr]
        assert list(library.marks.values()) == ([1] if kept else [])


class AskedWhen(FakeLibrary):
    """A library that knows until when what was opened counts, search by search."""

    def __init__(self) -> None:
        super().__init__()
        self.until: list[float | None] = []

    def explore(self, text: str, *, settings: SearchSettings, **more: Any) -> FakeExploration:
        self.until.append(settings.opened_until)
        return super().explore(text, settings=settings, **more)


async def test_what_is_opened_counts_from_the_next_question_on_and_moves_no_row_of_this_one() -> None:
    library, ticks = AskedWhen(), itertools.count(1.0)
    app = CarrelApp(replace(ports(library), clock=lambda: next(ticks)))
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await typed(pilot, QUERY)
        asked = library.until[-1]
        await pressed(pilot, "enter")
        screen.parts.search.ask_again()  # as after a commit
        await settle(pilot)
        assert library.until[-1] == asked
        await typed(pilot, "starter")
        now = library.until[-1]
        assert asked is not None and now is not None and now > asked
