"""What a person searched for before: one line each in a private file of Carrel's state folder.

The newest comes last in the file, as a shell keeps it; two browsers at once append to one file without harm.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from app.wording.safe_text import one_line
from engine.atomic_files import exclusive, replace_file
from engine.paths import private_folder

_log = logging.getLogger("carrel")

KEPT = 500  # searches told of; the file is cut to these when it holds twice as many lines
MAX_BYTES = 1 << 20  # read of a file that pasted pages, or something else, have filled: its end, with the newest


class History:
    """The searches of one person. Nothing here raises: a history that cannot be kept is no reason to stop."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._unwritten: list[str] = []  # searches of this session, where there is no file

    def entries(self) -> tuple[str, ...]:
        """Return the searches, newest first, each once."""
        lines = self._lines()
        if len(lines) <= 2 * KEPT:
            return _newest_first(lines)
        return self._rewritten(lambda text: True)

    def remember(self, text: str) -> None:
        """Add a search; it becomes the newest."""
        text = one_line(text).strip()
        if not text:
            return
        if self._path is None:
            self._unwritten.append(text)
            return
        try:
            with exclusive(private_folder(self._path.parent)):  # else a file that is being rewritten would lose it
                descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
                with os.fdopen(descriptor, "a", encoding="utf-8", errors="replace") as file:
                    file.write(text + "\n")
        except OSError:
            _log.warning("The history could not be written", exc_info=True)

    def forget(self, text: str) -> None:
        """Drop one search."""
        self._rewritten(lambda each: each != text)

    def forget_all(self) -> int:
        """Drop every search with the file, and return how many there were."""
        count = len(self.entries())
        self._unwritten.clear()
        if self._path is not None:
            with suppress(OSError):
                self._path.unlink()
        return count

    def _lines(self) -> list[str]:
        if self._path is None:
            return list(self._unwritten)
        try:
            with self._path.open("rb") as file:
                left_out = max(0, os.fstat(file.fileno()).st_size - MAX_BYTES)
                file.seek(max(0, left_out - 1))
                if left_out:
                    file.readline()  # of which only the end would be read
                return file.read(MAX_BYTES).decode("utf-8", "replace").splitlines()
        except OSError:
            return []

    def _rewritten(self, kept: Callable[[str], bool]) -> tuple[str, ...]:
        """Leave only some of the newest searches, and return them, newest first."""
        if self._path is None:
            self._unwritten = [line for line in self._unwritten if kept(line)]
            return _newest_first(self._unwritten)
        with exclusive(self._path.parent):
            newest = tuple(filter(kept, _newest_first(self._lines())))
            try:
                replace_file(self._path, "".join(f"{line}\n" for line in reversed(newest)))
            except OSError:
                _log.warning("The history could not be written", exc_info=True)
        return newest


def _newest_first(lines: Sequence[str]) -> tuple[str, ...]:
    """Return the last searches, each once."""
    return tuple(dict.fromkeys(line for line in reversed(lines) if line.strip()))[:KEPT]
