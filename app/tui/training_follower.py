"""Follows the event file of a retraining in a thread; a file of any length is caught up with in one quick pass."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from app.tui.training_state import TrainingState, after
from training.protocol import tail

_log = logging.getLogger("carrel")

TICK_SECONDS = 0.1  # ten reports a second at most
CHUNK_BYTES = 1 << 20
# Lines of these kinds come by the thousand; of a whole chunk of them a picture needs a few steps, and the last others.
_STEP, _EXAMPLE, _MINED = b'{"type": "stepped"', b'{"type": "example"', b'{"type": "mined"'
STEPS_OF_A_CHUNK = 32
EXAMPLES_OF_A_CHUNK = 40

Report = Callable[[TrainingState], None]


class RunTail:
    """Folds what is appended to an event file into a state; where the file begins anew, the state does too."""

    def __init__(self, path: Path) -> None:
        self._tail = tail(path)
        self._beginnings = 0
        self.state = TrainingState()

    def read(self) -> bool:
        """Fold what is new, at most one chunk of it; returns whether there may be more at once."""
        lines = self._tail.lines(CHUNK_BYTES)
        if self._tail.beginnings != self._beginnings:
            self._beginnings, self.state = self._tail.beginnings, TrainingState()
        for line in _telling(lines) if self._tail.behind else lines:
            event = self._tail.event_of(line)
            if event is not None:
                self.state = after(self.state, event)
        return self._tail.behind

    def close(self) -> None:
        """Let go of the file."""
        self._tail.close()


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
    run = RunTail(path)
    try:
        while run.read():
            pass
        return run.state
    finally:
        run.close()


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
        """Follow until left; an error is told once, and what can be read after it is reported all the same."""
        told: tuple[TrainingState | None, str] = None, ""
        trouble = ""
        while not self._left.is_set():
            try:
                if self._tail.read():
                    continue
                state = self._tail.state
                if state is not told[0] or trouble != told[1]:
                    told = state, trouble
                    self._report(replace(state, trouble=trouble))
            except Exception as error:
                if not trouble:
                    _log.exception("A run could not be followed")
                trouble = f"Something that the run told could not be read ({type(error).__name__}); the log says why."
            self._left.wait(self._tick)
        self._tail.close()
