"""The parts of the training screen without a screen: folding events, following files, charts, words, the real runs."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import NOW
from training_fakes import BEGAN, EVENTS

from app.tui import training_follower
from app.tui.screens.training.stage_strip import strip
from app.tui.screens.training.verdict import headline
from app.tui.training_follower import CHUNK_BYTES, RunFollower, RunTail, read_run
from app.tui.training_port import QuerySource, RunPlan
from app.tui.training_runs import TrainingRuns
from app.tui.training_state import MOST_POINTS, Curve, TrainingState, after
from app.tui.widgets.chart import area, whisker
from app.wording.times import duration
from engine.embedding import catalogue
from engine.errors import UsageError
from engine.figures import percent, signed, size
from engine.library import Library
from training import estimate, review, runs
from training.protocol import (
    STAGES,
    Evaluated,
    Finished,
    Judged,
    Measure,
    Preparing,
    RunStarted,
    StageStarted,
    Stepped,
    TrainingEvent,
    encode,
)
from training.run_plan import Plan


def stepped(step: int, of: int = 1_000_000) -> Stepped:
    return Stepped(
        at=NOW, step=step, of=of, epoch=step / of, loss=1 / step, learning_rate=1e-5, triples_per_second=15.0,
        seconds_left=1.0, memory=1 << 30,
    )  # fmt: skip


# --- folding ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("recording", sorted(path.stem for path in EVENTS.glob("*.jsonl")))
def test_every_recording_is_read_to_its_end(recording: str) -> None:
    path = EVENTS / f"{recording}.jsonl"
    last = json.loads(path.read_text(encoding="ascii").splitlines()[-1])
    state = read_run(path)
    assert state.at == last["at"]
    assert state.over == (recording != "crash")


def test_a_curve_of_any_length_is_bounded_and_keeps_its_mean() -> None:
    curve = Curve()
    for step in range(1, 10_001):
        curve = curve.add(step, float(step), 0.5)
    assert len(curve.points) <= MOST_POINTS
    assert sum(point.weight for point in curve.points) == 10_000
    mean = sum(point.loss * point.weight for point in curve.points) / 10_000
    assert mean == pytest.approx(5_000.5)
    assert curve.points[-1].step == 10_000


def test_a_run_that_goes_back_to_its_checkpoint_drops_what_followed() -> None:
    curve = Curve()
    for step in (1, 2, 3, 4, 3):
        curve = curve.add(step, float(step), 0.0)
    assert [point.step for point in curve.points] == [1, 2, 3]


def test_an_evaluation_that_is_repeated_counts_once() -> None:
    evaluated = Evaluated(at=NOW, step=9, share=1.0, base=0.7, candidate=0.71, low=0.0, high=0.02, drift=0.01)
    state = after(after(TrainingState(), evaluated), evaluated)
    assert state.evaluations == (evaluated,)


def test_what_is_prepared_is_told_until_something_else_happens() -> None:
    started = RunStarted(at=NOW, run="a", pid=1, recipe="local", base="b", seconds=None)
    preparing = Preparing(at=NOW, what="embedding the library", done=41, of=100)
    state = TrainingState()
    for event in (started, StageStarted(at=NOW, stage="judging"), preparing):
        state = after(state, event)
    assert strip(state, "running", 120).plain.endswith("embedding the library 41 %")
    assert "embedding" not in strip(after(state, StageStarted(at=NOW, stage="export")), "running", 120).plain


@pytest.mark.parametrize(("queries", "model", "done"), [(0, None, "✓✓✓··"), (0, "a", "✓✓✓·✓"), (300, "a", "✓✓✓✓✓")])
def test_a_stage_in_which_a_stopped_run_did_nothing_is_not_ticked_off(queries: int, model: str, done: str) -> None:
    state = TrainingState()
    for stage in STAGES:
        state = after(state, StageStarted(at=NOW, stage=stage))
    verdict = Judged(
        at=NOW,
        verdict="cannot judge",
        queries=queries,
        alpha=0.05,
        smallest_gain=0.1,
        reason="",
        advice=(),
        measures=(),
    )
    for event in (verdict, Finished(at=NOW, outcome="stopped", model=model, seconds=9.0)):
        state = after(state, event)
    assert "".join(sign for sign in strip(state, "ended", 120).plain if sign in "✓·▶✗") == done


# --- following --------------------------------------------------------------------------------------------------------


def test_a_line_that_is_half_written_waits_for_its_rest(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    line = encode(stepped(7))
    path.write_text(line[:20])
    tail = RunTail(path)
    tail.read()
    assert tail.state.stepped is None
    with path.open("a") as stream:
        stream.write(line[20:] + "no event\n" + '{"type": "of another version"}\n')
    tail.read()
    assert tail.state.stepped is not None and tail.state.stepped.step == 7
    tail.close()


def test_of_a_long_file_all_that_is_rare_is_read_and_the_last_of_what_is_common(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    steps = 6 * CHUNK_BYTES // len(encode(stepped(100_000)))
    evaluated = Evaluated(at=NOW, step=5, share=1.0, base=0.7, candidate=0.71, low=0.0, high=0.02, drift=0.01)
    with path.open("w") as stream:
        for step in range(1, steps + 1):
            stream.write(encode(stepped(step)))
            if step % 5_000 == 0:
                stream.write(encode(replace(evaluated, step=step)))
    state = read_run(path)
    assert state.stepped is not None and state.stepped.step == steps
    assert [each.step for each in state.evaluations] == list(range(5_000, steps + 1, 5_000))
    assert 100 < len(state.curve.points) <= MOST_POINTS


def test_a_follower_reports_what_is_appended_until_it_is_left(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    came = threading.Event()
    states: list[TrainingState] = []

    def report(state: TrainingState) -> None:
        states.append(state)
        if state.stepped is not None:
            came.set()

    follower = RunFollower(path, report, tick=0.001)
    follower.start()
    path.write_text(encode(stepped(3)))
    assert came.wait(120)
    follower.leave()
    assert states[-1].stepped is not None and states[-1].stepped.step == 3


def test_a_follower_that_meets_a_fault_tells_it_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "events.jsonl"
    came = threading.Event()
    states: list[TrainingState] = []

    def report(state: TrainingState) -> None:
        states.append(state)
        if state.stepped is not None and state.stepped.step == 9:
            came.set()

    def fold(state: TrainingState, event: TrainingEvent) -> TrainingState:
        if isinstance(event, Stepped) and event.step == 1:
            raise ZeroDivisionError("of no kind that is expected")
        return after(state, event)

    monkeypatch.setattr(training_follower, "after", fold)
    path.write_text(encode(stepped(1)))
    follower = RunFollower(path, report, tick=0.001)
    follower.start()
    while not states or not states[-1].trouble:
        assert not came.wait(0.001)
    with path.open("a") as stream:
        stream.write(encode(stepped(9)))
    assert came.wait(120)
    follower.leave()
    assert "ZeroDivisionError" in states[-1].trouble


def test_a_run_whose_file_begins_anew_is_folded_anew(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(encode(stepped(3)) + encode(stepped(4)))
    run = RunTail(path)
    run.read()
    path.write_text(encode(stepped(1)) + encode(stepped(2)) + encode(StageStarted(stage="training")))
    run.read()
    assert run.state.stepped is not None and run.state.stepped.step == 2
    assert [point.step for point in run.state.curve.points] == [1, 2]
    run.close()


# --- charts and words -------------------------------------------------------------------------------------------------


def test_an_area_is_full_below_its_values() -> None:
    assert area([1.0, 0.0], 1, 1, 0.0, 1.0) == ["⣇"]
    assert area([1.0] * 4, 2, 2, 0.0, 1.0) == ["⣿⣿", "⣿⣿"]
    falling = area([4.0, 3.0, 2.0, 1.0], 4, 3, 1.0, 4.0)
    heights = [sum(line[column] != " " for line in falling) for column in range(4)]
    assert heights == sorted(heights, reverse=True) and heights[0] == 3 and heights[-1] == 1
    assert area([], 3, 1, 0.0, 1.0) == ["   "] and area([1.0], 0, 0, 0.0, 1.0) == []
    assert area([float("nan"), float("inf")], 1, 1, 0.0, 1.0) != [" "]


def test_a_whisker_has_its_nought_its_ends_and_its_middle() -> None:
    assert whisker(-1, 0, 1, -2, 2, 9) == "  ├─●─┤  "
    assert whisker(1, 1.5, 2, -2, 2, 9) == "    │ ├●┤"
    assert whisker(-9, 0, 9, -2, 2, 9) == "◂───●───▸"
    assert whisker(-1, 1, 1.5, -2, 2, 9) == "  ├─┼─●┤ "


def test_figures_read_as_a_person_writes_them() -> None:
    assert [signed(each) for each in (0.0174, -0.006, 0.0, -0.0001)] == ["+.017", "−.006", "±.000", "−.0001"]
    assert [percent(each) for each in (0, 0.001, 0.5, 0.999, 1)] == ["0 %", "1 %", "50 %", "99 %", "100 %"]
    assert [duration(each) for each in (0, 42, 660, 4_800, 36_000)] == ["0.0 s", "42 s", "11 min", "80 min", "10 h"]
    assert [size(each) for each in (2_254_857_830, 671_088_640)] == ["2.3 GB", "671 MB"]


def test_a_gain_that_the_probe_forbids_is_no_difference_within_chance() -> None:
    measure = Measure(name="NDCG@10, memory on", base=0.7, candidate=0.72, low=0.01, high=0.03)
    judged = Judged(
        at=NOW, verdict="no gain", queries=300, alpha=0.025, smallest_gain=0.009,
        reason="It gained on your questions, and may have lost on general ones.", advice=(), measures=(measure,),
    )  # fmt: skip
    assert headline(judged) == "No gain found that could be used."
    gain = replace(judged, verdict="gain")
    assert headline(gain) == (
        "Better on questions that it never saw: +.020 (97.5 % between +.010 and +.030, 300 questions)."
    )


# --- the real runs ----------------------------------------------------------------------------------------------------


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    path = tmp_path / "library.carrel"
    Library.open(path, create=True).close()
    return path


def made(library: Path, name: str, **changes: object) -> runs.Run:
    run = runs.create(Plan(name, str(library), base="all-MiniLM-L6-v2", recipe="adapter", budget=1_000))
    if changes:
        run.update(**changes)
    return run


def test_the_history_holds_the_runs_of_this_library_alone(library: Path) -> None:
    made(library, "tuned-1", state="promotable", verdict="gain", model="tuned-1", created_at=BEGAN,
         figures={"NDCG@10, memory on": [0.7, 0.72, 0.01, 0.03]})  # fmt: skip
    made(library, "tuned-2", state="cancelled")
    made(library.with_name("other.carrel"), "tuned-3")
    newest, oldest = TrainingRuns(library).runs()
    assert (newest.name, newest.state, newest.outcome, newest.promotable) == ("tuned-2", "ended", "cancelled", False)
    assert (oldest.name, oldest.verdict, oldest.promotable, oldest.use) == ("tuned-1", "gain", True, "")
    assert (oldest.gain, oldest.low, oldest.high) == (pytest.approx(0.02), 0.01, 0.03)


def test_a_run_whose_process_is_gone_has_crashed_and_one_with_its_lock_held_is_at_work(library: Path) -> None:
    run = made(library, "tuned-1")
    port = TrainingRuns(library)
    assert [each.state for each in port.runs()] == ["crashed"]
    with run.held():
        assert [each.state for each in port.runs()] == ["running"]
        port.order("tuned-1", "pause")
        assert [each.state for each in port.runs()] == ["waiting"]
    assert run.ordered() == "pause"


def test_taking_into_use_is_an_order_to_the_indexer_and_so_is_going_back(library: Path) -> None:
    made(library, "tuned-1", state="promotable", verdict="gain", model="tuned-1")
    port = TrainingRuns(library)
    port.promote("tuned-1")
    assert [run.use for run in port.runs()] == ["building"]
    with Library.open(library) as opened:
        assert opened.request_state(1).done is False
    with pytest.raises(UsageError):
        port.promote("tuned-7")


def test_notes_are_kept_and_a_run_that_is_over_is_deleted(library: Path) -> None:
    made(library, "tuned-1", state="cancelled")
    port = TrainingRuns(library)
    port.note("tuned-1", "too few marks")
    assert [run.note for run in port.runs()] == ["too few marks"]
    port.delete("tuned-1")
    assert port.runs() == []


def test_the_time_that_is_expected_is_the_estimate_of_the_command_line(library: Path) -> None:
    """None is made up for a recipe that this machine was never timed with; the questions bound the examples."""
    port = TrainingRuns(library)
    plan = RunPlan(("marks",), "local", 10_000)
    source = QuerySource("marks", "marks", 1_000, "")
    assert port.prospect([source], plan).seconds is None
    fingerprint = catalogue.load().manifest.fingerprint
    runs.folder().mkdir(parents=True, exist_ok=True)
    speed = {"learnt": 20.0, "judged": 40.0, "embedded": 80.0}
    (runs.folder() / estimate.FILE).write_text(json.dumps({f"local {fingerprint[:16]}": speed}))
    as_trained = Plan("", str(library), base=catalogue.EMBEDDED)
    told = port.prospect([source], plan).seconds
    assert told == estimate.expected(as_trained, 0, learnt=600, held_out=250)
    assert told is not None and told < (estimate.expected(as_trained, 0) or 0)


def test_a_plan_with_a_review_is_one_for_the_run_too(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.run_process.launch", lambda run: None)
    monkeypatch.setattr("training.run_process.require_training", lambda: None)
    name = TrainingRuns(library).start(RunPlan(("marks",), "local", 1_000, review=True))
    assert runs.named(name).record().plan.review


def test_decisions_reach_the_run_that_waits(library: Path) -> None:
    run = made(library, "tuned-1")
    port = TrainingRuns(library)
    port.decide("tuned-1", [4, 7], accepted=False)
    assert port.decisions("tuned-1") == review.decisions(run) == {4: False, 7: False}
