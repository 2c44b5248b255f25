"""Runs as folders: found again, ordered about, noted, deleted; all without torch."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.embedding import catalogue
from engine.errors import ModelError, UsageError
from engine.installation import command_for
from training import promotion, protocol, review, run_process, runs
from training.run_channel import Cancelled, Teller
from training.run_follower import follow
from training.run_plan import Plan

pytestmark = pytest.mark.processes


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path))
    return tmp_path


def made(name: str = "mine", **facts: object) -> runs.Run:
    run = runs.create(Plan(name=name, sources=("marks",)))
    if facts:
        run.update(**facts)
    return run


def test_what_a_run_writes_is_its_owners_alone_whatever_the_umask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_process, "own_process", lambda module: ["true"])
    before = os.umask(0)
    try:
        run = made()
        run_process.launch(run).wait()
    finally:
        os.umask(before)
    assert (run.folder / runs.LOG_FILE).exists()
    assert [path for path in run.folder.iterdir() if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


def test_a_run_is_found_again_with_its_plan_and_its_note() -> None:
    made().update(note="more marks")
    record = runs.named("mine").record()
    assert (record.plan.name, record.plan.sources, record.note) == ("mine", ("marks",), "more marks")


def test_two_runs_never_share_a_name() -> None:
    made()
    with pytest.raises(UsageError):
        made()
    assert runs.free_name({"tuned-1", "Tuned-2"}) == "tuned-3"


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "x" * 65])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        runs.create(Plan(name=name))


def test_a_run_whose_process_is_gone_counts_as_interrupted() -> None:
    run = made()
    with run.held():
        assert run.alive
        assert not run.interrupted
    assert run.interrupted
    run.update(state="not promotable")
    assert not run.interrupted


def test_a_run_at_work_is_not_deleted() -> None:
    run = made()
    with run.held(), pytest.raises(UsageError):
        runs.delete(run)
    runs.delete(run)
    assert runs.every() == []


def test_a_broken_folder_hides_no_other_run(home: Path) -> None:
    made("one")
    broken = runs.folder() / "two"
    broken.mkdir()
    (broken / "run.json").write_text("{")
    assert [run.name for run in runs.every()] == ["one"]


@pytest.mark.parametrize(
    "damage",
    [
        {"created_at": "today"},
        {"created_at": 1e300},
        {"seconds": [1]},
        {"promoted_at": {}},
        {"figures": 5},
        {"constants": {"weight": "much"}},
        {"model": 5},
        {"state": None},
        {"plan": {"name": "worse", "library": 5}},
        {"plan": {"name": "worse", "sources": 5}},
        {"plan": {"name": "worse", "budget": "all"}},
    ],
)
def test_a_record_with_a_value_that_is_none_hides_no_other_run_and_is_told_with_its_folder(
    damage: dict[str, object],
) -> None:
    run = made("good")
    worse = made("worse")
    file = worse.folder / runs.RECORD_FILE
    file.write_text(json.dumps(json.loads(file.read_text()) | damage))
    assert runs.every() == [run]
    assert runs.unreadable() == [worse]
    with pytest.raises(UsageError) as refused:
        runs.named("worse")
    assert "cannot be read" in refused.value.message and str(worse.folder) in refused.value.fix
    assert "There is no run" not in refused.value.message


def test_a_folder_that_a_kill_left_without_a_record_blocks_no_name() -> None:
    (runs.folder() / "mine").mkdir(parents=True)
    assert made().record().plan.name == "mine"


def test_a_run_whose_deletion_was_cut_short_is_still_listed_and_deleted_the_next_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = made()
    (run.folder / "model").mkdir()
    (run.folder / "model" / "model.onnx").write_bytes(b"weights")

    def killed(folder: Path) -> None:
        for each in folder.iterdir():
            each.unlink() if each.is_file() else None
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(shutil, "rmtree", killed)
        runs.delete(run)
    assert runs.every() == [run]
    runs.delete(run)
    assert not run.folder.exists()


@pytest.mark.parametrize("name", ["Mine", "all-MiniLM-L6-v2", "mine-"])
def test_a_run_takes_no_name_that_a_model_has(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(run_process, "NEEDED", ())
    catalogue.place_of("mine").mkdir(parents=True)
    with pytest.raises(UsageError) as refused:
        run_process.start(Plan(name=name))
    assert refused.value.fix
    assert runs.every() == []


def test_a_run_on_a_folder_that_is_no_collection_is_refused_before_it_starts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(run_process, "NEEDED", ())
    with pytest.raises(UsageError, match="not a collection"):
        run_process.start(Plan(name="mine", collection=str(tmp_path)))
    assert runs.every() == []


def test_an_event_behind_a_line_that_was_cut_short_is_not_lost_with_it() -> None:
    run = made()
    run.events.write_text(protocol.encode(protocol.Paused()) + protocol.encode(protocol.Resumed())[:-9])
    teller = Teller(run)
    teller.tell(protocol.StageStarted(stage="mining"))
    teller.close()
    assert [event.type for event in run.history()] == ["paused", "stage_started"]


def test_a_pause_waits_for_the_next_order() -> None:
    run = made()
    run.order("pause")
    teller = Teller(run, sleep=lambda _: run.order("resume"))
    teller.check()
    teller.close()
    assert [event.type for event in run.history()] == ["paused", "resumed"]


def test_cancel_is_heard_even_while_paused() -> None:
    run = made()
    run.order("pause")
    teller = Teller(run, sleep=lambda _: run.order("cancel"))
    with pytest.raises(Cancelled):
        teller.check()
    teller.close()


def test_an_order_to_leave_is_not_taken_for_the_pause_of_a_review() -> None:
    run = made()
    assert run.order("pause", unless=("stop", "cancel")) and run.ordered() == "pause"
    run.order("cancel")
    assert not run.order("pause", unless=("stop", "cancel"))
    assert run.ordered() == "cancel"


def test_an_unknown_order_is_no_order() -> None:
    with pytest.raises(ValueError, match="no order"):
        made().order("explode")


def test_a_follower_sees_everything_and_ends_with_the_run() -> None:
    run = made()
    teller = Teller(run)
    teller.tell(protocol.StageStarted(stage="queries"))

    def later() -> bool:
        run.update(state="stopped")
        teller.tell(protocol.Finished(outcome="stopped", model=None, seconds=1.0))
        return False

    with run.held():
        seen = [event.type for event in follow(run, later)]
    teller.close()
    assert seen == ["stage_started", "finished"]


def test_a_follower_of_a_killed_run_does_not_wait_for_ever() -> None:
    run = made()
    teller = Teller(run)
    teller.tell(protocol.StageStarted(stage="queries"))
    teller.close()
    assert [event.type for event in follow(run, lambda: pytest.fail("it waits"))] == ["stage_started"]


def test_what_the_gate_held_back_is_promoted_only_knowingly() -> None:
    run = made(state="not promotable", verdict="no gain", model="mine")
    with pytest.raises(UsageError, match="no gain"):
        promotion.promotable(run)
    assert promotion.promotable(run, knowingly=True) == "mine"
    assert promotion.promotable(made("good", state="promotable", model="good")) == "good"


def test_a_run_without_a_model_is_not_promoted_even_knowingly() -> None:
    with pytest.raises(UsageError, match="left no model"):
        promotion.promotable(made(state="not promotable", verdict="no gain"), knowingly=True)


def test_rollback_leads_back_step_by_step() -> None:
    promotion.promoted(made("one", model="one"), "embedded")
    promotion.promoted(made("two", model="two"), "one")
    assert promotion.former_model("two") == "one"
    assert promotion.former_model("one") == "embedded"
    with pytest.raises(ModelError):
        promotion.former_model("embedded")


def test_without_torch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_process, "NEEDED", ("torch_that_is_not_there",))
    with pytest.raises(ModelError, match=re.escape(command_for("training"))):
        run_process.start(Plan(name="mine"))
    assert runs.every() == []


def test_all_that_the_screen_imports_is_free_of_torch() -> None:
    modules = "training.runs, training.run_process, training.run_plan, training.run_follower, training.promotion"
    code = f"import sys, json, {modules}, training.gate, training.query_sources; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
    assert not {"torch", "transformers", "onnx", "onnxruntime", "textual"} & set(loaded)


# --- several at one run -----------------------------------------------------------------------------------------------

NOTES = """
import itertools, sys
from training import runs
run = runs.named(sys.argv[1])
for number in itertools.count():
    run.update(note=f"note {number}")
    run.order(("pause", "resume")[number % 2])
"""
ASKS = """
import sys
from training import runs
run = runs.named(sys.argv[1])
print("ready", flush=True)
while True:
    run.alive
"""


@contextmanager
def beside(code: str, run: runs.Run) -> Iterator[subprocess.Popen[str]]:
    """Run some code in another process while the block runs."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, run.name], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
        assert process.poll() is None, process.communicate()[1]
    finally:
        process.kill()
        process.communicate()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120.0
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_note_written_while_a_run_ends_takes_nothing_of_its_record_away() -> None:
    run = made()
    with beside(NOTES, run):
        until(lambda: run.record().note != "")
        for number in range(300):
            run.update(verdict=f"verdict {number}")
            assert run.record().verdict == f"verdict {number}"
            run.order("pause")
    assert run.record().note != ""


def test_two_threads_change_one_record_without_harm() -> None:
    run = made()

    def write(name: str) -> None:
        for number in range(200):
            run.update(**{name: f"{name} {number}"})
            run.order("pause")
            assert getattr(run.record(), name) == f"{name} {number}"

    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(write, name) for name in ("note", "verdict", "model")]:
            done.result()
    record = run.record()
    assert (record.note, record.verdict, record.model) == ("note 199", "verdict 199", "model 199")
    assert {path.name for path in run.folder.iterdir()} == {"run.json", "order"}


def test_asking_whether_a_run_lives_never_makes_its_start_refused() -> None:
    run = made()
    with run.held():
        assert run.alive
    with beside(ASKS, run) as first, beside(ASKS, run) as second:
        for process in (first, second):
            assert process.stdout is not None and process.stdout.readline() == "ready\n"
        for _ in range(500):
            with run.held():
                pass


def test_asking_takes_the_lock_from_nobody() -> None:
    run = made()
    with run.held():
        with beside(ASKS, run) as process:
            assert process.stdout is not None and process.stdout.readline() == "ready\n"
            assert all(run.alive for _ in range(200))
        with pytest.raises(UsageError, match="at work"), run.held():
            pass
    assert not run.alive


def test_decisions_of_two_people_at_once_are_all_kept() -> None:
    run = made()
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(review.decide, run, [number], number % 2 == 0) for number in range(100)]:
            done.result()
    assert review.decisions(run) == {number: number % 2 == 0 for number in range(100)}
