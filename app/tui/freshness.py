"""Whether files are still what they were: a document's what was indexed, the library's what was opened."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from app.tui.ports import Freshness
from engine.paths import identity_of
from engine.records import StoredDocument
from engine.sources.file_times import kept_ns

if TYPE_CHECKING:
    from app.tui.library_port import LibraryPort

FileState = Literal["same", "gone", "replaced"]  # of the library's file; it can be read on long after it was deleted
SAME_SECONDS = 1e-5  # a date in nanoseconds, kept as seconds in a float, comes back this exact
SAID: dict[Freshness, str] = {"same": "", "changed": "changed since it was indexed", "gone": "no longer there"}
SHORT: dict[Freshness, str] = {"same": "", "changed": "changed", "gone": "gone"}
SIGNS: dict[Freshness, str] = {"same": "", "changed": "≠", "gone": "✗"}


def freshness_of(document: StoredDocument) -> Freshness:
    """Compare a document's file with what was indexed of it: its date and its size.

    Of a file on another machine, which a team shares, nothing else is known than what was indexed.
    """
    if not document.path.startswith(b"/"):
        return "same"
    try:
        found = os.stat(document.path)
    except OSError:
        return "gone"
    same = abs(kept_ns(found.st_mtime_ns) / 1e9 - document.modified) < SAME_SECONDS and found.st_size == document.size
    return "same" if same else "changed"


def notice(freshness: Freshness, *, short: bool = False) -> str:
    """Return what is said of a file, with a sign before it; "" for one that is the same."""
    said = (SHORT if short else SAID)[freshness]
    return f"{SIGNS[freshness]} {said}" if said else ""


class Reindexing:
    """Asks for files to be indexed again, once for each state of a document."""

    def __init__(self) -> None:
        self._asked: set[tuple[bytes, float, int]] = set()

    def ask(self, library: LibraryPort, document: StoredDocument) -> None:
        """File a request for one document's file.

        Nothing happens in a library that cannot be written to, nor in a folder that was paused: its documents stay as
        they are, whatever becomes of the files.
        """
        key = document.path, document.modified, document.size
        if library.read_only or key in self._asked:
            return
        self._asked.add(key)
        paused = [folder.path for folder in library.status().folders if folder.state == "paused"]
        if any(document.path.startswith(folder.rstrip(b"/") + b"/") for folder in paused):
            return
        path = os.fsdecode(document.path)
        try:
            path.encode()
        except UnicodeEncodeError:
            path = ""  # a request is text; a sync of everything finds the file too
        library.file_request("sync", path)


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
