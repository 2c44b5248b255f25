"""Filters, chips, completion, history, saved searches, order and folding of the rows, the first run: by keys."""

from __future__ import annotations

import stat
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import NOW, FakeEditor, FakeLibrary, ports
from hypothesis import given
from hypothesis import strategies as st
from piloting import SMALL, WIDE, pressed, settle, told, typed, written

from app.tui.app import CarrelApp
from app.tui.query_history import History
from app.tui.screens.chooser import ChoiceScreen
from app.tui.screens.reader.screen import ReaderScreen
from app.tui.screens.search.arrangement import in_order
from app.tui.screens.search.chip_line import ChipLine
from app.tui.screens.search.filter_completion import NO_FACETS, candidates, completed, completed_name, unfinished
from app.tui.screens.search.query_text import chips, with_filter, without
from app.tui.settings_file import SettingsFile
from engine.config import Config
from engine.records import Facets, SearchResult, StoredPassage, Tier

FACETS = Facets({"markdown": 9, "pdf": 2}, {"recipe": 3, "spring garden": 1}, {"kitchen": 5, "work/kites": 2})


# --- chips ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("bread", []),
        ("path:kitchen bread -stove", [("path: ", "kitchen"), ("-", "stove")]),
        ('"rye starter" -tag:"to do"', [("", "“rye starter”"), ("-tag: ", "to do")]),
        ('after:2024 "half typed', [("after: ", "2024")]),
        ("path: -", []),
    ],
)
def test_chips_show_what_restricts(text: str, shown: list[tuple[str, str]]) -> None:
    assert [(chip.name, chip.value) for chip in chips(text)] == shown


def test_taking_a_chip_away_leaves_the_rest() -> None:
    text = "bread path:kitchen  rye -stove"
    first, second = chips(text)
    assert without(text, first) == "bread rye -stove"
    assert without(text, second) == "bread path:kitchen  rye"
    assert without("tag:x", chips("tag:x")[0]) == ""


@given(st.text(max_size=40))
def test_any_text_can_be_taken_apart(text: str) -> None:
    for chip in chips(text):
        assert len(without(text, chip)) < len(text)


def test_a_filter_is_added_once_and_quoted_where_it_must_be() -> None:
    assert with_filter("bread", "tag", "to do") == 'bread tag:"to do" '
    assert with_filter("", "-path", "a") == "-path:a "
    assert with_filter("bread tag:x", "tag", "x") == "bread tag:x"
    assert with_filter("bread", "tag", 'a "b') == 'bread tag:"a  b" '


async def test_a_click_takes_a_chip_away(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter path:kitchen -stove")
        assert "path: kitchen ×  -stove ×" in written(pilot)
        await pilot.click(ChipLine, offset=(7, 0))
        await settle(pilot)
        assert screen.query_line.value == "starter -stove"
        await pressed(pilot, "alt+z")
        assert screen.query_line.value == "starter"
        assert not screen.query_one(ChipLine).display


async def test_backspace_in_the_rows_takes_the_last_chip_away(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter path:kitchen ")
        await pressed(pilot, "tab", "backspace")
        assert screen.query_line.value == "starter"
        assert screen.rows.has_focus


# --- completion -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("bread pat", "bread path:"),
        ("pa", None),
        ("-tag", "-tag:"),
        ("-aft", None),
        ('"pat', None),
        ("pat ", None),
    ],
)
def test_names_of_filters_are_completed(text: str, whole: str | None) -> None:
    piece = unfinished(text)
    assert (completed_name(text, piece) if piece else None) == whole


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("path:", "path:kitchen"),
        ("path:Kit", "path:Kitchen"),
        ("path:kitchen", None),
        ("path:Work", None),
        ("x path:work/", "x path:work/kites"),
        ("path:kite", "path:kites"),
        ("type:p", "type:pdf"),
        ("tag:s", None),
        ('tag:"s', 'tag:"spring garden"'),
        ("after:t", "after:today"),
        ("before:20", "before:2026-07"),
        ("type:zip", None),
    ],
)
def test_values_are_completed_as_they_were_typed(text: str, whole: str | None) -> None:
    piece = unfinished(text)
    assert piece is not None and piece.field is not None
    assert completed(text, piece, candidates(piece.field, FACETS, NOW)) == whole


def test_without_a_library_there_is_nothing_to_complete() -> None:
    assert list(candidates("path", NO_FACETS, NOW)) == []


async def test_tab_and_right_take_the_completion(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter path:kit")
        assert "path:kitchen" in written(pilot)
        await pressed(pilot, "tab")
        assert screen.query_line.value == "starter path:kitchen" and screen.query_line.has_focus
        await pressed(pilot, "tab")
        assert screen.rows.has_focus
        await typed(pilot, "starter ta")
        await pressed(pilot, "slash", "g", "right")
        assert screen.query_line.value == "starter tag:"
        await pressed(pilot, "right")
        assert screen.query_line.value == "starter tag:recipe"


async def test_titles_are_completed_from_the_library(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "title:sour")
        await pressed(pilot, "tab")
        assert screen.query_line.value == "title:sourdough"


async def test_a_word_that_begins_like_a_filter_does_not_hold_up_tab(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "the day after")
        await pressed(pilot, "tab")
        assert screen.rows.has_focus and screen.query_line.value == "the day after"


# --- the filter picker ----------------------------------------------------------------------------------------------


async def test_a_filter_is_picked_by_field_and_value(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter")
        await pressed(pilot, "ctrl+f")
        assert "with a tag" in written(pilot)
        await pressed(pilot, "down", "down", "enter")
        assert "3 documents" in written(pilot)
        await pressed(pilot, *"spring", "enter")
        assert screen.query_line.value == 'starter tag:"spring garden" '
        assert "tag: spring garden ×" in written(pilot)


async def test_a_value_may_be_typed_that_is_not_in_the_list(app: CarrelApp) -> None:
    async with app.run_test(size=SMALL) as pilot:
        screen = await typed(pilot, "starter")
        await pressed(pilot, "ctrl+f", *"title", "enter", *"rye", "enter")
        assert screen.query_line.value == "starter title:rye "


async def test_the_picker_is_left_without_a_change(app: CarrelApp) -> None:
    async with app.run_test(size=SMALL) as pilot:
        screen = await typed(pilot, "starter")
        await pressed(pilot, "ctrl+f", "enter", "escape")
        assert screen.query_line.value == "starter" and app.screen is screen


async def test_a_value_is_picked_by_mouse(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter")
        await pressed(pilot, "ctrl+f", "enter")
        await pilot.click("OptionList", offset=(2, 1))
        await settle(pilot)
        assert screen.query_line.value == "starter books " or screen.query_line.value.startswith("starter path:")


async def test_hostile_values_are_shown_as_text() -> None:
    library = FakeLibrary({"[/]a\x1b[31m/x.md": "# [/foo]\n\nstarter\n"})
    app = CarrelApp(ports(library))
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, "path:")
        await pressed(pilot, "ctrl+f", "enter")
        assert "[/]a␛[31m" in written(pilot)
        assert "\x1b" not in written(pilot)


# --- history --------------------------------------------------------------------------------------------------------


def test_the_history_is_private_and_newest_first(tmp_path: Path) -> None:
    history = History(tmp_path / "state" / "history")
    for text in ("one", "two\nlines", "  ", "one", "\ud800"):
        history.remember(text)
    assert history.entries()[1:] == ("one", "two lines")
    file = tmp_path / "state" / "history"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    history.forget("one")
    assert "one" not in history.entries()
    assert history.forget_all() == 2
    assert history.entries() == () and not file.exists()


def test_a_history_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    history = History(tmp_path / "state" / "history")
    history.remember("one")
    assert history.entries() == ()


async def test_what_was_opened_or_gone_to_is_found_again(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "sourdough")
        await typed(pilot, "starter")
        await pressed(pilot, "tab")
        await typed(pilot, "alive")
        await pressed(pilot, "slash", "enter")
        await typed(pilot, "stove")
        await pressed(pilot, "ctrl+r")
        assert isinstance(app.screen, ChoiceScreen)
        assert "alive" in written(pilot) and "sourdough" not in written(pilot).replace("Sourdough", "")
        await pressed(pilot, *"star", "enter")
        assert screen.query_line.value == "starter" and screen.query_line.has_focus


async def test_delete_forgets_a_search(app: CarrelApp) -> None:
    for text in ("one", "two"):
        app.ports.history.remember(text)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pressed(pilot, "ctrl+r", "delete")
        assert app.ports.history.entries() == ("one",)


async def test_a_history_that_is_off_keeps_nothing(library: FakeLibrary) -> None:
    app = CarrelApp(replace(ports(library), settings=SettingsFile(config=Config(history=False))))
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await typed(pilot, "starter")
        await pressed(pilot, "enter", "ctrl+r")
        assert app.ports.history.entries() == ()
        assert "History is off" in told(pilot)[-1]


# --- saved searches -------------------------------------------------------------------------------------------------


async def test_a_search_is_kept_run_and_dropped(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        screen = await typed(pilot, "path:kitchen starter")
        await pressed(pilot, "f6", "enter")
        await pressed(pilot, "enter")
        assert "It needs a name." in written(pilot)
        await pressed(pilot, *"bread", "enter")
        assert app.config.saved == {"bread": "path:kitchen starter"}
        await typed(pilot, "stove")
        await pressed(pilot, "f6", "down", "enter")
        assert screen.query_line.value == "path:kitchen starter"
        await pressed(pilot, "f6", "down", "delete")
        assert app.config.saved == {}
        assert told(pilot) == [
            "Kept as “bread”. f6 finds it again.",
            "“bread” is no longer kept.",
        ]


# --- order, folding, more -------------------------------------------------------------------------------------------


async def test_rows_are_sorted_by_date_and_name(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter alive")
        by_relevance = [hit.title for hit in screen.rows.hits]
        await pressed(pilot, "ctrl+s")
        dates = [hit.modified for hit in screen.rows.hits]
        assert dates == sorted(dates, reverse=True) and "newest first" in screen.reading.text
        await pressed(pilot, "tab", "s")
        titles = [hit.title for hit in screen.rows.hits]
        assert titles == sorted(titles, key=str.casefold) and "by name" in screen.reading.text
        await pressed(pilot, "s")
        assert [hit.title for hit in screen.rows.hits] == by_relevance
        assert "by name" not in screen.reading.text


def test_the_order_keeps_every_row() -> None:
    settings = Config().search_settings()
    hits = FakeLibrary().search("starter", limit=10, settings=settings, typing=False, cancel=None).hits
    for order in ("relevance", "date", "name"):
        assert {hit.passage_id for hit in in_order(hits, order)} == {hit.passage_id for hit in hits}  # type: ignore[arg-type]


async def test_a_note_unfolds_with_the_figures_of_each_passage(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "hungry")
        assert screen.rows.hits[0].title == "Sourdough"
        assert " +2 " in written(pilot)
        notes = len(screen.rows.hits)
        await pressed(pilot, "ctrl+g")
        assert len(screen.rows.hits) == notes + 2
        assert "└ Baking" in written(pilot) and " − " in written(pilot)
        further = screen.rows.hits[1:3]
        assert all(hit.title == "Sourdough" and hit.vector is not None for hit in further)
        await pressed(pilot, "tab", "down")
        assert screen.rows.hit == further[0]
        await pressed(pilot, "h")
        assert len(screen.rows.hits) == notes and screen.rows.selected == 0
        await pressed(pilot, "h", "right", "l")
        assert len(screen.rows.hits) == notes + 2  # where it is so already, nothing happens
        await typed(pilot, "starter")
        assert " − " not in written(pilot)


@pytest.mark.parametrize("keys", [("l", "h"), ("ctrl+g", "ctrl+g")])
async def test_a_note_folded_while_its_passages_are_still_looked_for_stays_folded(keys: tuple[str, str]) -> None:
    library = FakeLibrary()
    async with CarrelApp(ports(library)).run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "hungry")
        notes, asked = len(screen.rows.hits), len(library.asked)
        await pressed(pilot, "tab")
        library.held = {"convex"}
        await pilot.press(keys[0])
        while len(library.asked) == asked:
            await pilot.pause()
        await pilot.press(keys[1])
        library.release.set()
        await settle(pilot)
        assert len(screen.rows.hits) == notes


async def test_only_the_row_of_the_note_says_how_to_fold_it(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter")
        await pressed(pilot, "ctrl+g")
        further = [place for place, _ in enumerate(screen.rows.hits) if screen.rows.is_unfolded(place)]
        assert further == [screen.rows.selected]


async def test_a_note_unfolds_by_mouse(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "hungry")
        await pilot.click("#rows", offset=(screen.rows.scrollable_content_region.width - 2, 2))
        await settle(pilot)
        assert "└ Baking" in written(pilot)
        assert screen.rows.selected == 0


async def test_a_note_with_one_passage_says_so(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await typed(pilot, "spark")
        await pressed(pilot, "ctrl+g")
        assert told(pilot) == ["This is the only passage of the note that was found."]


MANY = {f"a/{number:03}.md": f"# Note {number:03}\n\nstarter {'x' * (number % 7)}\n" for number in range(230)}


async def test_more_rows_come_on_demand() -> None:
    app = CarrelApp(ports(FakeLibrary(MANY)))
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        screen = await typed(pilot, "starter")
        assert len(screen.rows.hits) == 100
        await pressed(pilot, "tab", "end")
        assert "100 of 230 shown   . shows more" in written(pilot)
        chosen = screen.rows.hit
        await pressed(pilot, "full_stop")
        assert len(screen.rows.hits) == 200 and screen.rows.hit == chosen
        await pressed(pilot, "end", "down")
        assert len(screen.rows.hits) == 230
        await pressed(pilot, "ctrl+down")
        assert told(pilot) == ["All 230 rows are shown."]
        await typed(pilot, "note")
        assert len(screen.rows.hits) == 100


class Papers(FakeLibrary):
    """A library of PDFs."""

    def search(self, text: str, **more: Any) -> SearchResult:
        found = super().search(text, **more)
        return replace(found, hits=tuple(replace(hit, kind="pdf") for hit in found.hits))


@pytest.mark.parametrize("library", [Papers(), FakeLibrary()], ids=["without a viewer", "without an editor"])
async def test_what_no_program_here_shows_is_read_in_carrel(
    library: FakeLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    for name in ("EDITOR", "VISUAL"):
        monkeypatch.delenv(name, raising=False)
    app = CarrelApp(ports(library))
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await typed(pilot, "starter")
        await pressed(pilot, "enter")
        assert isinstance(app.screen, ReaderScreen)
        assert "its text as it was indexed" in " ".join(told(pilot))
        assert app.ports.edit.commands == []  # type: ignore[union-attr]


# --- tiers ----------------------------------------------------------------------------------------------------------

TIERS: tuple[Tier, ...] = ("strong", "strong", "likely", "weak", "likely", *["weak"] * 6)  # type: ignore[assignment]


class Tiered(FakeLibrary):
    """A library of which one row among likely ones is weak, and six behind them; by words alone no tier is known."""

    def __init__(self) -> None:
        super().__init__({f"a/{number:02}.md": f"# Note {number:02}\n\nstarter\n" for number in range(len(TIERS))})

    def search(self, text: str, **more: Any) -> SearchResult:
        found = super().search(text, **more)
        hits = tuple(replace(hit, tier=TIERS[place % len(TIERS)]) for place, hit in enumerate(found.hits))
        return replace(found, hits=hits, verdict="strong" if hits else "none")


async def test_the_tiers_are_counted_and_weak_rows_are_folded_behind_a_rule() -> None:
    app = CarrelApp(ports(Tiered()))
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter")
        assert "2 strong, 2 likely, 7 weak" in screen.reading.text and "found" not in screen.reading.text
        tiers = [hit.tier for hit in screen.rows.hits]
        assert tiers == list(TIERS[:5])  # the order of relevance stays: a weak row among likely ones is where it was
        await pressed(pilot, "tab", "G")
        assert "6 weak   . shows them" in written(pilot) and "── weak ──" not in written(pilot)
        await pressed(pilot, "j")
        assert len(screen.rows.hits) == len(TIERS) and screen.rows.selected == 5
        assert "── weak ──" in written(pilot)
        chosen = screen.rows.hit
        await pressed(pilot, "s")
        assert {hit.tier for hit in screen.rows.hits[5:]} == {"weak"}  # in every order they come last
        screen.parts.search.ask_again()
        await settle(pilot)
        assert chosen in screen.rows.hits and len(screen.rows.hits) == len(TIERS)
        line = next(at for at, text in enumerate(written(pilot).splitlines()) if "── weak ──" in text)
        await pilot.click(offset=(20, line + 1))
        assert screen.rows.selected == 5  # the rule moves the rows below it a line down
        await typed(pilot, "starter x")
        assert len(screen.rows.hits) == 5
        await pressed(pilot, "full_stop")
        assert len(screen.rows.hits) == len(TIERS)


async def test_rows_have_numbers_and_where_all_are_weak_all_are_shown() -> None:
    library = Tiered()
    app = CarrelApp(ports(library))
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter")
        assert [int(line[1]) for line in written(pilot).splitlines() if "Note" in line][:3] == [1, 2, 3]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys.modules[__name__], "TIERS", ("weak",) * len(TIERS))
            await typed(pilot, "starter again")
        assert len(screen.rows.hits) == len(TIERS) and "11 weak" in screen.reading.text


# --- filters that are being typed -----------------------------------------------------------------------------------


async def test_while_a_filter_is_half_typed_the_rows_stay_and_its_values_are_listed() -> None:
    library = FakeLibrary()
    app = CarrelApp(ports(library))
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter")
        await pressed(pilot, "space")
        before = screen.rows.hits
        for value, listed in (
            ("path:", ("kitchen 2", "books 1")),
            ("path:k", ("kitchen 2",)),
            ("path:kitche", ("kit",)),
        ):
            asked = len(library.asked)
            screen.query_line.value = f"starter {value}"
            screen.query_line.cursor_position = len(screen.query_line.value)
            await settle(pilot)
            assert screen.rows.hits == before and len(library.asked) == asked
            assert all(each in screen.reading.text for each in listed), screen.reading.text
        assert "books" not in screen.reading.text
        await pressed(pilot, "tab")
        assert screen.query_line.value == "starter path:kitchen"
        assert library.asked[-1][0] == "starter path:kitchen" and "kitchen 2" not in screen.reading.text


async def test_a_value_that_begins_like_none_here_is_searched_as_typed_and_so_is_one_that_is_finished() -> None:
    library = FakeLibrary()
    app = CarrelApp(ports(library))
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter path:sour")
        assert library.asked[-1][0] == "starter path:sour"
        await typed(pilot, "starter path:kit")
        assert library.asked[-1][0] == "starter "
        await pressed(pilot, "space")
        assert library.asked[-1][0] == "starter path:kit "
        await typed(pilot, "starter path:kit")
        await pressed(pilot, "home")  # who moves away has finished the word
        assert library.asked[-1][0] == "starter path:kit" and "books" not in screen.reading.text


def test_the_newest_searches_are_kept_behind_pages_that_were_pasted(tmp_path: Path) -> None:
    history = History(tmp_path / "state" / "history")
    for number in range(12):
        history.remember(f"page {number} " + "word " * 20_000)
    history.remember("the newest")
    assert history.entries()[0] == "the newest" and history.entries()[1].startswith("page 11 ")
    history.forget("the newest")
    assert history.entries()[0].startswith("page 11 ")


async def test_enter_pressed_twice_at_once_opens_the_note_once(
    library: FakeLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, passages, editor = threading.Event(), library.passages, FakeEditor()

    def slowly(passage_ids: Sequence[int]) -> tuple[StoredPassage, ...]:
        assert go_on.wait(120)
        return passages(passage_ids)

    app = CarrelApp(ports(library, editor=editor))
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, "starter")
        monkeypatch.setattr(library, "passages", slowly)
        await pilot.press("enter", "enter")
        go_on.set()
        await settle(pilot)
        assert len(editor.commands) == 1
        await pressed(pilot, "enter")
        assert len(editor.commands) == 2
