"""Why not: naming a note, the stages that it went through, and each key that tries what would bring it back."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import ROOT, FakeLibrary, ports
from piloting import SIZES, SMALL, WIDE, picture, pressed, screen_of, settle, typed, written
from textual.pilot import Pilot

from app.tui.app import CarrelApp
from app.tui.screens.search.why_not.remedies import Remedy, remedies, without
from app.tui.screens.search.why_not.report_lines import lost_at, report_lines
from app.tui.screens.search.why_not.screen import WhyNotScreen
from engine.errors import LibraryDamaged
from engine.records import SearchSettings, WhyChanges, WhyReport, WhyStage

STOVE = ROOT + b"/gear/stove.md"
FAR = WhyReport(
    "starter", STOVE, False, None,
    (
        WhyStage("indexed", True, None, "3 passages"),
        WhyStage("filters", True, None, "none set"),
        WhyStage("vector", True, 188, "rank 188, distance 0.512"),
        WhyStage("keyword", False, None, "no passage of it is among the best for “starter”"),
        WhyStage("fused", True, 142, "rank 142 of 200, score 0.140"),
        WhyStage("listed", False, 104, "row 104, and 100 are shown", "--limit 104"),
    ),
    "fused",
    (
        "Ask for 104 rows (--limit 104).",
        "Weigh meaning 0.95 and words 0.05 (--weights 0.95,0.05).",
        "Words that would find it: spark, electric, dry.",
    ),
    WhyChanges(weights=(0.95, 0.05), words=("spark", "electric", "dry")),
)  # fmt: skip


@pytest.fixture
def library() -> FakeLibrary:
    library = FakeLibrary()
    library.reports[STOVE] = FAR
    return library


def filtered(needed: str) -> WhyReport:
    stages = (WhyStage("indexed", True, None, ""), WhyStage("filters", False, None, f"outside {needed}", needed))
    return WhyReport("bread path:kitchen -rye", STOVE, False, None, stages, "filters", (f"Leave out {needed}.",))


def test_every_advice_has_something_to_try() -> None:
    offered = remedies(FAR, SearchSettings())
    assert [remedy.limit for remedy in offered if remedy.limit] == [104]
    assert [remedy.settings for remedy in offered if remedy.settings] == [
        SearchSettings(weights=(0.95, 0.05)),
        SearchSettings(fusion="vector"),
    ]
    assert [remedy.text for remedy in offered if remedy.text] == ["starter spark", "starter electric", "starter dry"]


@pytest.mark.parametrize(
    ("query", "needed", "left"),
    [
        ("bread path:kitchen -rye", "path:kitchen", "bread -rye"),
        ("bread type:pdf", "type:pdf", "bread"),
        ("bread -type:pdf x", "-type:pdf", "bread x"),
        ("bread after:2024", "after:", "bread"),
        ('bread title:"a b" x', "title:a b", "bread x"),
        ("bread -Rye", "-rye", "bread"),
        ('"Rye starter" care', 'the quotes around "rye starter"', "Rye starter care"),
        ("bread", "one of the filters", "bread"),
    ],
)
def test_what_rules_a_note_out_is_taken_from_the_query(query: str, needed: str, left: str) -> None:
    assert without(query, needed) == left


def test_a_filter_is_left_out_and_nothing_else() -> None:
    assert remedies(filtered("path:kitchen"), SearchSettings()) == (
        Remedy("leave out path:kitchen", text="bread -rye"),
    )
    assert remedies(filtered("one of the filters"), SearchSettings()) == ()


def test_a_near_duplicate_can_have_a_row_of_its_own() -> None:
    stages = (WhyStage("collapsed", False, None, "says nearly the same as “Bread”", "collapsing switched off"),)
    report = WhyReport("bread", STOVE, False, None, stages, "collapsed", ("Open “Bread”.",))
    assert remedies(report, SearchSettings())[0].settings == SearchSettings(collapse=0.0)


def test_the_lost_stage_is_marked_and_only_that() -> None:
    assert lost_at(FAR) is FAR.stages[-1]
    text = [line.plain for line in report_lines(FAR, "Stove [/]\x1b[31m", 90)]
    assert text[0] == "Why is “Stove [/]␛[31m” not in the list?"
    assert [line for line in text if "lost here" in line] == [
        "✗ in the list       row 104, and 100 are shown   ← lost here"
    ]
    assert any(line.startswith("✗ by words") for line in text) and any(line.startswith("✓ fused") for line in text)


@pytest.mark.parametrize("width", [30, 60, 100])
def test_the_report_fits_its_width(width: int) -> None:
    assert all(line.cell_length <= width for line in report_lines(FAR, "Camping stove " * 9, width))


def test_a_note_that_is_not_indexed_tells_what_to_do() -> None:
    stages = (WhyStage("indexed", False, None, "left out by a rule: *.tmp", "Change the rule."),)
    report = WhyReport("bread", STOVE, False, None, stages, "indexed", ("Change the rule.",))
    text = "\n".join(line.plain for line in report_lines(report, "x", 80))
    assert "cannot be found at all" in text and "Change the rule." in text
    assert remedies(report, SearchSettings()) == ()


# --- through keys -------------------------------------------------------------------------------------------------


def why_not(pilot: Pilot[int]) -> WhyNotScreen:
    screen = pilot.app.screen
    assert isinstance(screen, WhyNotScreen)
    return screen


async def asked_for(pilot: Pilot[int], query: str, name: str) -> WhyNotScreen:
    """Search, ask why not, and type a name."""
    await typed(pilot, query)
    await pilot.press("ctrl+n")
    screen = why_not(pilot)
    screen.name_line.value = name
    await settle(pilot)
    return screen


async def test_a_name_lists_notes_and_traces_the_first(library: FakeLibrary, app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await asked_for(pilot, "starter", "stove")
        assert screen.documents.option_count == 1
        assert "Why is “Camping stove” not in the list?" in screen.report.shown_lines
        assert library.traced[-1][0] == "starter"
        assert "1 → show it all the same, as row 104" in written(pilot)


async def test_moving_traces_the_next_note(library: FakeLibrary, app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await asked_for(pilot, "starter", "")
        first = library.traced[-1][1]
        await pilot.press("down")
        await settle(pilot)
        assert library.traced[-1][1] != first
        assert screen.name_line.has_focus


async def test_other_weights_are_tried_and_shown_in_the_panel(library: FakeLibrary, app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await asked_for(pilot, "starter", "stove")
        await pilot.press("enter", "2")
        await settle(pilot)
        screen = screen_of(pilot)
        assert library.tried[-1].weights == (0.95, 0.05)
        assert screen.pane.explaining and "trying" in screen.pane.what_if.shown_lines[0]
        assert screen.rows.hit is not None and screen.rows.hit.path == STOVE


async def test_a_word_is_added_and_the_note_is_selected(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await asked_for(pilot, "starter", "stove")
        await pilot.press("enter", "4")
        await settle(pilot)
        screen = screen_of(pilot)
        assert screen.query_line.value == "starter spark"
        assert screen.rows.hit is not None and screen.rows.hit.path == STOVE


async def test_more_rows_are_asked_for(library: FakeLibrary, app: CarrelApp) -> None:
    library.notes = {f"{n}.md": f"# Note {n}\n\nstarter\n" for n in range(104)} | library.notes
    async with app.run_test(size=WIDE) as pilot:
        rows = (await typed(pilot, "alive")).rows
        listed = {hit.path for hit in rows.hits}
        missed = next(name for name in library.notes if ROOT + b"/" + name.encode() not in listed)
        library.reports[ROOT + b"/" + missed.encode()] = replace(FAR, path=ROOT + b"/" + missed.encode())
        await asked_for(pilot, "alive", missed)
        await pilot.press("enter", "enter")
        await settle(pilot)
        assert len(listed) == 100 < len(rows.hits)
        assert rows.hit is not None and rows.hit.path == ROOT + b"/" + missed.encode()


async def test_a_note_in_the_list_is_gone_to(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await asked_for(pilot, "starter", "fermentation")
        assert "Why is “Fermentation log” in the list?" in screen.report.shown_lines
        await pilot.press("enter", "enter")
        await settle(pilot)
        hit = screen_of(pilot).rows.hit
        assert hit is not None and hit.path.endswith(b"fermentation-log.md")


async def test_a_name_that_no_note_has_says_where_to_look(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await asked_for(pilot, "starter", "zebra [/]")
        assert "No indexed note has “zebra [/]” in its title or path." in screen.report.shown_lines
        assert screen.tries.option_count == 0


async def test_where_to_look_is_said_whole_on_a_narrow_screen(app: CarrelApp) -> None:
    async with app.run_test(size=(60, 24)) as pilot:
        screen = await asked_for(pilot, "starter", "zebra of the long and winding road")
        said = " ".join(line.strip() for line in screen.report.shown_lines)
        assert "zebra of the long and winding road” in its title or path." in said
        assert said.endswith("each with its reason.")


async def test_only_keys_that_do_something_are_named(app: CarrelApp) -> None:
    def named() -> str:
        line: Any = pilot.app.screen.query_one("#why-keys")
        return str(line.text).strip()

    async with app.run_test(size=WIDE) as pilot:
        screen = await asked_for(pilot, "starter", "zebra")
        assert named() == "esc back"
        screen.name_line.value = "stove"
        await settle(pilot)
        assert named() == "↑↓ choose   enter to what would help   1-9 try it there   esc back"
        screen.name_line.value = "fermentation"  # it is in the list: nothing would help
        await settle(pilot)
        if not screen.tries.option_count:
            assert "enter" not in named() and "1-9" not in named()


async def test_all_that_would_help_is_in_sight_on_a_small_screen(app: CarrelApp) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await asked_for(pilot, "starter", "stove")
        shown = written(pilot)
        assert "← lost here" in shown and "✓ indexed" in shown
        for number in range(1, 7):
            assert f" {number} → " in shown
        await pilot.resize_terminal(40, 12)
        await settle(pilot)
        assert " 1 → " in written(pilot)


async def test_escape_leads_back_step_by_step(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await asked_for(pilot, "starter", "stove")
        await pilot.press("enter")
        assert screen.tries.has_focus
        await pilot.press("escape")
        assert screen.name_line.has_focus
        await pilot.press("escape")
        assert pilot.app.screen is screen_of(pilot)
        assert screen_of(pilot).query_line.value == "starter"


async def test_a_search_that_fails_is_told(
    library: FakeLibrary, app: CarrelApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> WhyReport:
        raise LibraryDamaged("The file is damaged.")

    monkeypatch.setattr(library, "why", broken)
    async with app.run_test(size=WIDE) as pilot:
        screen = await asked_for(pilot, "starter", "stove")
        assert "The file is damaged." in screen.report.shown_lines[0]


@pytest.mark.parametrize("size", SIZES)
def test_picture_of_why_not(snap_compare: Any, size: tuple[int, int]) -> None:
    library = FakeLibrary()
    library.reports[STOVE] = FAR
    assert picture(snap_compare, library, size, "ctrl+n", *"stove", query="starter")


class SlowTraces(FakeLibrary):
    """A library that traces documents once a test lets it, and can fail to."""

    def __init__(self) -> None:
        super().__init__()
        self.reports[STOVE] = FAR
        self.go_on = threading.Event()
        self.go_on.set()

    def why(self, text: str, path: Path, *, settings: SearchSettings, limit: int) -> WhyReport:
        assert self.go_on.wait(120)
        if self.error is not None:
            raise self.error
        return super().why(text, path, settings=settings, limit=limit)


async def test_enter_in_the_midst_of_tracing_tries_nothing_of_the_document_before() -> None:
    library = SlowTraces()
    app = CarrelApp(ports(library))
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, "starter")
        await pressed(pilot, "ctrl+n")
        assert isinstance(app.screen, WhyNotScreen) and app.screen.tries.option_count
        library.go_on.clear()
        await pilot.press(*"stove", "enter", "1")
        for _ in range(20):
            await pilot.pause()
        assert isinstance(app.screen, WhyNotScreen)
        library.go_on.set()
        await settle(pilot)
        assert app.screen is screen_of(pilot)
        rows = screen_of(pilot).rows
        assert rows.hit is not None and rows.hit.path == STOVE


async def test_where_a_document_cannot_be_traced_nothing_of_the_one_before_is_offered() -> None:
    library = SlowTraces()
    app = CarrelApp(ports(library))
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, "starter")
        await pressed(pilot, "ctrl+n")
        library.error = LibraryDamaged("The library is damaged.")
        await pressed(pilot, "down")
        assert "The library is damaged." in written(pilot) and "→" not in written(pilot)
        await pressed(pilot, "enter", "1")
        assert isinstance(app.screen, WhyNotScreen)


async def test_a_note_that_did_not_come_back_is_not_selected_in_another_search() -> None:
    library = FakeLibrary()
    library.reports[STOVE] = replace(FAR, path=ROOT + b"/new/bread.md")
    app = CarrelApp(ports(library))
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, "starter")
        await pressed(pilot, "ctrl+n", *"stove", "enter", "2")
        library.notes["new/bread.md"] = "# Nothing of that\n\nzz\n"
        screen = await typed(pilot, "starter alive")
        result = screen.parts.shown.result
        assert result is not None and ROOT + b"/new/bread.md" in [hit.path for hit in result.hits[1:]]
        assert screen.rows.selected == 0
