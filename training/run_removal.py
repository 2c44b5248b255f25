"""Deletes a run with all that it left: its folder, its model, and the vectors that a library keeps for that model."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from engine.embedding import catalogue
from engine.errors import ModelError, UsageError
from engine.store import models
from engine.store.connection import open_reader, open_writer
from engine.store.transactions import transaction
from training import fusion_promotion, promotion, runs
from training.runs import Run


@dataclass(frozen=True, slots=True)
class DiskUse:
    """The bytes that a run takes on the disk: its folder, and its installed model, whose name may be ""."""

    folder: int
    model: str = ""
    model_bytes: int = 0

    @property
    def whole(self) -> int:
        """All of it."""
        return self.folder + self.model_bytes


def disk_use(run: Run, libraries: Iterable[Path] = (), *, keep_model: bool = False) -> DiskUse:
    """Return what deleting a run would take away; with `keep_model` its model is none of it.

    `libraries` are asked beside the run's own whether they use the model. Raises UsageError where the run is at work,
    ModelError where a library uses its model or its constants, or goes back to the model.
    """
    if run.alive:
        raise UsageError(f"The run {run.name} is at work.", fix=f"Cancel it first: `carrel runs cancel {run.name}`.")
    for library in _asked(run, libraries):
        _refuse_constants_in_use(run, library)
    model = "" if keep_model else run.record().model
    if not model or not catalogue.place_of(model).is_dir():
        return DiskUse(_size(run.folder))
    for library in _asked(run, libraries):
        _refuse_where_used(run, model, library)
    return DiskUse(_size(run.folder), model, _size(catalogue.place_of(model)))


def delete(run: Run, libraries: Iterable[Path] = (), *, keep_model: bool = False) -> DiskUse:
    """Delete a run and return what it took, with the errors of `disk_use`; nothing is deleted where one is raised."""
    found = disk_use(run, libraries, keep_model=keep_model)
    if found.model:
        for library in _asked(run, libraries):
            _forget_vectors(library, found.model)
        catalogue.remove(found.model)
    runs.delete(run)
    return found


def _asked(run: Run, libraries: Iterable[Path]) -> list[Path]:
    """Return the libraries that may use a run's model, each once: the run's own and those given."""
    own = run.record().plan.library
    return [path for path in dict.fromkeys([*([Path(own)] if own else []), *libraries]) if path.exists()]


def _refuse_where_used(run: Run, model: str, library: Path) -> None:
    with closing(open_reader(library)) as connection:
        states = {each.name: each.state for each in models.every(connection)}
    active = next((name for name, state in states.items() if state == "active"), "")
    try:
        former = promotion.former_model(active)
    except ModelError:
        former = ""
    kept = f"Or keep the model: `carrel runs delete {run.name} --keep-model`."
    if states.get(model) in ("active", "building", "shadow"):
        how = "searched with it" if active == model else "being embedded with it"
        if states[model] == "shadow":
            raise ModelError(
                f"{model} runs beside the model in use.",
                cause=f"{library.name} compares it with {active}.",
                fix=f"End that first: `carrel shadow stop`. {kept}",
            )
        raise ModelError(
            f"{model} is in use.", cause=f"{library.name} is {how}.", fix=f"Go back first: `carrel rollback`. {kept}"
        )
    if model == former:
        raise ModelError(
            f"{model} is what `carrel rollback` goes back to.", cause=f"{active} was taken into use after it.", fix=kept
        )


def _refuse_constants_in_use(run: Run, library: Path) -> None:
    fitted = fusion_promotion.in_use(library)
    if fitted is not None and fitted.run == run.name:
        raise ModelError(
            f"The constants of {run.name} are in use.",
            cause=f"{library.name} is searched by them.",
            fix="Go back first: `carrel rollback`.",
        )


def _forget_vectors(library: Path, model: str) -> None:
    """Drop the vectors that a library keeps, to be able to go back to a model that it will not find any more."""
    with closing(open_writer(library)) as connection, transaction(connection):
        for each in models.every(connection):
            if each.name == model and each.state == "kept":
                models.remove(connection, each.id)


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() or path.is_symlink())
