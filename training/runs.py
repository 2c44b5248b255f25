"""Runs of retraining, each in a folder of its own below the state folder: made, found again, noted, deleted.

A run's process holds the lock on its folder for as long as it lives, so that a run that says "running" and holds none
was killed, and can be taken up again.
"""

from __future__ import annotations

import fcntl
import json
import re
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from engine.atomic_files import exclusive, replace_file
from engine.errors import UsageError
from engine.paths import places, private_folder
from engine.store import stored_values
from training.protocol import ORDERS, Paused, RunStarted, TrainingEvent, tail
from training.run_plan import Plan

RECORD_FILE = "run.json"
EVENTS_FILE = "events.jsonl"
ORDER_FILE = "order"
LOCK_FILE = "lock"
LOG_FILE = "log"
LEDGER_FILE = "gate.json"  # beside the runs: which queries the gate has judged by
START_SECONDS = 15.0  # a loaded machine needs seconds to load torch; the lock is taken before that
KEPT_FILES = (RECORD_FILE, EVENTS_FILE, LOG_FILE)  # of a cancelled run: the history, nothing that takes space

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Record:
    """What `run.json` holds: the plan, and how the run stands.

    `state` is "running" (until it ends), "promotable", "not promotable", "stopped", "cancelled" or "failed"; `model` is
    the name of the installed model, `constants` those of the fusion that were fitted; `figures` are those of the
    verdict; `former` is the model before a promotion.
    """

    plan: Plan
    state: str = "running"
    created_at: float = field(default_factory=time.time)
    seconds: float = 0.0
    verdict: str = ""
    model: str = ""
    note: str = ""
    former: str = ""
    promoted_at: float | None = None
    figures: dict[str, Any] = field(default_factory=dict)
    constants: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Run:
    """One run's folder."""

    folder: Path

    @property
    def name(self) -> str:
        """The run's name, which is its model's too."""
        return self.folder.name

    @property
    def events(self) -> Path:
        """The file that its events are appended to."""
        return self.folder / EVENTS_FILE

    def record(self) -> Record:
        """Read what the run says of itself. Raises UsageError where there is no such run, or it cannot be read."""
        try:
            written = json.loads((self.folder / RECORD_FILE).read_text(encoding="utf-8"))
            known = {each.name: written[each.name] for each in fields(Record) if each.name in written}
            record = Record(**{**known, "plan": Plan.from_json(known["plan"])})
            if not (_is_sound(record) and _is_sound(record.plan)):
                raise ValueError("a value of another kind")
            return record
        except (FileNotFoundError, NotADirectoryError) as error:
            raise UsageError(f"There is no run {self.name}.", fix="`carrel runs` lists them.") from error
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise UsageError(
                f"The record of the run {self.name} cannot be read.", fix=f"What is left of it can go: {self.folder}"
            ) from error

    def update(self, **changed: Any) -> Record:
        """Change what the run says of itself, beside what other processes change, and return it."""
        with exclusive(self.folder):
            record = replace(self.record(), **changed)
            self.write(record)
        return record

    def write(self, record: Record) -> None:
        """Write the run's record, whole or not at all."""
        replace_file(self.folder / RECORD_FILE, json.dumps(asdict(record), indent=2) + "\n")

    @property
    def alive(self) -> bool:
        """Whether a process is at work on the run."""
        try:
            with exclusive(self.folder), (self.folder / LOCK_FILE).open("r+") as stream:
                fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)  # for an instant in which nobody else tries
                fcntl.flock(stream, fcntl.LOCK_UN)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    @property
    def interrupted(self) -> bool:
        """Whether the run's process died before its end, so that `carrel retrain --name` takes it up again."""
        return not self.alive and self.record().state == "running"

    @property
    def starting(self) -> bool:
        """Whether its process was started just now and may not hold the lock yet."""
        try:
            return time.time() - (self.folder / LOG_FILE).stat().st_ctime < START_SECONDS
        except OSError:
            return False

    def order(self, word: str, *, unless: Collection[str] = ()) -> bool:
        """Give the run an order, one of `protocol.ORDERS`, and return True; False where one of `unless` stands."""
        if word not in ORDERS:
            raise ValueError(f"{word} is no order")
        with exclusive(self.folder):
            if self.ordered() in unless:
                return False
            replace_file(self.folder / ORDER_FILE, word)
        return True

    def ordered(self) -> str:
        """Return the last order given, "" where there is none."""
        try:
            return (self.folder / ORDER_FILE).read_text(encoding="utf-8").strip()
        except OSError:
            return ""

    def history(self) -> Iterator[TrainingEvent]:
        """Yield the events so far."""
        told = tail(self.events)
        try:
            yield from told.read()
            while told.behind:
                yield from told.read()
        finally:
            told.close()

    def worked(self) -> float:
        """Return for how many seconds its processes have been at work until now, without pauses and interruptions."""
        seconds, before, waiting = 0.0, 0.0, False
        for event in self.history():
            if before and not waiting and not isinstance(event, RunStarted):
                seconds += max(event.at - before, 0.0)
            before, waiting = event.at, isinstance(event, Paused)
        return seconds + (max(time.time() - before, 0.0) if before and self.alive and not waiting else 0.0)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the run's lock. Raises UsageError where another process is at work on it."""
        with (self.folder / LOCK_FILE).open("a+") as stream:
            try:
                with exclusive(self.folder):  # who only asks whether the run lives is not taken for its holder
                    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise UsageError(
                    f"The run {self.name} is at work.", fix=f"Watch it with `carrel retrain --follow {self.name}`."
                ) from error
            yield

    def clear(self) -> None:
        """Remove everything but the history."""
        with exclusive(self.folder):  # so that no draft of another process goes with it
            for path in self.folder.iterdir():
                if path.name in KEPT_FILES or path.name == LOCK_FILE:
                    continue
                _remove(path)


def folder() -> Path:
    """Return the folder that holds all runs."""
    return places().state / "training"


def every() -> list[Run]:
    """Return all runs, oldest first."""
    readable = [(record.created_at, run.name, run) for run, record in _recorded() if record is not None]
    return [run for _, _, run in sorted(readable, key=lambda each: each[:2])]


def unreadable() -> list[Run]:
    """Return the runs whose record cannot be read, by name: they keep their name and their space."""
    return sorted((run for run, record in _recorded() if record is None), key=lambda run: run.name)


def _recorded() -> Iterator[tuple[Run, Record | None]]:
    for path in folder().glob(f"*/{RECORD_FILE}"):
        run, record = Run(path.parent), None
        with suppress(UsageError):
            record = run.record()
        yield run, record


def named(name: str) -> Run:
    """Return a run. Raises UsageError where there is none of that name."""
    run = Run(folder() / checked(name))
    run.record()
    return run


def checked(name: str) -> str:
    """Return a name that can be a run's. Raises UsageError."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be the name of a run.", fix="Take letters, digits, points and hyphens, 64 at most."
        )
    return name.lower()


def free_name(taken: set[str]) -> str:
    """Return the next name that neither a run nor one of the models `taken` has."""
    used = {path.name for path in folder().glob("*")} | {name.lower() for name in taken}
    return next(name for number in range(1, 10_000) if (name := f"tuned-{number}") not in used)


def create(plan: Plan) -> Run:
    """Make the folder of a new run. Raises UsageError where its name is taken."""
    run = Run(folder() / checked(plan.name))
    with exclusive(private_folder(run.folder.parent)):
        run.folder.mkdir(mode=0o700, exist_ok=True)  # without a record it is what a kill or a full disk left
        if (run.folder / RECORD_FILE).exists():
            raise UsageError(f"There is a run {run.name} already.", fix="Give another name with --name.")
        run.write(Record(plan))
    return run


def delete(run: Run) -> None:
    """Delete a run that is not at work; the model that it made stays installed. Raises UsageError.

    Its record goes last: where this is cut short, the run is still listed and can be deleted again.
    """
    try:
        with run.held(), exclusive(run.folder):  # so that nobody takes it up, or writes into it, meanwhile
            for path in run.folder.iterdir():
                if path.name != RECORD_FILE:
                    _remove(path)
            shutil.rmtree(run.folder)
    except UsageError as error:
        raise UsageError(error.message, fix="Cancel it first.") from error


def _is_sound(record: Record | Plan) -> bool:
    """Whether all values are of their kind, so that whoever shows them need not ask."""
    return all(_KINDS[str(each.type)](getattr(record, each.name)) for each in fields(record))


def _is_figure(value: object) -> bool:
    return stored_values.finite(value) is not None and abs(value) <= stored_values.LATEST  # type: ignore[arg-type]


_KINDS: dict[str, Callable[[Any], bool]] = {
    "Plan": lambda value: isinstance(value, Plan),
    "str": lambda value: isinstance(value, str),
    "bool": lambda value: isinstance(value, bool),
    "int": lambda value: isinstance(value, int),
    "float": _is_figure,
    "float | None": lambda value: value is None or _is_figure(value),
    "tuple[str, ...]": lambda value: all(isinstance(each, str) for each in value),
    "dict[str, Any]": lambda value: isinstance(value, dict),
    "dict[str, float]": lambda value: isinstance(value, dict) and all(map(_is_figure, value.values())),
}


def _remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
