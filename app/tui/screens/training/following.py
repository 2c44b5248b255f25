"""The part of the training screen that reads: which runs there are, what there is to learn from, what a run says."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from app.tui.background import Work, in_background
from app.tui.screens.carrel_screen import CarrelScreen
from app.tui.screens.training.draft_plan import Planning
from app.tui.threads import in_thread
from app.tui.training_follower import RunFollower
from app.tui.training_port import Run, TrainingPort
from app.tui.training_state import TrainingState
from app.wording.safe_text import one_line
from engine.errors import CarrelError

LOOK_SECONDS = 1.0  # how often it is looked whether a run lives, and what others did with the runs
UNAVAILABLE = "This browser was started without it."


@dataclass
class RunReported(Message):
    """A run has said something; only the newest of waiting reports counts."""

    run: str
    state: TrainingState

    def can_replace(self, message: Message) -> bool:
        """Take the place of an older report that nobody has read yet."""
        return isinstance(message, RunReported)


class FollowingScreen(CarrelScreen):
    """Knows the runs, and follows one of them; the methods that do nothing here are for those who show it."""

    def __init__(self) -> None:
        super().__init__()
        self.missing = ""  # what is not installed that training needs
        self.planning = Planning()
        self.runs: tuple[Run, ...] = ()
        self.attached = ""  # the name of the run that is followed
        self.state = TrainingState()
        self.past: dict[str, TrainingState] = {}  # of the run that was last selected in the history
        self._follower: RunFollower | None = None
        self._first = True

    @property
    def port(self) -> TrainingPort | None:
        """The runs of the library."""
        return self.carrel.ports.training

    @property
    def is_shown(self) -> bool:
        """Whether a person looks at this screen now."""
        return self.app.current_mode == "training"

    def run_named(self, name: str) -> Run | None:
        """Return the run of a name."""
        return next((run for run in self.runs if run.name == name), None)

    # --- what is to be shown, by those who show -----------------------------------------------------------------

    def show_run(self) -> None:
        """Show the run that is followed."""

    def show_runs(self) -> None:
        """Show all runs."""

    def show_missing(self) -> None:
        """Show what is not installed, if anything."""

    def plan_with(self, planning: Planning) -> None:
        """Show another plan."""

    def show_unplannable(self, reason: str) -> None:
        """Show why there is nothing to plan with."""

    def found_at_start(self) -> None:
        """Turn to a run that was found when the screen was opened."""

    # --- reading ------------------------------------------------------------------------------------------------

    def look_regularly(self) -> None:
        """Look from time to time whether the runs live, and what others did with them."""
        self.set_interval(max(LOOK_SECONDS, self.carrel.ports.pace.poll), self._look)

    def _look(self) -> None:
        reading = any(worker.group == "runs" and not worker.is_finished for worker in self.workers)
        if (self.is_shown or self.attached) and not reading:
            self.load()

    def load(self) -> None:
        """Read the runs anew and show them."""
        self.work(self._read, "runs")

    def load_offer(self) -> None:
        """Read anew what there is to learn from, and how."""
        self.work(self._read_offer, "offer")

    def work(self, work: Work, group: str) -> None:
        """Do something in the background; what the same group did before is given up."""
        in_background(self, work, group, exclusive=True, failed="The runs could not be looked at")

    async def _read(self) -> None:
        runs = await in_thread(self.port.runs) if self.port is not None else ()
        before, self.runs = self.runs, tuple(runs)
        self.past = {name: state for name, state in self.past.items() if self.run_named(name) in before}
        if self.attached and self.run_named(self.attached) is None:
            self.attach("")
        if not self.attached and (found := to_attach(self.runs)) is not None:
            self.attach(found.name)
            if self._first:
                self.found_at_start()
        self._first = False
        self.show_runs()
        self.show_run()

    async def _read_offer(self) -> None:
        port = self.port
        self.missing = await in_thread(port.missing) if port is not None else UNAVAILABLE
        self.show_missing()
        if port is None or self.missing:
            return
        try:
            offer = await in_thread(lambda: (port.sources(), port.recipes()))
        except CarrelError as error:  # of a library without a document, for one: it stays on the page
            self.show_unplannable(str(error))
        else:
            self.plan_with(self.planning.offered(*offer))

    def say(self, text: str, *, good: bool = True) -> None:
        """Tell something in passing."""
        self.app.notify(one_line(text), severity="information" if good else "warning", markup=False)

    # --- following ----------------------------------------------------------------------------------------------

    def attach(self, name: str) -> None:
        """Follow another run, or none."""
        self.let_go()
        self.attached, self.state = name, TrainingState()
        if name and self.port is not None:
            self._follower = RunFollower(self.port.events(name), lambda state: self._hand_over(name, state))
            self._follower.start()

    def let_go(self) -> None:
        """Stop following; the run goes on."""
        if self._follower is not None:
            self._follower.leave()
        self._follower = None

    def _hand_over(self, name: str, state: TrainingState) -> None:
        """Hand a state over from the follower's thread."""
        self.post_message(RunReported(name, state))

    def on_run_reported(self, message: RunReported) -> None:
        """Show what the run does now; once it is over, say so to a person who looks at something else."""
        if message.run != self.attached:
            return
        ended = message.state.over and not self.state.over and self.state.started is not None
        waits = message.state.review is not None and self.state.review is None
        if message.state.trouble and not self.state.trouble:
            self.say(message.state.trouble, good=False)
        self.state = message.state
        self.show_run()
        if ended:
            self.load()
            if not self.is_shown:
                self.say(f"The retraining {message.run} is over; f9 shows how it ended.")
        if waits and not self.is_shown:
            self.say(f"The retraining {message.run} waits: its examples can be looked at with f9.")

    def on_unmount(self) -> None:
        """Stop following when the browser is left."""
        self.let_go()


def to_attach(runs: tuple[Run, ...]) -> Run | None:
    """Return the run that a person who opens the screen wants to see: one at work, else the newest if it broke off."""
    alive = next((run for run in runs if run.alive), None)
    return alive or next((run for run in runs[:1] if run.state == "crashed"), None)
