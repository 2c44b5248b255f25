"""The runs of the library as they were read last, and the one among them that is followed."""

from __future__ import annotations

from collections.abc import Callable

from app.tui.background import in_background
from app.tui.browser import CarrelScreen
from app.tui.screens.training.actions import useful_for
from app.tui.screens.training.followed_run import FollowedRun, to_follow
from app.tui.threads import in_thread
from app.tui.training_port import Run, TrainingPort


class KnownRuns:
    """Reads the runs for a screen, in the background; `read` is called each time, and told whether the screen begins.

    It begins with a run that is at work, or broke off, where there is one when the runs are read first.
    """

    def __init__(self, screen: CarrelScreen, read: Callable[[bool], None]) -> None:
        self.all: tuple[Run, ...] = ()
        self.followed = FollowedRun(screen.post_message)
        self._screen = screen
        self._told = read
        self._first = True  # whether the runs were not read yet

    @property
    def followed_run(self) -> Run | None:
        """The run that is followed, None where the history does not know it yet, or none is."""
        return self._named(self.followed.name)

    @property
    def at_work(self) -> Run | None:
        """The run that is at work."""
        return next((run for run in self.all if run.alive), None)

    @property
    def in_use(self) -> Run | None:
        """The newest run of which something is in use, or is being taken into use."""
        return next((run for run in self.all if run.use), None)

    def awaits_review(self, run: Run) -> bool:
        """Whether a run waits for its examples to be looked at."""
        return run.alive and run.name == self.followed.name and self.followed.state.review is not None

    def useful_for(self, run: Run) -> set[str]:
        """Return the names of the orders that do something with a run now."""
        paused = self.followed.state.paused if run.name == self.followed.name else run.state == "waiting"
        return useful_for(run, paused=paused, awaits_review=self.awaits_review(run))

    def follow(self, name: str) -> None:
        """Follow another run."""
        self.followed.follow(name, self._port.events(name))

    def look(self) -> None:
        """Read the runs anew, unless they are being read."""
        if not any(worker.group == "runs" and not worker.is_finished for worker in self._screen.workers):
            self.load()

    def load(self) -> None:
        """Read the runs anew."""
        in_background(self._screen, self._read, "runs", exclusive=True, failed="The runs could not be looked at")

    async def _read(self) -> None:
        self.all = tuple(await in_thread(self._port.runs))
        if self.followed.name and self.followed_run is None:
            self.followed.let_go()
        found = None if self.followed.name else to_follow(self.all)
        if found is not None:
            self.follow(found.name)
        begins, self._first = self._first and found is not None, False
        self._told(begins)

    @property
    def _port(self) -> TrainingPort:
        return self._screen.carrel.ports.training

    def _named(self, name: str) -> Run | None:
        return next((run for run in self.all if run.name == name), None)
