"""A Carrel of its own for a benchmark: a home that holds a copy of a library, and the environment that names it.

It imports nothing of Carrel, for a child process begins with the greatest resident size of the one that starts it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from machine import ROOT


def copy_library(library: Path, to: Path) -> Path:
    """Copy a library with what is not yet folded into its file."""
    to.parent.mkdir(parents=True, exist_ok=True)
    for ending in ("", "-wal"):
        source = library.with_name(library.name + ending)
        if source.exists():
            shutil.copyfile(source, to.with_name(to.name + ending))
            os.chmod(to.with_name(to.name + ending), 0o600)
    return to


def library_of(home: Path) -> Path:
    """Return where a home keeps its library."""
    return home / "data" / "library.carrel"


def environment_of(home: Path) -> dict[str, str]:
    """Return the environment of a process that takes this code and that home."""
    environment = {**os.environ, "CARREL_HOME": str(home), "PYTHONPATH": str(ROOT)}
    environment.pop("CARREL_LIBRARY", None)
    return environment
