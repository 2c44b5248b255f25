"""Writes events into an append-only file that any number of followers may tail; the writer waits for none of them."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from engine.events import Event, to_line
from engine.paths import private_folder

log = logging.getLogger(__name__)


class EventFile:
    """An open event file. Each event is one line and one write, so that a follower never sees half of one."""

    def __init__(self, path: Path) -> None:
        private_folder(path.parent)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)

    def write(self, event: Event) -> None:
        """Append one event. A full disk loses the event, never the work that it tells of."""
        try:
            os.write(self._file, to_line(event).encode("ascii") + b"\n")
        except OSError:
            log.warning("an event could not be written", exc_info=True)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)
