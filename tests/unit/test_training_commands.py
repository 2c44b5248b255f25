"""`carrel retrain`, `runs`, `promote` and `rollback`, as far as they need no model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.cli.entry import run as carrel
from app.cli.training_run import sentence, verdict
from engine.installation import command_for
from training import protocol, run_process, runs
from training.run_plan import Plan


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path))
    monkeypatch.delenv("CARREL_LIBRARY", raising=False)
    return tmp_path


def made(name: str = "mine", **facts: object) -> runs.Run:
    run = runs.create(Plan(name=name, sources=("marks",)))
    run.update(**facts)
    return run


def test_without_torch_retrain_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run_process, "NEEDED", ("torch_that_is_not_there",))
    assert carrel(["retrain"]) == 2
    assert command_for("training") in capsys.readouterr().err


def test_an_unknown_source_is_refused_with_those_that_there_are(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_process, "NEEDED", ())
    assert carrel(["retrain", "--queries", "dreams"]) == 2
    assert "marks" in capsys.readouterr().err


def test_runs_lists_what_was_with_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    figures = {"NDCG@10, memory on": [0.4, 0.42, 0.01, 0.03]}
    made(state="promotable", verdict="gain", model="mine", note="with marks", figures=figures)
    assert carrel(["runs"]) == 0
    told = capsys.readouterr().out
    assert "promotable, gain" in told
    assert "+.020 (+.010 to +.030)" in told
    assert "with marks" in told
    assert carrel(["runs", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["format"], shown["runs"][0]["name"], shown["runs"][0]["verdict"]) == (1, "mine", "gain")


def test_runs_tells_of_a_run_whose_record_cannot_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    run = made()
    (run.folder / "run.json").write_text("{")
    assert carrel(["runs"]) == 0
    told = capsys.readouterr().err
    assert "mine cannot be read" in told and run.folder.name in told


def test_a_note_is_kept_and_a_run_deleted(capsys: pytest.CaptureFixture[str]) -> None:
    made(state="failed")
    assert carrel(["runs", "note", "mine", "try again"]) == 0
    assert runs.named("mine").record().note == "try again"
    assert carrel(["runs", "delete", "mine", "--yes"]) == 0
    assert runs.every() == []


@pytest.mark.parametrize("word", protocol.ORDERS)
def test_orders_reach_a_run_at_work_and_no_other(word: str) -> None:
    run = made()
    assert carrel(["runs", word, "mine"]) == 2
    with run.held():
        assert carrel(["runs", word, "mine"]) == 0
    assert run.ordered() == word


def test_what_was_held_back_is_not_promoted_without_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    made(state="not promotable", verdict="cannot judge", model="mine")
    assert carrel(["promote", "mine"]) == 2
    assert "--anyway" in capsys.readouterr().err


def test_an_unknown_run_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert carrel(["promote", "nothing"]) == 2
    assert "There is no run nothing" in capsys.readouterr().err


def test_following_a_run_shows_its_verdict_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    run = made(state="not promotable")
    judged = protocol.Judged(
        verdict="no gain",
        queries=300,
        alpha=0.05,
        smallest_gain=0.009,
        reason="No gain was found.",
        advice=("Mark more.",),
        measures=(protocol.Measure(name="NDCG@10", base=0.4, candidate=0.41, low=-0.01, high=0.02),),
    )
    finished = protocol.Finished(outcome="not promotable", model="mine", seconds=5.0)
    run.events.write_text(protocol.encode(judged) + protocol.encode(finished))
    assert carrel(["retrain", "--follow", "mine"]) == 0
    told = capsys.readouterr()
    assert "Verdict: no gain. No gain was found." in told.out
    assert "+.010   −.010 to +.020" in told.out
    assert "- Mark more." in told.out
    assert "Finished: not promotable" in told.err
    assert carrel(["retrain", "--follow", "mine", "--json"]) == 0
    assert [json.loads(line)["type"] for line in capsys.readouterr().out.splitlines()] == ["judged", "finished"]


def test_every_event_that_tells_something_has_a_sentence() -> None:
    silent = {"example", "before_after", "judged"}
    samples = {
        "paused": protocol.Paused(),
        "resumed": protocol.Resumed(),
        "stage_started": protocol.StageStarted(stage="mining"),
        "failed": protocol.Failed(message="a", fix="b"),
    }
    assert all(sentence(event)[0] for event in samples.values())
    assert silent < set(protocol.TYPES)
    assert verdict(
        protocol.Judged(verdict="gain", queries=1, alpha=0.05, smallest_gain=1.0, reason="r", advice=(), measures=())
    ) == ["Verdict: gain. r"]
