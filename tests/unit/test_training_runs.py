"""Runs as folders: found again, ordered about, noted, deleted; all without torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import ModelError, UsageError
from training import promotion, protocol, run_process, runs
from training.run_channel import Cancelled, Teller
from training.run_follower import follow
from training.run_plan import Plan


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path))
    return tmp_path


def made(name: str = "mine", **facts: object) -> runs.Run:
    run = runs.create(Plan(name=name, sources=("marks",)))
    if facts:
        run.update(**facts)
    return run


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
    with pytest.raises(ModelError, match=r"pip install 'carrel\[training\]'"):
        run_process.start(Plan(name="mine"))
    assert runs.every() == []


def test_all_that_the_screen_imports_is_free_of_torch() -> None:
    modules = "training.runs, training.run_process, training.run_plan, training.run_follower, training.promotion"
    code = f"import sys, json, {modules}, training.gate, training.query_sources; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
    assert not {"torch", "transformers", "onnx", "onnxruntime", "textual"} & set(loaded)
