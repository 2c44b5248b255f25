"""What the screen reads of the library, gathered in one go so that a thread does it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.tui.screens.library.folder_rows import EVERYTHING, Place
from engine.records import DocumentChange, Failure, FolderNode, Status
from engine.records.team import TeamGlance

if TYPE_CHECKING:
    from app.tui.library_port import LibraryPort

MOST_CHANGES = 500  # of a day, newest first; more than that nobody reads


@dataclass(frozen=True, slots=True)
class Contents:
    """The library as the screen shows it; `at` is when it was read, in seconds since the epoch."""

    trees: Mapping[bytes, tuple[FolderNode, ...]] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    changes: tuple[DocumentChange, ...] = ()
    left_out: Mapping[bytes, Mapping[str, int]] = field(default_factory=dict)  # by folder: files by reason
    team: TeamGlance | None = None
    at: float = 0.0


def contents_of(library: LibraryPort, status: Status, now: float) -> Contents:
    """Read everything; to be called in a thread."""
    roots = [folder.path for folder in status.folders]
    return Contents(
        trees={root: library.tree(root) for root in roots},
        failures=library.failures(),
        changes=library.changed_since(midnight(now), MOST_CHANGES),
        left_out={root: library.left_out(root) for root in roots},
        team=status.team,
        at=now,
    )


def midnight(now: float) -> float:
    """Return when the day of a moment began here."""
    day = time.localtime(now)
    return time.mktime((day.tm_year, day.tm_mon, day.tm_mday, 0, 0, 0, 0, 0, -1))


def root_of(path: bytes, roots: Mapping[bytes, object]) -> bytes | None:
    """Return the watched folder that a path lies in."""
    return next((root for root in roots if path.startswith(root.rstrip(b"/") + b"/")), None)


def lies_in(path: bytes, place: Place) -> bool:
    """Whether an absolute path lies in a folder of the tree."""
    return place == EVERYTHING or path.startswith(os.path.join(place[0], place[1]).rstrip(b"/") + b"/")
