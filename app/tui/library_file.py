"""Whether the library's file is still the one that was opened: an open file can be read long after it was deleted."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from engine.paths import identity_of

FileState = Literal["same", "gone", "replaced"]


class LibraryFile:
    """The file as it was when the library was opened. Reads the disk, so it belongs in a thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._identity = identity_of(path)
        self.missed = False  # whether the person was told that it is gone

    def look(self) -> FileState:
        """Return what became of it."""
        now = identity_of(self._path)
        if now == self._identity:
            self.missed = False
            return "same"
        return "gone" if now is None else "replaced"
