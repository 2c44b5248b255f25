"""How much a folder holds that may be watched, and from when a person is asked before all of it is read."""

from __future__ import annotations

import os
from pathlib import Path

from app.wording.times import estimate
from engine.figures import count
from engine.records import FolderCount

ASKED_ABOVE = 5_000  # files; fewer are read within a minute
WORDS_PER_SECOND = 100  # files found by their words: 4,826 notes in 48 s on two cores
MEANING_PER_SECOND = 20  # files embedded: 137 passages a second, some 7 a note


def said_of(found: FolderCount) -> str:
    """Return how many files would be read, and about how long that takes."""
    number = f"{'' if found.all else 'More than '}{count(found.files)} files would be read"
    words, meaning = estimate(found.files / WORDS_PER_SECOND), estimate(found.files / MEANING_PER_SECOND)
    took = f"about {words} until all are found by their words, and about {meaning} until also by meaning"
    return f"{number}: {took}. The folder that holds your notes is usually enough."


def is_too_much(folder: Path) -> bool:
    """Whether a folder is the home or the whole disk, whatever lies in it now."""
    return os.path.realpath(folder) in {os.path.realpath(os.path.expanduser("~")), "/"}
