"""What a person asks of the runs: to start, pause, end, take into use, note or delete one.

What cannot be taken back asks first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from textual.message import Message

from app.tui.background import in_background
from app.tui.browser import CarrelScreen, tell
from app.tui.screens.confirm import ConfirmScreen
from app.tui.screens.prompts import AskScreen
from app.tui.screens.training.example_review import ReviewScreen
from app.tui.threads import in_thread
from app.tui.training_port import QuerySource, Run, RunPlan, TrainingPort
from engine.figures import signed, size
from training.run_plan import RECIPES

if TYPE_CHECKING:
    from training.run_removal import DiskUse

T = TypeVar("T")
NOTE_LETTERS = 200


class RunOrders:
    """Carries out, for a screen, what is asked of the runs; the screen hears of it by messages."""

    @dataclass
    class Began(Message):
        """A run was started, or goes on after it broke off."""

        run: str

    @dataclass
    class SourceNamed(Message):
        """A source has what it needs, and says what it gives with that."""

        source: QuerySource

    class Done(Message):
        """An order was carried out: the runs may stand otherwise now."""

    def __init__(self, screen: CarrelScreen) -> None:
        self._screen = screen
        self._beginning = False  # whether a run is being started, which takes seconds

    @property
    def _port(self) -> TrainingPort:
        return self._screen.carrel.ports.training

    def ask_for(self, source: QuerySource) -> None:
        """Ask for what a source needs."""

        def named(text: str | None) -> None:
            if text:
                self._carry_out(partial(self._port.source_with, source, text), found)

        def found(source: QuerySource) -> None:
            self._screen.post_message(self.SourceNamed(source))

        asking = AskScreen(source.title, source.explained, value=source.given, placeholder=source.asks)
        self._screen.carrel.push_screen(asking, named)

    def begin(self, plan: RunPlan) -> None:
        """Start a run, one at a time."""
        if self._beginning:
            tell(self._screen, "The run is being started.")
            return
        self._beginning = True

        def started() -> str:
            try:
                return self._port.start(plan)
            finally:
                self._beginning = False

        self._carry_out(started, self._began)

    def _began(self, run: str) -> None:
        self._screen.post_message(self.Began(run))

    def pause(self, run: Run) -> None:
        """Let a run wait."""
        if self._lives(run):
            self._order(run, "pause")

    def resume(self, run: Run) -> None:
        """Let a run go on; take up one that broke off."""
        if run.state == "crashed":
            self._carry_out(partial(self._port.resume, run.name), lambda _: self._began(run.name))
        elif self._lives(run):
            self._order(run, "resume")

    def review(self, run: Run) -> None:
        """Look at the examples that a run waits with."""

        def looked_at(go_on: bool | None) -> None:
            if go_on:
                self._order(run, "resume", "The run goes on with what was not rejected.")

        self._screen.carrel.push_screen(ReviewScreen(self._port, run.name), looked_at)

    def stop(self, run: Run) -> None:
        """End training and judge the best so far."""
        if self._lives(run):
            self._order(run, "stop", "Training ends with this step; the best so far is judged.")

    def cancel(self, run: Run) -> None:
        """End a run and keep nothing of it, after a question."""
        if self._lives(run):
            explained = "It ends within a step, and nothing of it is kept. Your library stays as it is."
            question = ConfirmScreen(f"Cancel {run.name}?", explained, "cancel it", "let it go on")
            self._ask(question, lambda: self._order(run, "cancel", "The run ends within a step."))

    def use(self, run: Run) -> None:
        """Take a run's model into use, after a question."""
        if run.use:
            tell(
                self._screen,
                "Its model is in use already." if run.use == "in use" else "Its model is being taken into use.",
            )
        elif not run.promotable:
            tell(self._screen, "There is nothing here that may be taken into use.", good=False)
        else:
            question = ConfirmScreen(f"Search with {run.name}?", _promotion(run), "use it", "leave it")
            promote = partial(self._port.promote, run.name)
            self._ask(question, lambda: self._carry_out(promote, lambda _: self._promoted(run)))

    def beside(self, run: Run) -> None:
        """Let a run's model run beside the one in use."""
        if run.alive or not run.model:
            tell(self._screen, "There is no model here that could run beside.", good=False)
        elif run.use:
            tell(self._screen, "Its model is in use already.")
        else:
            self._carry_out(partial(self._port.run_beside, run.name), lambda _: self._runs_beside(run))

    def _runs_beside(self, run: Run) -> None:
        self._screen.carrel.wake_indexer()
        tell(
            self._screen,
            f"{run.name} runs beside the model in use; its vectors are made when nothing else is due.",
        )

    def _promoted(self, run: Run) -> None:
        if _fits(run):
            tell(self._screen, f"From the next search on your library ranks by {run.name}; r goes back.")
            return
        self._screen.carrel.wake_indexer()
        if _is_late(run):
            tell(
                self._screen, f"{run.name} makes its token vectors in the background; `carrel late off` takes it back."
            )
            return
        work = "takes over the vectors" if _is_adapter(run) else "is embedded anew"
        tell(
            self._screen,
            f"Your library {work} for {run.name}, in the background. Search goes on with the present model.",
        )

    def roll_back(self, used: Run) -> None:
        """Go back to what was in use before a run's model, or its constants, after a question."""
        if _fits(used):
            explained = f"The next search ranks as before {used.name}, which stays in the history."
            question = ConfirmScreen("Go back to the constants before?", explained, "go back", "stay")
            self._ask(question, lambda: self._carry_out(self._port.rollback, self._rolled_back))
            return
        explained = (
            f"{used.base} serves again at once: its vectors were kept, and only what has changed since is embedded."
            f" {used.name} stays in the history, and can be taken into use again."
        )
        question = ConfirmScreen("Go back to the model before?", explained, "go back", "stay")
        self._ask(question, lambda: self._carry_out(self._port.rollback, self._rolled_back))

    def _rolled_back(self, model: str) -> None:
        self._screen.carrel.wake_indexer()
        tell(self._screen, f"Search is back with {model}.")

    def note(self, run: Run) -> None:
        """Write a line of words for a run."""

        def written(text: str | None) -> None:
            if text is not None and text != run.note:
                self._carry_out(partial(self._port.note, run.name, text), lambda _: None)

        asking = AskScreen(
            f"A note for {run.name}", "What it tried, or what you found.", value=run.note, check=_too_long
        )
        self._screen.carrel.push_screen(asking, written)

    def delete(self, run: Run) -> None:
        """Delete a run that is over, after a question."""
        if run.alive:
            tell(self._screen, "This run is at work; cancel it first.", good=False)
        elif run.use:
            said = "What it made is in use; r goes back, and then it can be deleted."
            tell(self._screen, said, good=False)
        else:
            weigh = partial(self._port.deletion, run.name)
            self._carry_out(weigh, partial(self._ask_to_delete, run))

    def _ask_to_delete(self, run: Run, found: DiskUse) -> None:
        if self._screen.app.screen is not self._screen:
            return  # the person has gone elsewhere, and what is typed there answers no question
        delete = partial(self._port.delete, run.name)
        question = ConfirmScreen(f"Delete {run.name}?", _deletion(found), "delete it", "keep it")
        self._ask(question, lambda: self._carry_out(delete, partial(self._deleted, run)))

    def _deleted(self, run: Run, found: DiskUse) -> None:
        tell(self._screen, f"{run.name} is deleted: {size(found.whole)} freed.")

    def _lives(self, run: Run) -> bool:
        """Whether a run lives; where it does not, that is said."""
        if not run.alive:
            tell(self._screen, "This run is over.")
        return run.alive

    def _ask(self, question: ConfirmScreen, then: Callable[[], object]) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                then()

        self._screen.carrel.push_screen(question, answered)

    def _order(self, run: Run, word: str, said: str = "") -> None:
        """Give an order, and say what it brings once it is given."""
        order = partial(self._port.order, run.name, word)
        self._carry_out(order, lambda _: tell(self._screen, said) if said else None)

    def _carry_out(self, work: Callable[[], T], then: Callable[[T], object]) -> None:
        """Do something in a thread, then show what came of it; an error is told."""

        async def carried_out() -> None:
            then(await in_thread(work))
            self._screen.post_message(self.Done())

        in_background(self._screen, carried_out, "order", failed="That could not be done")


# the orders that need nothing but a run, by the names of their actions
ORDERS: Mapping[str, Callable[[RunOrders, Run], None]] = {
    "pause": RunOrders.pause,
    "resume": RunOrders.resume,
    "stop": RunOrders.stop,
    "cancel": RunOrders.cancel,
    "use": RunOrders.use,
    "beside": RunOrders.beside,
    "note": RunOrders.note,
    "delete": RunOrders.delete,
}


def _promotion(run: Run) -> str:
    """Return what a yes would do."""
    doubt = "" if not run.knowingly else "Nobody has proved that it is better: the gate could not judge it. "
    if _fits(run):
        gain = f"They ranked better by {signed(run.gain)} on questions left out. " if run.gain and not doubt else doubt
        return f"{gain}The next search goes by them, and nothing is embedded anew. r goes back at any time."
    gain = f"It ranked better by {signed(run.gain)} on questions that it never saw. " if run.gain and not doubt else ""
    if _is_late(run):
        return (
            f"{doubt or gain}It stands beside the present model, and ranks the best hundred again. Its token vectors"
            " are made in the background, some 12 KB a passage; `carrel late off` takes it back."
        )
    work = "The vectors that are there are taken over" if _is_adapter(run) else "Your library is embedded anew"
    return (
        f"{doubt or gain}{work} in the background, and the present model serves until that is done; then one step swaps"
        " them. r goes back at any time."
    )


def _fits(run: Run) -> bool:
    """Whether a run fits the constants of the fusion."""
    return run.recipe in RECIPES and not RECIPES[run.recipe].needs_torch


def _is_late(run: Run) -> bool:
    """Whether the run's model is for late interaction, beside the model in use."""
    return run.recipe in RECIPES and RECIPES[run.recipe].kind == "late"


def _is_adapter(run: Run) -> bool:
    """Whether the run's model differs from its base for questions only, so that no passage is embedded anew."""
    return run.recipe in RECIPES and RECIPES[run.recipe].kind == "adapter"


def _deletion(found: DiskUse) -> str:
    """Return what a yes would delete."""
    model = f" and its model {found.model} ({size(found.model_bytes)})" if found.model else ""
    vectors = "The vectors that your library keeps for the model go with it. " if found.model else ""
    return (
        f"Its figures and files ({size(found.folder)}){model} are gone for good. {vectors}Your notes, and what is"
        " searched now, stay as they are."
    )


def _too_long(text: str) -> str:
    return f"A note has at most {NOTE_LETTERS} letters." if len(text) > NOTE_LETTERS else ""
