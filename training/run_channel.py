"""The two lines between a run and those who follow it: events out, orders in."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from training.protocol import Paused, Resumed, ReviewAwaited, TrainingEvent, encode
from training.runs import Run

LOOK_SECONDS = 0.2  # how often a paused run looks for an order


class Cancelled(Exception):  # it is an order carried out, no error
    """The run was told to leave nothing."""


class Teller:
    """Appends events to a run's file, and reads its orders between two steps of work."""

    def __init__(self, run: Run, sleep: Callable[[float], None] = time.sleep) -> None:
        self._run = run
        self._sleep = sleep
        self._stream = run.events.open("a", encoding="ascii")
        if _cut_short(run.events):  # by a full disk or a power cut: the next event is a line of its own all the same
            self._stream.write("\n")
        self._stopped = run.ordered() == "stop"

    def tell(self, event: TrainingEvent) -> None:
        """Write one event; it is in the file when this returns."""
        self._stream.write(encode(event))
        self._stream.flush()

    @property
    def stopped(self) -> bool:
        """Whether the run was told to keep the best so far."""
        return self._stopped

    def check(self) -> None:
        """Carry out the order that waits: wait while paused. Raises Cancelled."""
        word = self._run.ordered()
        if word == "pause":
            self.tell(Paused())
            while (word := self._run.ordered()) == "pause":
                self._sleep(LOOK_SECONDS)
            self.tell(Resumed())
        if word == "cancel":
            raise Cancelled
        self._stopped = self._stopped or word == "stop"

    def await_review(self, examples: int) -> None:
        """Wait until the person has looked at the examples and lets the run go on. Raises Cancelled.

        A pause or a go-ahead that was given before is none for this; an order to stop or cancel comes first.
        """
        if self._run.order("pause", unless=("stop", "cancel")):
            self.tell(ReviewAwaited(run=self._run.name, examples=examples))
        self.check()

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


def _cut_short(file: Path) -> bool:
    """Whether the last line of a file has no end."""
    with file.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(max(size - 1, 0))
        return stream.read(1) not in (b"", b"\n")
