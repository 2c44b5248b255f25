"""The run that the training screen follows, and what it said last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from textual.message import Message

from app.tui.training_follower import RunFollower
from app.tui.training_port import Run
from app.tui.training_state import TrainingState


@dataclass
class RunReported(Message):
    """A run has said something; only the newest of waiting reports counts."""

    run: str
    state: TrainingState

    def can_replace(self, message: Message) -> bool:
        """Take the place of an older report that nobody has read yet."""
        return isinstance(message, RunReported)


class FollowedRun:
    """Follows the events of one run at a time; `post` gets a report whenever it has said something."""

    def __init__(self, post: Callable[[Message], object]) -> None:
        self.name = ""  # of the run; "" where none is followed
        self.state = TrainingState()
        self._post = post
        self._follower: RunFollower | None = None

    def follow(self, name: str, events: Path) -> None:
        """Follow another run by its event file."""
        self.let_go()
        self.name = name
        self._follower = RunFollower(events, lambda state: _ignore(self._post(RunReported(name, state))))
        self._follower.start()

    def let_go(self) -> None:
        """Follow no run; the one that was followed goes on."""
        if self._follower is not None:
            self._follower.leave()
        self._follower = None
        self.name, self.state = "", TrainingState()


def to_follow(runs: Sequence[Run]) -> Run | None:
    """Return the run that a person who opens the screen wants to see: one at work, else the newest if it broke off."""
    alive = next((run for run in runs if run.alive), None)
    return alive or next((run for run in runs[:1] if run.state == "crashed"), None)


def _ignore(_value: object) -> None:
    """Drop a value: a follower's report returns nothing."""
