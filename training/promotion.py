"""Promotion and rollback of a trained model: which model each of them leads to. The indexer does the embedding."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from engine.errors import CarrelError, ModelError, UsageError
from training import runs
from training.runs import Run

LATE_FACTOR = 4  # tokens that share a vector: by this factor the gate has judged


def promotable(run: Run, *, knowingly: bool = False) -> str:
    """Return the model that a run made. Raises UsageError where the gate did not let it through, or there is none.

    `knowingly` overrules the gate where it found no gain or could not judge.
    """
    passed(run, bool(run.record().model), "model", knowingly=knowingly)
    return run.record().model


def passed(run: Run, left: bool, what: str, *, knowingly: bool) -> None:
    """Raise UsageError where a run is at work, has not `left` what it was to make, or the gate did not let it through.

    `what` is its name in the error.
    """
    record = run.record()
    if run.alive:
        raise UsageError(
            f"The run {run.name} is still at work.", fix=f"Watch it: `carrel retrain --follow {run.name}`."
        )
    if not left:
        raise UsageError(
            f"The run {run.name} left no {what}.",
            cause=f"It ended as: {record.state}{f', {record.verdict}' if record.verdict else ''}.",
            fix="`carrel runs` lists those that did.",
        )
    if record.state != "promotable" and not knowingly:
        raise UsageError(
            f"The gate did not let {run.name} through: {record.verdict or record.state}.",
            fix=f"To use it all the same: `carrel promote {run.name} --anyway`. `carrel rollback` takes it back.",
        )


def late_order(run: Run, model: str) -> str:
    """Return the order that takes the model of a run into use as the late model; "" for a run of another kind.

    Such a model stands beside the one in use, whose vectors stay: `carrel late off` takes it back.
    """
    return f"on {LATE_FACTOR} kmeans {model}" if run.record().plan.how.kind == "late" else ""


def promoted(run: Run, former: str) -> None:
    """Write down that a run's model is in use, and which was before it."""
    run.update(promoted_at=time.time(), former=former)


@contextmanager
def promoting(run: Run, former: str) -> Iterator[None]:
    """Write down that a run's model is in use before the block takes it, and take that back where the block fails.

    An indexer may end what the block began after this process is gone, and then there must be a way back.
    """
    before = run.record()
    promoted(run, former)
    try:
        yield
    except CarrelError:
        run.update(promoted_at=before.promoted_at, former=before.former)
        raise


def former_model(active: str) -> str:
    """Return the model that was in use before the active one was promoted. Raises ModelError where none was."""
    taken = [run.record() for run in runs.every()]
    steps = [record for record in taken if record.model == active and record.promoted_at and record.former]
    if not steps:
        raise ModelError(
            f"{active or 'The model'} was not promoted from a run, so there is nothing to go back to.",
            fix="`carrel models use NAME` changes to any model.",
        )
    return max(steps, key=lambda record: record.promoted_at or 0.0).former
