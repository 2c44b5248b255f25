"""The training screen, driven by keys, over runs whose events were recorded."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeIndexer, FakeLibrary, ports
from piloting import SIZES, SMALL, WIDE, pressed, settle, told, written
from rich.cells import cell_len
from textual.pilot import Pilot
from training_fakes import BEGAN, FakeTraining

from app.tui.actions import APP_ACTIONS, in_footer, offered
from app.tui.app import CarrelApp
from app.tui.screens.command_list import CommandScreen
from app.tui.screens.confirm import ConfirmScreen
from app.tui.screens.prompts import AskScreen
from app.tui.screens.search.screen import SearchScreen
from app.tui.screens.training.example_review import ReviewScreen
from app.tui.screens.training.page_bar import PageBar
from app.tui.screens.training.screen import TrainingScreen
from app.tui.training_port import Run, RunPlan
from app.tui.widgets.footer import KeyLine
from engine.installation import command_for
from training.run_removal import DiskUse

AT_WORK = Run("tuned-4", BEGAN, "local", "all-MiniLM-L6-v2", "running")
OVER = replace(AT_WORK, state="ended")
ENDINGS = {
    "success": replace(
        OVER, verdict="gain", outcome="promotable", gain=0.017, low=0.0037, high=0.0303, promotable=True
    ),
    "no-gain": replace(OVER, verdict="no gain", outcome="not promotable", gain=0.0024, low=-0.0109, high=0.0157),
    "worse": replace(OVER, verdict="worse", outcome="not promotable", gain=-0.029, low=-0.0423, high=-0.0157),
    "cannot-judge": replace(
        OVER, verdict="cannot judge", outcome="not promotable", gain=0.011, low=-0.0132, high=0.0352,
        promotable=True, knowingly=True,
    ),
    "cancel": replace(OVER, outcome="cancelled"),
    "failed": replace(OVER, outcome="failed"),
}  # fmt: skip


@pytest.fixture
def training(tmp_path: Path) -> FakeTraining:
    return FakeTraining(tmp_path)


@pytest.fixture
def app(training: FakeTraining) -> CarrelApp:
    return CarrelApp(replace(ports(FakeLibrary(), FakeIndexer()), training=training))


async def until(pilot: Pilot[int], condition: Callable[[], bool]) -> None:
    """Wait for what the follower's thread brings; a test that waits in vain fails."""
    for _ in range(500):
        if condition():
            await settle(pilot)
            return
        await pilot.pause(0.01)
    raise AssertionError("it never came:\n" + written(pilot))


async def opened(pilot: Pilot[int]) -> TrainingScreen:
    await settle(pilot)
    await pressed(pilot, "f9")
    assert isinstance(pilot.app.screen, TrainingScreen)
    return pilot.app.screen


async def shown_ending(pilot: Pilot[int], training: FakeTraining, recording: str) -> str:
    """Open a run that is over from the history, and return what the screen says then."""
    training.record(ENDINGS[recording], recording)
    screen = await opened(pilot)
    await pressed(pilot, "tab", "tab", "enter")
    await until(pilot, lambda: screen.state.over)
    return written(pilot)


def footer(pilot: Pilot[int]) -> str:
    return pilot.app.screen.query_one(KeyLine).render().plain


# --- the plan ---------------------------------------------------------------------------------------------------------


async def test_f9_goes_to_the_retraining_and_back(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await pressed(pilot, "f9")
        assert isinstance(app.screen, SearchScreen)
        await pressed(pilot, "f9", "escape")
        assert isinstance(app.screen, SearchScreen)


async def test_the_names_of_the_pages_are_clicked(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await opened(pilot)
        for page in ("history", "run", "plan"):
            line = screen.page_bar.text
            await pilot.click(PageBar, offset=(line.index(f" {page} ") + 2, 0))
            await settle(pilot)
            assert screen.page == page


async def test_the_plan_says_what_each_source_gives_and_whether_that_can_be_judged(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        shown = written(pilot)
        assert "[✓] judged by you" in shown and "61" in shown
        assert "[ ] titles and headings" in shown and "1,333" in shown
        assert "[b]questions in a file[/]" in shown and "needs a file" in shown
        assert "377 questions, in about 12 min" in shown
        assert "75 of 200 needed" in shown and "too few for a verdict" in shown
        assert "125 more held-out questions" in shown


async def test_a_machine_that_was_never_timed_is_timed_before_the_start(app: CarrelApp, training: FakeTraining) -> None:
    training.timed = False
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        assert training.done == [("measure", "local")]
        assert "377 questions, in about 12 min" in written(pilot)


async def test_where_nothing_can_be_planned_the_page_says_why(app: CarrelApp, training: FakeTraining) -> None:
    training.unplannable = "The library is empty: there is nothing to learn from. Run `carrel sync` first."
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        assert "The library is empty: there is nothing to learn from." in " ".join(written(pilot).split())


async def test_where_it_cannot_be_timed_no_figure_is_made_up(app: CarrelApp, training: FakeTraining) -> None:
    training.timed = training.measurable = False
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        shown = " ".join(written(pilot).split())
        assert "377 questions. It works" in shown and "How long it takes is not known here." in shown


async def test_taking_another_source_changes_what_to_expect(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await pressed(pilot, "down", "down", "down", "space")
        shown = written(pilot)
        assert "[✓] titles and headings" in shown
        assert "342 of 200 needed" in shown and "a gain of .008 or more from chance" in shown
        await pressed(pilot, "space")
        assert "75 of 200 needed" in written(pilot)


async def test_a_source_that_needs_a_file_asks_for_it(app: CarrelApp, training: FakeTraining) -> None:
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        screen = await opened(pilot)
        await pressed(pilot, *["down"] * 4, "enter")
        assert isinstance(app.screen, AskScreen)
        training.trouble = "/gone cannot be read."
        await pressed(pilot, *"/gone", "enter")
        assert "/gone cannot be read." in written(pilot) and "file" not in screen.plan_page.planning.taken
        training.trouble = ""
        await pressed(pilot, "enter", *"/here", "enter")
        assert "[✓] [b]questions in a file[/]" in written(pilot) and "1,377 questions" in written(pilot)
        await pressed(pilot, "b")
        assert training.plans == [RunPlan(("judged", "opened", "links", "file"), "local", 10_000, (("file", "/here"),))]


async def test_a_plan_is_begun_as_it_was_put_together(app: CarrelApp, training: FakeTraining) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await opened(pilot)
        await pressed(pilot, "space", *["down"] * 6, "enter", "left", "end", "enter")
        assert training.plans == [RunPlan(("opened", "links"), "adapter", 5_000)]
        assert screen.page == "run" and "tuned-1" in written(pilot)
        assert "starting …" in written(pilot)


async def test_a_plan_without_a_source_is_not_begun(app: CarrelApp, training: FakeTraining) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await pressed(pilot, "space", "down", "space", "down", "space", "b")
        assert training.plans == []
        assert "Take at least one source of questions." in written(pilot)


async def test_there_is_one_run_at_a_time(app: CarrelApp, training: FakeTraining) -> None:
    training.record(AT_WORK, "success", lines=20)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await pressed(pilot, "shift+tab", "b")
        assert training.plans == []


async def test_without_torch_the_screen_explains_the_extra_and_the_history_is_there(
    app: CarrelApp, training: FakeTraining
) -> None:
    training.lacking = "It brings torch, which learns; searching does without."
    training.record(ENDINGS["success"], "success")
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot)
        shown = written(pilot)
        assert "".join(command_for("training").split()) in "".join(shown.split())  # it may take two lines
        assert "searching does without" in shown and "Nothing else needs it" in shown
        assert "begin" not in footer(pilot)
        await pressed(pilot, "b")
        assert training.plans == []
        await pressed(pilot, "tab", "tab")
        assert "tuned-4" in written(pilot)
        await pressed(pilot, "escape")
        assert isinstance(app.screen, SearchScreen)


async def test_a_browser_without_a_port_to_the_runs_says_so() -> None:
    app = CarrelApp(ports(FakeLibrary()))
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot)
        assert "Retraining is not installed here." in written(pilot)


# --- a run at work ----------------------------------------------------------------------------------------------------


async def test_a_run_at_work_is_found_when_the_screen_is_opened(app: CarrelApp, training: FakeTraining) -> None:
    training.record(AT_WORK, "success", lines=16)
    async with app.run_test(size=WIDE) as pilot:
        screen = await opened(pilot)
        await until(pilot, lambda: screen.state.mined is not None)
        shown = written(pilot)
        assert "✓ queries 11 s" in shown and "▶ mining 50 %" in shown and "about 21 min in all" in shown
        assert "dropped 402: 377 did not find their own passage, 25" in shown
        assert "212 held out for the" in shown and "The test can tell a gain of .011 from chance." in shown
        assert "meaning blind 36 %   words blind 36 %   agree 28 %" in shown
        assert "160 false negatives" in shown
        assert "“mirrors out of line”" in shown and "words blind" in shown
        assert "“[bold]what eats the hostas[/bold]”" in shown and "and 2 more" in shown


async def test_training_is_shown_with_its_curves_pace_and_evaluations(app: CarrelApp, training: FakeTraining) -> None:
    training.record(AT_WORK, "success", lines=275)
    async with app.run_test(size=(160, 48)) as pilot:
        screen = await opened(pilot)
        await until(pilot, lambda: screen.state.stepped is not None)
        shown = written(pilot)
        assert "▶ training 78 %" in shown and "3 min left" in shown
        assert "step 248 of 320" in shown
        assert "Learning rate" in shown and "triples/s" in shown and "memory 2.3 GB" in shown and "drift .013" in shown
        assert "Development NDCG@10  base .702" in shown
        (line,) = (line for line in shown.splitlines() if "step 240" in line)
        assert "+.015" in line and "+.001 to +.029" in line and "●" in line and "┤" in line
        assert "⣿" in shown


async def test_a_mixture_is_told_by_its_share_of_the_tuned_model_and_by_the_step_that_it_is_made_of(
    app: CarrelApp, training: FakeTraining
) -> None:
    async with app.run_test(size=(160, 60)) as pilot:
        shown = await shown_ending(pilot, training, "success")
        shares = ("25 %", "50 %", "75 %")
        rows = {share: line for line in shown.splitlines() for share in shares if f"{share} tuned, " in line}
        assert sorted(rows) == list(shares)
        assert all("step 320" in line and "to +" in line for line in rows.values())


async def test_the_screen_follows_what_the_run_says(app: CarrelApp, training: FakeTraining) -> None:
    training.record(AT_WORK, "success", lines=4)
    async with app.run_test(size=WIDE) as pilot:
        screen = await opened(pilot)
        await until(pilot, lambda: screen.state.stage == "queries")
        training.go_on("tuned-4", "success", 4)
        training.change("tuned-4", state="ended", promotable=True)
        await until(pilot, lambda: screen.state.over)
        assert "Better on questions that it never saw" in written(pilot)
        assert "u use it" in footer(pilot)


async def test_who_looks_elsewhere_is_told_that_the_run_is_over(app: CarrelApp, training: FakeTraining) -> None:
    training.record(AT_WORK, "success", lines=50)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        screen = await opened(pilot)
        await until(pilot, lambda: screen.state.stage == "training")
        await pressed(pilot, "escape")
        training.go_on("tuned-4", "success", 50)
        await until(pilot, lambda: screen.state.over)
        assert "The retraining tuned-4 is over" in written(pilot)


async def test_a_run_is_paused_let_go_on_and_stopped(app: CarrelApp, training: FakeTraining) -> None:
    training.record(AT_WORK, "success", lines=100)
    async with app.run_test(size=WIDE) as pilot:
        screen = await opened(pilot)
        await until(pilot, lambda: screen.state.stage == "training")
        assert "p pause" in footer(pilot) and "go on" not in footer(pilot)
        await pressed(pilot, "p")
        with training.events("tuned-4").open("a") as stream:
            stream.write('{"type": "paused", "at": 1783000000.0}\n')
        await until(pilot, lambda: screen.state.paused)
        assert "‖ training" in written(pilot) and "paused, o goes on" in written(pilot)
        assert "o go on" in footer(pilot) and "p pause" not in footer(pilot)
        await pressed(pilot, "o", "s")
        assert training.done == [("order", "tuned-4", word) for word in ("pause", "resume", "stop")]


# --- looking at the examples ------------------------------------------------------------------------------------------

WAITING = replace(AT_WORK, state="waiting")


async def reviewing(pilot: Pilot[int], training: FakeTraining) -> ReviewScreen:
    """Open the browser on a run that waits, and begin to look at its examples."""
    training.record(WAITING, "review", lines=33)
    screen = await opened(pilot)
    await until(pilot, lambda: screen.state.review is not None and screen.state.paused)
    await pressed(pilot, "e")
    assert isinstance(pilot.app.screen, ReviewScreen)
    return pilot.app.screen


async def test_a_plan_can_ask_for_a_review(app: CarrelApp, training: FakeTraining) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        assert "[ ] look at the examples before it learns" in written(pilot)
        await pressed(pilot, "end", "up", "enter")
        shown = " ".join(written(pilot).split())
        assert "[✓] look at the examples before it learns" in shown and "waits once it has found its examples" in shown
        await pressed(pilot, "b")
        assert training.plans == [RunPlan(("judged", "opened", "links"), "local", 10_000, review=True)]


async def test_a_run_that_waits_for_its_review_is_found_and_says_so(app: CarrelApp, training: FakeTraining) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await reviewing(pilot, training)
        await pressed(pilot, "escape")
        shown = written(pilot)
        assert "8 examples wait to be looked at" in shown and "waits for your review" in shown
        assert "e examples" in footer(pilot) and "o go on" in footer(pilot)
        assert training.done == []


async def test_an_example_says_what_answers_it_where_that_lies_and_why_the_others_are_there(
    app: CarrelApp, training: FakeTraining
) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await reviewing(pilot, training)
        await pressed(pilot, *["right"] * 8)
        shown = " ".join(written(pilot).split())
        assert "9 of 16" in shown and "“fridge starter schedule”" in shown and "from links" in shown
        assert "+ answers it kitchen/sourdough.md" in shown
        assert "words put it first; meaning does not have it among the first ten" in shown
        assert "− only seems to answer gear/camping stove.md" in shown
        assert "meaning puts it first, words third" in shown
        assert "meaning puts it fourth; words do not have it among the first ten" in shown
        assert "not decided: it is learnt from" in shown


async def test_examples_are_accepted_rejected_and_skipped_and_the_run_goes_on(
    app: CarrelApp, training: FakeTraining
) -> None:
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        screen = await reviewing(pilot, training)
        await pressed(pilot, "y", "n", "right", "left", "left", "y")
        assert screen.decided == training.decided == {1: True, 2: True}
        assert "3 of 16" in written(pilot) and "2 accepted · 0 rejected" in written(pilot)
        await pressed(pilot, "n", "o")
        assert training.decided == {1: True, 2: True, 3: False}
        assert training.done[-1] == ("order", "tuned-4", "resume")
        assert isinstance(app.screen, TrainingScreen)
        training.go_on("tuned-4", "review", 33)
        training.change("tuned-4", state="ended", verdict="gain", promotable=True)
        await until(pilot, lambda: bool(app.screen.state.over))  # type: ignore[attr-defined]
        assert "Better on questions that it never saw" in written(pilot) and app.screen.state.review is None  # type: ignore[attr-defined]


async def test_decisions_outlive_the_browser_and_the_rest_is_accepted_at_once(
    app: CarrelApp, training: FakeTraining
) -> None:
    training.decided = {1: False, 2: True}
    async with app.run_test(size=WIDE) as pilot:
        screen = await reviewing(pilot, training)
        assert screen.shown is not None and screen.shown.number == 3
        await pressed(pilot, "left", "left")
        assert "✗ rejected" in written(pilot)
        await pressed(pilot, "a")
        assert [number for number, accepted in training.decided.items() if not accepted] == [1]
        assert len(training.decided) == 16
        assert training.done[-1] == ("order", "tuned-4", "resume")


async def test_behind_the_last_example_stands_what_comes_of_it(app: CarrelApp, training: FakeTraining) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await reviewing(pilot, training)
        await pressed(pilot, "n", *["right"] * 20)
        shown = " ".join(written(pilot).split())
        assert "16 in all" in shown and "learns from all but the 1 example that you rejected" in shown
        await pressed(pilot, "y", "left")
        assert "16 of 16" in written(pilot) and training.decided == {1: False}


async def test_a_decision_that_comes_too_late_is_told_and_not_shown_as_kept(
    app: CarrelApp, training: FakeTraining
) -> None:
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        screen = await reviewing(pilot, training)
        training.trouble = "The run tuned-4 learns already."
        await pressed(pilot, "n")
        assert "learns already" in written(pilot) and screen.decided == {}


async def test_who_looks_elsewhere_is_told_that_the_run_waits(app: CarrelApp, training: FakeTraining) -> None:
    training.record(AT_WORK, "review", lines=20)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        screen = await opened(pilot)
        await until(pilot, lambda: screen.state.stage == "mining")
        await pressed(pilot, "escape")
        training.go_on("tuned-4", "review", 20, 33)
        await until(pilot, lambda: screen.state.review is not None)
        assert "The retraining tuned-4 waits" in written(pilot)


# --- orders -----------------------------------------------------------------------------------------------------------


async def test_cancelling_asks_first(app: CarrelApp, training: FakeTraining) -> None:
    training.record(AT_WORK, "cancel", lines=16)
    async with app.run_test(size=WIDE) as pilot:
        screen = await opened(pilot)
        await until(pilot, lambda: screen.state.mined is not None)
        await pressed(pilot, "c")
        assert isinstance(app.screen, ConfirmScreen)
        await pressed(pilot, "n")
        assert training.done == []
        await pressed(pilot, "c", "y")
        assert training.done == [("order", "tuned-4", "cancel")]
        training.go_on("tuned-4", "cancel", 16)
        training.change("tuned-4", state="ended", outcome="cancelled")
        await until(pilot, lambda: screen.state.over)
        assert "Cancelled after" in written(pilot) and "Nothing was kept, and nothing was changed." in written(pilot)


async def test_an_order_that_cannot_be_given_is_told(app: CarrelApp, training: FakeTraining) -> None:
    training.record(AT_WORK, "success", lines=100)
    training.trouble = "There is no run tuned-4."
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await opened(pilot)
        await pressed(pilot, "p")
        assert "There is no run tuned-4." in written(pilot)


async def test_a_run_that_broke_off_is_told_as_such_and_taken_up_again(app: CarrelApp, training: FakeTraining) -> None:
    training.record(replace(AT_WORK, state="crashed"), "crash")
    async with app.run_test(size=WIDE) as pilot:
        screen = await opened(pilot)
        await until(pilot, lambda: screen.state.stepped is not None)
        shown = written(pilot)
        assert "✗ training" in shown and "broken off" in shown
        assert "This run broke off in training, at step 192 of 320" in shown
        assert "o goes on from its last checkpoint" in shown
        await pressed(pilot, "o")
        assert training.done == [("resume", "tuned-4")]
        crashed_at = len((training.folder / "tuned-4.jsonl").read_text(encoding="ascii").splitlines())
        training.go_on("tuned-4", "resume", crashed_at)
        training.change("tuned-4", state="ended", verdict="gain", promotable=True)
        await until(pilot, lambda: screen.state.over)
        assert "Better on questions that it never saw" in written(pilot)
        steps = [point.step for point in screen.state.curve.points]
        assert steps == sorted(set(steps))


# --- the verdict ------------------------------------------------------------------------------------------------------


async def test_a_gain_is_told_with_the_table_behind_it(app: CarrelApp, training: FakeTraining) -> None:
    async with app.run_test(size=WIDE) as pilot:
        shown = await shown_ending(pilot, training, "success")
        assert "Better on questions that it never saw: +.017 (95 % between +.004 and +.030, 212 questions)." in shown
        assert "General sense of language unchanged." in shown
        assert "Nothing has changed yet. u takes it into use" in shown
        (row,) = (line for line in shown.splitlines() if "NDCG@10, memory on" in line)
        assert ".688" in row and ".705" in row and "+.017" in row and "+.004 to +.030" in row and "├" in row
        assert "done after 14 min" in shown


async def test_no_gain_is_an_honest_outcome_with_what_would_help(app: CarrelApp, training: FakeTraining) -> None:
    async with app.run_test(size=WIDE) as pilot:
        shown = await shown_ending(pilot, training, "no-gain")
        assert "No gain found: the difference is within chance (−.011 to +.016, 212 questions)." in shown
        assert "Nothing was changed: the library is searched as before." in shown
        assert "What would help" in shown and "40 or more judged questions" in shown
        assert "the same as before: “why is my bread flat”" in shown
        assert "use it" not in footer(pilot)
        await pressed(pilot, "u")
        assert training.done == []


async def test_worse_is_not_offered_for_use(app: CarrelApp, training: FakeTraining) -> None:
    async with app.run_test(size=WIDE) as pilot:
        shown = await shown_ending(pilot, training, "worse")
        assert "✗ Worse on questions that it never saw: −.029" in shown
        assert "it is not offered for use" in shown
        assert "use it" not in footer(pilot)


async def test_what_cannot_be_judged_may_be_used_knowingly(app: CarrelApp, training: FakeTraining) -> None:
    async with app.run_test(size=WIDE) as pilot:
        shown = await shown_ending(pilot, training, "cannot-judge")
        assert "It cannot be judged: 64 questions held out could show only a gain above .019" in shown
        assert "136 more held-out questions" in shown
        await pressed(pilot, "u")
        assert isinstance(app.screen, ConfirmScreen)
        assert "Nobody has proved that it is better" in " ".join(written(pilot).split())
        await pressed(pilot, "y")
        assert training.done == [("promote", "tuned-4")]


async def test_an_error_is_told_with_its_remedy(app: CarrelApp, training: FakeTraining) -> None:
    async with app.run_test(size=WIDE) as pilot:
        shown = await shown_ending(pilot, training, "failed")
        assert "✗ The disk is full." in shown and "Free 2 GB and let the run go on." in shown


async def test_questions_stand_side_by_side_before_and_after(app: CarrelApp, training: FakeTraining) -> None:
    async with app.run_test(size=WIDE) as pilot:
        shown = await shown_ending(pilot, training, "success")
        assert "2 of 3 questions changed" in shown and "“why is my bread flat”" in shown
        rows = [line.split("│") for line in shown.splitlines()]
        (moved,) = (row for row in rows if "1 Loaves that did not rise" in row[-1] and "Flat bread" in row[0])
        assert "↑ 1" in moved[-1]
        assert any("4 Bass setup gone" in row[0] for row in rows)
        assert any("new" in row[-1] and "5 Starters for Dad's 70th" in row[-1] for row in rows)


# --- use, and the history ---------------------------------------------------------------------------------------------


async def test_taking_into_use_says_what_happens(app: CarrelApp, training: FakeTraining) -> None:
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await shown_ending(pilot, training, "success")
        await pressed(pilot, "u")
        question: Any = app.screen.query_one("#question")
        asked = " ".join(question.shown_lines)
        assert "Search with tuned-4?" in asked
        assert "embedded anew in the background, and the present model serves until that is done" in asked
        await pressed(pilot, "y")
        assert training.done == [("promote", "tuned-4")]
        assert "It is being taken into use." in written(pilot)
        assert "use it" not in footer(pilot)


async def test_a_finished_runs_model_is_let_run_beside_the_one_in_use(app: CarrelApp, training: FakeTraining) -> None:
    training.record(replace(ENDINGS["success"], model="tuned-4"), "success")
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        screen = await opened(pilot)
        await pressed(pilot, "tab", "tab", "enter")
        await until(pilot, lambda: screen.state.over)
        await pressed(pilot, "w")
        assert training.done == [("beside", "tuned-4")]
        assert any("runs beside the model in use" in said for said in told(pilot))


async def test_a_run_that_left_no_model_runs_beside_nothing(app: CarrelApp, training: FakeTraining) -> None:
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await shown_ending(pilot, training, "success")
        await pressed(pilot, "w")
        assert training.done == []


async def test_an_adapter_is_said_to_embed_nothing_anew(app: CarrelApp, training: FakeTraining) -> None:
    training.record(replace(ENDINGS["success"], recipe="adapter"), "success")
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await pressed(pilot, "tab", "tab", "u")
        asked = " ".join(written(pilot).split())
        assert "The vectors that are there are taken over" in asked and "embedded anew" not in asked


async def test_going_back_to_the_model_before_asks_first(app: CarrelApp, training: FakeTraining) -> None:
    training.record(replace(ENDINGS["success"], use="in use"), "success")
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await pressed(pilot, "tab", "tab")
        assert "✓ in use" in written(pilot) and "r model before" in footer(pilot)
        await pressed(pilot, "r", "y")
        assert training.done == [("rollback",)]
        assert "✓ in use" not in written(pilot)


async def test_the_history_tells_every_run_and_keeps_notes(app: CarrelApp, training: FakeTraining) -> None:
    training.record(ENDINGS["no-gain"], "no-gain")
    older = replace(ENDINGS["worse"], name="tuned-3", started=BEGAN - 400 * 86_400, note="[red]titles[/] only")
    training.record(older, "worse")
    async with app.run_test(size=WIDE) as pilot:
        screen = await opened(pilot)
        await pressed(pilot, "tab", "tab", "down")
        await until(pilot, lambda: "tuned-3" in screen.history_page.past)
        shown = written(pilot)
        assert "○ no gain" in shown and "✗ worse" in shown and "−.029" in shown and "2025" in shown
        assert "“[red]titles[/] only”" in shown and "Worse on questions" in shown
        await pressed(pilot, "n")
        assert isinstance(app.screen, AskScreen)
        await pressed(pilot, "end", "!", "enter")
        assert training.done == [("note", "tuned-3", "[red]titles[/] only!")]
        assert "only!" in written(pilot)


async def test_what_is_known_of_a_run_is_not_cut_where_there_is_room(app: CarrelApp, training: FakeTraining) -> None:
    training.record(ENDINGS["success"], "success")
    training.record(replace(ENDINGS["no-gain"], name="tuned-3", note="titles only"), "no-gain")
    async with app.run_test(size=WIDE) as pilot:
        screen = await opened(pilot)
        await pressed(pilot, "tab", "tab")
        await until(pilot, lambda: bool(screen.history_page.past))
        shown = written(pilot)
        for whole in ("titles only ", "NDCG@10, memory on ", "general questions "):
            assert whole in shown


async def test_a_page_with_nothing_on_it_has_no_empty_column(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        for said in ("No run is looked at.", "Nothing was retrained here yet.", "No model runs beside"):
            await pressed(pilot, "tab")
            assert said in written(pilot) and "│" not in written(pilot)


async def test_deleting_asks_and_a_run_in_use_or_at_work_stays(app: CarrelApp, training: FakeTraining) -> None:
    training.record(AT_WORK, "success", lines=50)
    training.record(replace(ENDINGS["success"], name="tuned-3", use="in use"), "success")
    training.record(replace(ENDINGS["worse"], name="tuned-2"), "worse")
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await opened(pilot)
        await pressed(pilot, "tab", "D", "down", "D")
        assert not isinstance(app.screen, ConfirmScreen) and training.done == []
        await pressed(pilot, "down", "D", "enter")
        assert training.done == []
        await pressed(pilot, "D")
        asked = " ".join(written(pilot).split())
        assert "files (3.1 MB) and its model tuned-2 (95 MB) are gone for good" in asked
        await pressed(pilot, "y")
        assert training.done == [("delete", "tuned-2")]
        assert "tuned-2 is deleted: 99 MB freed." in written(pilot)
        assert all(run.name != "tuned-2" for run in training.history)


async def test_a_model_that_is_needed_is_not_deleted_and_the_reason_is_told(
    app: CarrelApp, training: FakeTraining
) -> None:
    training.record(ENDINGS["success"], "success")
    training.trouble = "tuned-4 is what `carrel rollback` goes back to."
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await opened(pilot)
        await pressed(pilot, "tab", "tab", "D")
        assert "is what `carrel rollback` goes back to" in written(pilot)
        assert not isinstance(app.screen, ConfirmScreen)


async def test_more_runs_than_fit_are_reached_with_the_arrows(app: CarrelApp, training: FakeTraining) -> None:
    for number in range(30, 0, -1):
        training.record(replace(ENDINGS["no-gain"], name=f"tuned-{number}", started=BEGAN + number), "no-gain", lines=3)
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(pilot)
        await pressed(pilot, "tab", "tab", *["down"] * 12)
        assert screen.history_page.selected is not None and screen.history_page.selected.name == "tuned-18"
        await pressed(pilot, "end")
        assert screen.history_page.selected.name == "tuned-1"


# --- keys, palette, help, size ----------------------------------------------------------------------------------------


async def test_every_key_of_the_footer_is_a_key_of_the_screen(app: CarrelApp, training: FakeTraining) -> None:
    training.record(ENDINGS["success"], "success")
    async with app.run_test(size=(200, 50)) as pilot:
        screen = await opened(pilot)
        for _ in range(3):
            known = {*screen.ACTIONS, *APP_ACTIONS}
            assert set(in_footer(screen)) <= known
            assert all(action.key_in("rows") in footer(pilot) for action in in_footer(screen))
            await pressed(pilot, "tab")


async def test_the_palette_and_the_help_know_the_actions(app: CarrelApp) -> None:
    async with app.run_test(size=(120, 60)) as pilot:
        screen: Any = await opened(pilot)
        titles = {action.title for action in offered(screen)}
        assert {"Begin to retrain", "Cancel the run", "Take the run's model into use"} <= titles
        assert "Retraining: teach the model your own words" in titles
        await pressed(pilot, "f1")
        assert isinstance(app.screen, CommandScreen)
        await pressed(pilot, "end")
        assert "meaning blind" in written(pilot) and "take over unasked" in written(pilot)


@pytest.mark.parametrize("recording", sorted(ENDINGS))
async def test_every_ending_can_be_read_at_any_size(app: CarrelApp, training: FakeTraining, recording: str) -> None:
    async with app.run_test(size=(40, 12)) as pilot:
        await shown_ending(pilot, training, recording)
        screen: Any = app.screen
        for size in ((40, 12), (200, 60)):
            await pilot.resize_terminal(*size)
            await settle(pilot)
            lines, room = screen.run_page.verdict.shown_lines, screen.run_page.verdict.scrollable_content_region.width
            assert lines and max(map(cell_len, lines)) <= room


# --- pictures ---------------------------------------------------------------------------------------------------------

PICTURES = {
    "plan": (),
    "mining": (),
    "training": (),
    "review": ("e", *["right"] * 10),
    "verdict": ("tab", "tab", "enter"),
    "history": ("tab", "tab"),
}
RECORDED = {"mining": 16, "training": 350}


@pytest.mark.parametrize("name", sorted(PICTURES))
@pytest.mark.parametrize("size", SIZES)
def test_pictures(snap_compare: Any, app: CarrelApp, training: FakeTraining, name: str, size: tuple[int, int]) -> None:
    if name in RECORDED:
        training.record(AT_WORK, "success", lines=RECORDED[name])
    elif name == "review":
        training.record(WAITING, "review", lines=33)
    elif name != "plan":
        training.record(ENDINGS["success"], "success")
        training.record(replace(ENDINGS["no-gain"], name="tuned-3", note="titles only"), "no-gain")

    async def before(pilot: Pilot[int]) -> None:
        screen = await opened(pilot)
        if name == "review":
            await until(pilot, lambda: screen.state.review is not None)
        await pressed(pilot, *PICTURES[name])
        if name == "history":
            await until(pilot, lambda: bool(screen.history_page.past))
        elif name != "plan":
            await until(pilot, lambda: screen.state.at > 0)

    assert snap_compare(app, terminal_size=size, run_before=before)


async def test_a_run_that_is_being_started_is_not_started_twice(
    app: CarrelApp, training: FakeTraining, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, start = threading.Event(), training.start

    def slowly(plan: RunPlan) -> str:
        assert go_on.wait(120)
        return start(plan)

    monkeypatch.setattr(training, "start", slowly)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await pilot.press("b", "b")
        for _ in range(20):
            await pilot.pause()
        go_on.set()
        await settle(pilot)
        assert len(training.plans) == 1


async def test_who_has_left_meanwhile_is_not_asked_whether_a_run_is_to_be_deleted(
    app: CarrelApp, training: FakeTraining, monkeypatch: pytest.MonkeyPatch
) -> None:
    training.record(ENDINGS["no-gain"], "no-gain")
    began, go_on, weigh = threading.Event(), threading.Event(), training.deletion

    def slowly(run: str) -> DiskUse:
        began.set()
        assert go_on.wait(120)
        return weigh(run)

    monkeypatch.setattr(training, "deletion", slowly)
    async with app.run_test(size=WIDE) as pilot:
        screen = await opened(pilot)
        while screen.page != "history":
            await pressed(pilot, "tab")
        await pilot.press("delete")
        while not began.is_set():
            await pilot.pause()
        await pilot.press("f9")
        go_on.set()
        await settle(pilot)
        assert isinstance(app.screen, SearchScreen)
        await pressed(pilot, "y")
        assert training.history and not any(done[0] == "delete" for done in training.done)
