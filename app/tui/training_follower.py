"""Follows the event file of a retraining in a thread; a file of any length is caught up with in one quick pass."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from app.tui.training_state import TrainingState, after
from training.protocol import decode

_log = logging.getLogger("carrel")

TICK_SECONDS = 0.1  # ten reports a second at most
CHUNK_BYTES = 1 << 20
# Lines of these kinds come by the thousand; of a whole chunk of them a picture needs a few steps, and the last others.
_STEP, _EXAMPLE, _MINED = b'{"type": "stepped"', b'{"type": "example"', b'{"type": "mined"'
STEPS_OF_A_CHUNK = 32
EXAMPLES_OF_A_CHUNK = 40

Report = Callable[[TrainingState], None]


class RunTail:
    """Reads what is appended to an event file and folds it into a state; a half-written line waits for its rest."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._rest = b""
        self.state = TrainingState()

    def read(self) -> bool:
        """Fold what is new, at most one chunk of it; returns whether there may be more at once."""
        if self._file is None:
            try:
                self._file = self._path.open("rb")
            except OSError:
                return False
        found = self._file.read(CHUNK_BYTES)
        *lines, self._rest = (self._rest + found).split(b"\n")
        much = len(found) == CHUNK_BYTES
        for line in _telling(lines) if much else lines:
            event = decode(line.decode("utf-8", "replace"))
            if event is not None:
                self.state = after(self.state, event)
        return much

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _telling(lines: list[bytes]) -> Iterator[bytes]:
    """Yield the lines of a long stretch that a picture of it needs, in their order."""
    many = {
        kind: [place for place, line in enumerate(lines) if line.startswith(kind)] for kind in (_STEP, _EXAMPLE, _MINED)
    }
    steps = many[_STEP]
    left_out = set(steps) - set(steps[:: max(1, len(steps) // STEPS_OF_A_CHUNK)]) - set(steps[-1:])
    left_out |= set(many[_EXAMPLE][:-EXAMPLES_OF_A_CHUNK]) | set(many[_MINED][:-1])
    return (line for place, line in enumerate(lines) if place not in left_out)


def read_run(path: Path) -> TrainingState:
    """Return the state at the end of an event file; to be called in a thread."""
    tail = RunTail(path)
    try:
        while tail.read():
            pass
        return tail.state
    finally:
        tail.close()


class RunFollower:
    """Reports the state of a run whenever it has changed, from a thread of its own, until it is left."""

    def __init__(self, path: Path, report: Report, *, tick: float = TICK_SECONDS) -> None:
        self._tail = RunTail(path)
        self._report = report
        self._tick = tick
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="carrel-training")

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def leave(self) -> None:
        """Stop following; returns at once."""
        self._left.set()

    def _run(self) -> None:
        told: TrainingState | None = None
        try:
            while not self._left.is_set():
                more = self._tail.read()
                if more:
                    continue
                if self._tail.state is not told:
                    told = self._tail.state
                    self._report(told)
                self._left.wait(self._tick)
        except Exception:
            _log.exception("A run could not be followed")
        finally:
            self._tail.close()
