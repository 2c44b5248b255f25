"""A vault of notes to try Carrel on, and how it comes into a person's own hands.

`vault/` lies in the package as data: nothing in it is imported. A person gets a copy, which may be edited, and a
library of its own, so that neither ever mixes with their real notes.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.atomic_files import exclusive
from engine.errors import PathError
from engine.paths import places, private_folder

VAULT = Path(__file__).with_name("vault")
AGES = Path(__file__).with_name("ages.txt")
DAY_SECONDS = 86_400
_LEFT_BEHIND = shutil.ignore_patterns("__pycache__")  # installers compile the script among the notes


def demo_library() -> Path:
    """Return where the library of the demo is."""
    return places().data / "demo" / "library.carrel"


def demo_notes() -> Path:
    """Return where a person's copy of the vault is."""
    return places().data / "demo" / "notes"


@contextmanager
def demo_home() -> Iterator[None]:
    """Give the demo settings, history, saved searches and a log of its own, its processes too; the person's stay."""
    before = os.environ.get("CARREL_HOME")
    os.environ["CARREL_HOME"] = str(demo_library().parent)
    try:
        yield
    finally:
        if before is None:
            del os.environ["CARREL_HOME"]
        else:
            os.environ["CARREL_HOME"] = before


def ready_notes(*, fresh: bool = False) -> Path:
    """Copy the vault where there is no copy yet, and return the copy; `fresh` puts a new one in place of an old one.

    Raises PathError where it cannot be written.
    """
    notes = demo_notes()
    if notes.is_dir() and not fresh:
        return notes
    try:
        private_folder(notes.parent)
        copy_vault(notes)
    except OSError as error:
        raise PathError(
            f"The notes of the demo cannot be copied to {notes}.",
            cause=f"{error.strerror or error}.",
            fix="CARREL_HOME names another folder for all that Carrel keeps.",
        ) from error
    return notes


def copy_vault(to: Path) -> None:
    """Copy the vault to `to`, in place of what is there: whole, or not at all."""
    with exclusive(to.parent):
        _copy(to, to.with_name(f"{to.name}.unfinished"))


def _copy(to: Path, unfinished: Path) -> None:
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(VAULT, unfinished, ignore=_LEFT_BEHIND)
    now = time.time()
    for name, days in ages().items():
        moment = now - days * DAY_SECONDS - days % 7 * 3_600  # not all at the same hour
        os.utime(unfinished / name, (moment, moment))
    shutil.rmtree(to, ignore_errors=True)
    unfinished.rename(to)


def ages() -> dict[str, int]:
    """Return how many days ago each note was last changed; packing and installing lose the real times."""
    lines = AGES.read_text(encoding="utf-8").splitlines()
    parted = (line.split(" ", 1) for line in lines if line and not line.startswith("#"))
    return {name: int(days) for days, name in parted}
