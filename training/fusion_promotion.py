"""Takes fitted constants of the fusion into use, and back: one small write in the library, nothing is embedded anew."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

from engine.errors import UsageError
from engine.records import FittedConstants, FusionConstants
from engine.store import fitted_constants, models
from engine.store.connection import open_reader, open_writer
from training import promotion, runs
from training.runs import Run


def fits(run: Run) -> bool:
    """Whether a run fits constants rather than a model. Raises UsageError where there is no such run."""
    return run.record().plan.how.kind == "fusion"


def promotable(run: Run, library: Path, *, knowingly: bool = False) -> FusionConstants:
    """Return the constants that a run has fitted to a library.

    Raises UsageError where it has none, the gate did not let them through and `knowingly` does not overrule it, or they
    were fitted to something else than this library with its present model.
    """
    promotion.passed(run, bool(run.record().constants), "constants", knowingly=knowingly)
    record = run.record()
    if record.plan.library != str(library):
        raise UsageError(
            f"The constants of {run.name} were fitted to another library.",
            cause=f"It learnt from {record.plan.library or record.plan.collection}.",
            fix="Fit them to this one: `carrel retrain --recipe fusion`.",
        )
    active = _active(library)
    if record.plan.base != active:
        raise UsageError(
            f"The constants of {run.name} were fitted to {record.plan.base}.",
            cause=f"The library is searched with {active or 'no model'} now.",
            fix="Fit them anew: `carrel retrain --recipe fusion`.",
        )
    try:
        return fitted_constants.constants_from(record.constants)
    except ValueError as error:
        raise UsageError(f"The constants of {run.name} cannot be read: {error}.", fix="Run it anew.") from error


def promote(run: Run, library: Path, *, knowingly: bool = False) -> FusionConstants:
    """Let the library be searched by the constants of a run, and return them; raises as `promotable` does."""
    constants = promotable(run, library, knowingly=knowingly)
    at = time.time()
    with closing(open_writer(library)) as connection:
        if (before := fitted_constants.kept(connection)) is None or before.run != run.name:
            fitted_constants.take_into_use(connection, run.name, run.record().plan.base, at, constants)
    run.update(promoted_at=at)
    return constants


def in_use(library: Path) -> FittedConstants | None:
    """Return the fitted constants that a library is searched by now, None where those are the defaults."""
    if not library.exists():
        return None
    with closing(open_reader(library)) as connection:
        fitted = fitted_constants.kept(connection)
        return fitted if fitted is not None and fitted_constants.holds_here(connection, fitted) else None


def came_last(library: Path) -> bool:
    """Whether the last promotion of a library was one of constants, so that going back means those before them."""
    fitted, active = in_use(library), _active(library)
    if fitted is None:
        return False
    records = [run.record() for run in runs.every()]
    taken = (record.promoted_at for record in records if record.model == active and record.promoted_at)
    return fitted.at >= max(*taken, _took_over(library), 0.0)


def rollback(library: Path) -> FittedConstants | None:
    """Let a library be searched by the constants before the last promotion; returns them, None for the defaults."""
    with closing(open_writer(library)) as connection:
        return fitted_constants.go_back(connection)


def _active(library: Path) -> str:
    with closing(open_reader(library)) as connection:
        model = models.active(connection)
    return model.name if model else ""


def _took_over(library: Path) -> float:
    """Return when the model in use took the place of the one kept beside it, in seconds since 1970; 0: of none."""
    with closing(open_reader(library)) as connection:
        beside = models.shadow(connection)
        since = models.figure(connection, beside.id, models.FORMER_SINCE) if beside is not None else None
    return since if isinstance(since, float) else 0.0
