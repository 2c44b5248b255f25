"""What if: a slider and switches that move the rows without a new search; keep and reset; the pictures of the panel."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
from fakes import NOTES, FakeExploration, FakeLibrary, ports, search_notes
from hypothesis import given
from hypothesis import strategies as st
from piloting import SIZES, SMALL, WIDE, picture, pressed, settle, told, typed, written
from textual.geometry import Offset
from textual.pilot import Pilot

from app.tui.app import CarrelApp
from app.tui.screens.search.arrangement import ungrouped
from app.tui.screens.search.screen import SearchScreen
from app.tui.screens.search.whatif import CONTROLS, FUSIONS, Control, WhatIf, moved_rows, row_of
from app.tui.screens.search.whatif_lines import compact_lines, panel_lines, single_line, target_at
from engine.records import DEFAULT_CONSTANTS, FusionConstants, SearchResult, SearchSettings, Weights

FITTED = FusionConstants(meaning=0.7, rare=4.0)
OWN = WhatIf(SearchSettings(), SearchSettings(), Weights(0.8, 0.2, ""))


def panel_text(screen: SearchScreen) -> str:
    return "\n".join(screen.pane.what_if.shown_lines)


@given(st.lists(st.tuples(st.sampled_from(CONTROLS), st.integers(-30, 30).filter(bool)), max_size=12))
def test_whatever_is_moved_stays_within_what_a_search_takes(moves: list[tuple[Control, int]]) -> None:
    state = OWN
    for control, steps in moves:
        state = state.stepped(control, steps)
    tried = state.tried
    assert tried.fusion in FUSIONS
    assert tried.weights is None or (0 <= tried.weights[0] <= 1 and sum(tried.weights) == pytest.approx(1.0))
    assert not tried.collapse or 0.5 <= tried.collapse <= 0.99
    assert tried.diversity is None or 0 <= tried.diversity <= 1
    assert tried.cutoff is None or tried.cutoff >= 1
    assert state.reset().tried == state.own
    for width in (38, 47, 58, 100):
        for build in (panel_lines, compact_lines, single_line):
            assert all(line.content.cell_length <= width for line in build(state, width, "weight"))


def test_the_slider_moves_by_steps_of_a_twentieth() -> None:
    assert OWN.stepped("weight", -1).tried.weights == (0.75, 0.25)
    assert OWN.stepped("weight", 9).tried.weights == (1.0, 0.0)


def test_moving_the_slider_brings_a_leg_back() -> None:
    off = OWN.stepped("fusion", -1)
    assert off.tried.fusion == "keyword" and off.vector_weight == 0.0
    assert off.stepped("weight", 1).tried.fusion == "convex"


def test_above_the_highest_cosine_nothing_collapses() -> None:
    never = OWN.stepped("collapse", 5)
    assert never.tried.collapse == 0.0
    assert never.stepped("collapse", 1).tried.collapse == 0.0
    assert never.stepped("collapse", -1).tried.collapse == 0.99


def test_diversity_and_cut_off_go_from_off_to_strict_and_no_further() -> None:
    assert [OWN.stepped("diversity", n).tried.diversity for n in (-1, 1, 2, 9)] == [None, 0.9, 0.7, 0.3]
    assert [OWN.stepped("cutoff", n).tried.cutoff for n in (-1, 1, 4, 9)] == [None, 2.0, 1.3225, 1.15]
    between = OWN.try_settings(SearchSettings(diversity=0.6, cutoff=1.6))
    assert [between.stepped("diversity", n).tried.diversity for n in (-1, 1)] == [0.7, 0.5]
    assert [between.stepped("cutoff", n).tried.cutoff for n in (-1, 1)] == [1.75, 1.5]


def test_a_row_is_found_again_by_any_passage_of_its_note() -> None:
    result = search_notes(NOTES, "starter alive", SearchSettings(), 10)
    folded = next(hit for hit in result.hits if hit.more_in_document)
    assert row_of(folded.more_in_document[0], result) is folded
    assert row_of(-1, result) is None
    assert moved_rows(result, result) == 0


async def test_the_slider_moves_the_rows_without_a_new_search(library: FakeLibrary, app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter alive")
        asked, scores = len(library.asked), [hit.score for hit in screen.rows.hits]
        await pilot.press("f12", *["left"] * 10)
        await settle(pilot)
        assert library.tried[-1].weights == (0.3, 0.7)
        assert len(library.asked) == asked
        assert [hit.score for hit in screen.rows.hits] != scores
        assert "meaning .30  words .70" in screen.reading.text
        assert "trying" in screen.pane.what_if.shown_lines[0]


class FittedLibrary(FakeLibrary):
    """A library to which a run has fitted constants."""

    def search(self, *given: Any, **named: Any) -> SearchResult:
        return replace(super().search(*given, **named), constants=FITTED)


async def test_fitted_constants_are_held_against_the_defaults_and_stay_with_the_library() -> None:
    library = FittedLibrary()
    app = CarrelApp(ports(library))
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        screen = await typed(pilot, "starter alive")
        config = app.config
        await pressed(pilot, "f12", "up")
        assert screen.pane.what_if.control == "fitted"
        assert "fitted ◂ on ▸" in panel_text(screen) and "rare words 4" in panel_text(screen)
        await pressed(pilot, "left")
        assert library.tried[-1].constants == DEFAULT_CONSTANTS and "fitted ◂ off ▸" in panel_text(screen)
        await pressed(pilot, "K")
        assert "carrel rollback" in told(pilot)[-1] and app.config == config
        await pressed(pilot, "r")
        assert screen.parts.search.settings == config.search_settings() and "fitted ◂ on ▸" in panel_text(screen)
        await pressed(pilot, "left", "up", "right", "K")  # the cut-off is kept, the constants are not
        assert app.config.cutoff == 2.0 and screen.parts.search.settings.constants is None


async def test_without_fitted_constants_nothing_is_said_of_them(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter alive")
        await pressed(pilot, "f12", "up")
        assert screen.pane.what_if.control == "cutoff" and "fitted" not in panel_text(screen)


async def test_a_note_unfolds_by_the_settings_that_are_tried(library: FakeLibrary, app: CarrelApp) -> None:
    tried = ungrouped(SearchSettings(weights=(0.3, 0.7)))
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "hungry")
        await pilot.press("f12", *["left"] * 10)
        await settle(pilot)
        await pilot.press("ctrl+g")
        await settle(pilot)
        hits = library.search("hungry", limit=100, settings=tried, typing=False, cancel=None).hits
        scores = {hit.passage_id: hit.score for hit in hits}
        further = [hit for hit in screen.rows.hits if hit.title == "Sourdough"][1:]
        assert len(further) == 2
        assert [hit.score for hit in further] == [scores[hit.passage_id] for hit in further]


async def test_passages_of_settings_that_are_tried_no_more_are_not_shown(library: FakeLibrary, app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "hungry")
        rows = len(screen.rows.hits)
        library.held = {"convex"}
        await pilot.press("ctrl+g", "f12", *["left"] * 5)
        await pilot.pause()
        library.release.set()
        await settle(pilot)
        assert "trying" in screen.pane.what_if.shown_lines[0]
        assert len(screen.rows.hits) == rows


async def test_of_many_rows_the_first_are_shown_at_once(library: FakeLibrary, app: CarrelApp) -> None:
    library.notes = {f"{n}.md": f"# Note {n}\n\nstarter {'alive ' * n}\n" for n in range(1, 61)}
    shown: list[int] = []
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter alive")
        show = screen.rows.show
        screen.rows.show = lambda hits, *more, **named: (shown.append(len(hits)), show(hits, *more, **named))[1]  # type: ignore[method-assign]
        await pilot.press("f12", "left")
        await settle(pilot)
        assert shown == [30, 60]
        await pilot.press("escape", "tab", "end")
        chosen = screen.rows.hit
        await pilot.press("f12", "left")
        await settle(pilot)
        assert shown[2:] in ([60], [30, 60]) and screen.rows.hit is not None and chosen is not None
        assert screen.rows.hit.passage_id == chosen.passage_id


async def finished(pilot: Pilot[int], group: str) -> None:
    """Wait until one kind of work is done and what it said has been heard; other work may go on."""
    await pilot.pause()
    while any(worker.group == group and not worker.is_finished for worker in pilot.app.workers):
        await pilot.pause()
    await pilot.pause()


async def test_rows_ranked_anew_are_not_shown_to_a_query_that_came_meanwhile(
    library: FakeLibrary, app: CarrelApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.notes = {f"{n}.md": f"# Note {n}\n\nstarter {'alive ' * n}\n" for n in range(60)}
    go_on = threading.Event()
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter alive")
        again = FakeExploration.again

        def slowly(exploration: FakeExploration, settings: SearchSettings, limit: int = 10) -> SearchResult:
            assert go_on.wait(120)
            return again(exploration, settings, limit)

        monkeypatch.setattr(FakeExploration, "again", slowly)
        await pilot.press("f12", "left")
        library.held = {"convex"}  # the new query has no answer of every leg yet
        screen.query_line.write("note")
        await finished(pilot, "words")
        go_on.set()
        await finished(pilot, "what-if")
        assert screen.parts.shown.result is not None and screen.parts.shown.result.query.text == "note"
        library.release.set()
        await settle(pilot)
        assert screen.parts.shown.result.query.text == "note" and library.tried[-1].weights is not None


async def test_more_like_this_is_not_laid_over_a_query_that_came_meanwhile(
    library: FakeLibrary, app: CarrelApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    similar, go_on = library.similar, threading.Event()

    def slowly(passage_id: int, *, limit: int) -> SearchResult:
        assert go_on.wait(120)
        return similar(passage_id, limit=limit)

    monkeypatch.setattr(library, "similar", slowly)
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter alive")
        await pilot.press("ctrl+l")
        screen.query_line.write("starter")
        await finished(pilot, "all")
        go_on.set()
        await settle(pilot)
        assert screen.parts.shown.heading is None
        assert screen.parts.shown.result is not None and screen.parts.shown.result.query.text == "starter"


async def test_the_explanation_says_where_the_row_stood_before(app: CarrelApp) -> None:
    async with app.run_test(size=(120, 48)) as pilot:
        screen = await typed(pilot, "starter")
        await pilot.press("f12", *["right"] * 4)
        await settle(pilot)
        assert any(line.startswith("before") for line in screen.pane.explanation.shown_lines)


@pytest.mark.parametrize(
    ("keys", "field", "value"),
    [
        (("down", "right"), "fusion", "rrf"),
        (("down", "left"), "fusion", "keyword"),
        (("down", "left", "left"), "fusion", "vector"),
        (("down", "down", "space"), "feedback", False),
        (("down", "down", "down", "space"), "memory", False),
        (("up", "up", "up", "left"), "collapse", 0.94),
        (("up", "up", "up", "shift+right", "shift+right"), "collapse", 0.0),
        (("up", "up", "space"), "diversity", 0.9),
        (("up", "shift+right"), "cutoff", 1.3225),
    ],
)
async def test_each_control_is_tried(
    library: FakeLibrary, app: CarrelApp, keys: tuple[str, ...], field: str, value: object
) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, "starter")
        await pilot.press("f12", *keys)
        await settle(pilot)
        assert getattr(library.tried[-1], field) == value


async def test_reset_returns_to_the_persons_own_rows(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter alive")
        before = screen.rows.hits
        await pilot.press("f12", "left", "left")
        await settle(pilot)
        assert screen.rows.hits != before
        await pilot.press("r")
        await settle(pilot)
        assert screen.rows.hits == before
        assert "as it is set" in screen.pane.what_if.shown_lines[0]


async def test_diversity_gives_several_passages_of_a_note_rows_at_once(library: FakeLibrary, app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "hungry starter")
        await pressed(pilot, "ctrl+down")
        asked, rows = len(library.asked), len(screen.rows.hits)
        await pressed(pilot, "f12", *["down"] * 5)
        assert "▌diversity ◂ off ▸" in panel_text(screen)
        await pressed(pilot, "right", "right")
        assert library.tried[-1].diversity == 0.7 and "diversity ◂ λ .70 ▸" in panel_text(screen)
        assert len(screen.rows.hits) > rows and len(library.asked) == asked
        await pressed(pilot, "left", "left")
        assert len(screen.rows.hits) == rows


async def test_the_cut_off_drops_rows_that_are_far_and_hold_no_word(library: FakeLibrary, app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "hungry")
        rows = len(screen.rows.hits)
        await pressed(pilot, "f12", "up", *["right"] * 5)
        assert library.tried[-1].cutoff == 1.15 and "cut-off ◂ 1.15 × ▸" in panel_text(screen)
        assert len(screen.rows.hits) < rows and "row" in screen.pane.what_if.shown_lines[0]
        await pressed(pilot, "K")
        assert app.config.cutoff == 1.15 and app.config.diversity is None


async def test_the_arrows_of_a_value_can_be_clicked(library: FakeLibrary, app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "hungry starter")
        await pressed(pilot, "f12")
        panel = screen.pane.what_if
        line = next(at for at, text in enumerate(panel.shown_lines) if "diversity" in text)
        column = panel.shown_lines[line].index("▸")
        start = panel.content_region.offset - panel.region.offset
        await pilot.click(panel, offset=start + Offset(column, line))
        await settle(pilot)
        assert library.tried[-1].diversity == 0.9 and panel.control == "diversity"


async def test_keep_makes_it_the_default(library: FakeLibrary, app: CarrelApp) -> None:
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        screen = await typed(pilot, "starter alive")
        await pilot.press("f12", "left", "left", "down", "down", "space", "K")
        await settle(pilot)
        assert app.config.weights == (0.7, 0.3) and app.config.feedback is False
        assert "Kept" in told(pilot)[-1] and "back to before" in panel_text(screen)
        await pilot.press("escape", "escape")
        await typed(pilot, "starter alive x")
        assert "meaning .70  words .30" in screen.reading.text
        await pressed(pilot, "f12", "r")
        assert app.config.weights is None and app.config.feedback is True and "As before" in told(pilot)[-1]
        await pressed(pilot, "j", "k", "r")
        assert app.config.weights is None and len(told(pilot)) == 2


async def test_nothing_is_kept_where_nothing_was_tried(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await typed(pilot, "starter alive")
        await pilot.press("f12", "K", "r")
        assert app.config.weights is None and not told(pilot)


async def test_closing_the_explanation_forgets_what_was_tried(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter alive")
        before = screen.rows.hits
        await pilot.press("f12", "left", "left", "escape")
        await settle(pilot)
        assert screen.query_line.has_focus and screen.rows.hits != before
        await pilot.press("ctrl+t")
        await settle(pilot)
        assert screen.rows.hits == before


async def test_what_is_tried_stays_while_the_query_changes(library: FakeLibrary, app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter")
        await pilot.press("f12", "left", "left", "escape")
        await typed(pilot, "starter alive")
        assert library.tried[-1].weights == (0.7, 0.3)
        assert "meaning .70  words .30" in screen.reading.text
        assert screen.parts.shown.result is not None and screen.parts.shown.result.query.text == "starter alive"


async def test_the_selection_stays_on_its_passage(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter alive")
        await pilot.press("down")
        chosen = screen.rows.hit
        await pilot.press("f12", *["left"] * 12)
        await settle(pilot)
        assert screen.rows.hit is not None and chosen is not None
        assert screen.rows.hit.passage_id == chosen.passage_id


async def test_a_pointer_moves_the_slider_and_the_switches(library: FakeLibrary, app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter alive")
        await pilot.press("ctrl+t")
        panel = screen.pane.what_if
        lines = panel._lines()
        slider = next(target for target in lines[1].targets if target.slides)
        start = panel.content_region.offset - panel.region.offset
        await pilot.mouse_down(panel, offset=start + Offset(slider.start, 1))
        await pilot.mouse_up(panel, offset=start + Offset(slider.start, 1))
        await settle(pilot)
        assert library.tried[-1].weights is not None and library.tried[-1].weights[0] <= 0.05
        rrf = lines[2].targets[1]
        await pilot.click(panel, offset=start + Offset(rrf.start, 2))
        await settle(pilot)
        assert library.tried[-1].fusion == "rrf"


async def test_settings_that_cannot_be_tried_are_told(
    library: FakeLibrary, app: CarrelApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        screen = await typed(pilot, "starter alive")
        assert screen.parts.trial.exploration is not None

        def broken(*_: object) -> None:
            raise OSError("gone")

        monkeypatch.setattr(screen.parts.trial.exploration, "again", broken)
        await pilot.press("f12", "left")
        await settle(pilot)
        assert "could not be tried" in told(pilot)[-1]
        assert screen.rows.hits


async def test_the_footer_shows_the_keys_of_the_panel(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, "starter alive")
        await pilot.press("f12")
        await pilot.pause()
        footer = written(pilot).splitlines()[-1]
        assert "K keep as my default" in footer and "r reset" in footer and "y copy as text" in footer


async def test_on_a_low_screen_the_figures_stand_above_the_panel_and_its_way_back_is_named() -> None:
    app = CarrelApp(ports(FakeLibrary()))
    async with app.run_test(size=SMALL) as pilot:
        await typed(pilot, "starter alive")
        await pressed(pilot, "f12")
        text = written(pilot)
        shown = ("meaning  ▕", "words    ▕", "score    ▕", "K keep", "esc back")
        assert [name for name in shown if name not in text] == []
        await pilot.resize_terminal(40, 12)
        await settle(pilot)
        assert "▌weight    meaning .80" in written(pilot)


@pytest.mark.parametrize("size", SIZES)
def test_picture_of_what_if(snap_compare: Any, size: tuple[int, int]) -> None:
    assert picture(snap_compare, FakeLibrary(), size, "down", "f12", "left", "left", query="starter alive")


def test_the_weight_of_late_interaction_is_offered_only_where_the_library_has_it() -> None:
    assert "late" not in OWN.controls
    assert all("late" not in line.content.plain for line in panel_lines(OWN, 60, "weight"))
    late = replace(OWN, late=True)
    assert late.controls[-1] == "late"
    line = next(line for line in panel_lines(late, 60, "late") if "late" in line.content.plain)
    assert "▌late ◂ .3 ▸" in line.content.plain
    assert late.stepped("late", -3).tried.late == late.stepped("late", -9).tried.late == 0.0
    assert late.stepped("late", 20).tried.late == 1.0
    target = target_at([line], line.content.plain.rindex("▸"), 0)
    assert target is not None
    assert target.applied(late, 0).tried.late == 0.4
    assert late.stepped("late", 1).changed


async def test_rows_of_the_query_do_not_take_the_place_of_more_like_this(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter")
        await pressed(pilot, "f12", *["left"] * 4, "f12", "ctrl+l")
        like = [hit.passage_id for hit in screen.rows.hits]
        assert screen.reading.text.startswith("like: ") and screen.pane.explaining
        await pressed(pilot, "ctrl+t")
        assert screen.reading.text.startswith("like: ")
        assert [hit.passage_id for hit in screen.rows.hits] == like


async def test_behind_more_like_this_the_rows_stand_by_what_is_tried_and_the_row_is_selected_again(
    app: CarrelApp,
) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter")
        await pressed(pilot, "f12", *["left"] * 8, "f12", "down", "down")
        result, chosen = screen.parts.shown.result, screen.rows.hit
        assert result is not None and result.weights.vector == pytest.approx(0.4) and chosen is not None
        await pressed(pilot, "ctrl+l", "down", "ctrl+l", "escape")
        assert screen.reading.text.startswith("like: ")
        await pressed(pilot, "escape")
        result = screen.parts.shown.result
        assert result is not None and result.weights.vector == pytest.approx(0.4)
        assert screen.rows.hit is not None and screen.rows.hit.passage_id == chosen.passage_id
