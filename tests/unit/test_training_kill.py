"""Kill -9 at ten moments by chance, from the first query to the export: the run goes on and ends as it would have."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest
from tiny_training import TINY, install_model, make_collection, make_model, where_training_is_installed

from training import protocol, run_process, runs, worker
from training.run_plan import Plan
from training.runs import Run

pytestmark = [pytest.mark.slow, *where_training_is_installed("torch", "transformers", "onnx")]

KILLS = 10
PATIENCE_SECONDS = 300.0


def plan(root: Path, name: str) -> Plan:
    return Plan(name=name, base=TINY, collection=str(root / "kitchen"), sources=("collection",), budget=400)


def events(run: Run) -> int:
    return sum(1 for _ in run.history())


def killed_after(run: Run, count: int) -> bool:
    """Start the run's process and kill it when it has told of so many more events; False where it ended before."""
    wanted = events(run) + count
    process = run_process.launch(run)
    end = time.monotonic() + PATIENCE_SECONDS
    while process.poll() is None and events(run) < wanted:
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.005)
    if process.poll() is not None:
        return False
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    return True


def test_ten_kills_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    install_model(make_model(tmp_path / "tiny"))
    make_collection(tmp_path / "kitchen")
    whole = runs.create(plan(tmp_path, "whole"))
    assert worker.work(whole) == 0
    chance = random.Random(11)
    killed = runs.create(plan(tmp_path, "killed"))
    kills = 0
    while kills < KILLS and killed_after(killed, chance.randrange(1, 12)):
        kills += 1
        assert killed.interrupted
    if killed.record().state == "running":
        assert worker.work(killed) == 0
    assert kills >= 3
    assert (killed.folder / "rows.json").read_bytes() == (whole.folder / "rows.json").read_bytes()
    outcome = [event.outcome for event in killed.history() if isinstance(event, protocol.Finished)]
    assert outcome == [event.outcome for event in whole.history() if isinstance(event, protocol.Finished)]
    verdicts = [
        [event.verdict for event in run.history() if isinstance(event, protocol.Judged)][-1] for run in (whole, killed)
    ]
    assert verdicts[0] == verdicts[1]
