"""The part of the training screen that changes something: starts, pauses, ends, takes into use, notes, deletes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from app.tui.background import in_background
from app.tui.screens.confirm import ConfirmScreen
from app.tui.screens.prompts import AskScreen
from app.tui.screens.training.example_review import ReviewScreen
from app.tui.screens.training.showing import ShowingScreen
from app.tui.threads import in_thread
from app.tui.training_port import QuerySource, Run, TrainingPort
from app.wording.figures import signed, size
from training.run_plan import RECIPES

if TYPE_CHECKING:
    from training.run_removal import DiskUse

NOTE_LETTERS = 200


class OrderingScreen(ShowingScreen):
    """What is asked of the runs; what cannot be taken back asks first."""

    @property
    def run_meant(self) -> Run | None:
        """The run that an order is for: the one that is looked at, or the selected one of the history."""
        if self.page == "plan":
            return None
        return self.selected if self.page == "history" else self.run_named(self.attached)

    def ask_for(self, source: QuerySource) -> None:
        """Ask for what a source needs, and take it with that."""

        def named(text: str | None) -> None:
            port = self.port
            if text and port is not None:
                work = partial(port.source_with, source, text)
                self._carry_out(work, lambda found: self.plan_with(self.planning.with_source(found)))

        asking = AskScreen(source.title, source.explained, value=source.given, placeholder=source.asks)
        self.app.push_screen(asking, named)

    def action_begin(self) -> None:
        """Start a run with the plan as it is."""
        port = self.port
        if port is None or self.missing:
            return
        busy = next((run for run in self.runs if run.alive), None)
        if busy is not None:
            self.say(f"{busy.name} is still at work; one run at a time.", good=False)
        elif fault := self.planning.fault:
            self.say(fault, good=False)
        else:
            plan = self.planning.plan
            self._carry_out(lambda: port.start(plan), self._begun)

    def _begun(self, name: str) -> None:
        self.attach(name)
        self.turn_to("run")
        self.show_run()

    def action_pause(self) -> None:
        """Let the run wait."""
        run, port = self._living(), self.port
        if run is not None and port is not None:
            self._order(port, run, "pause")

    def action_resume(self) -> None:
        """Let the run go on; take up one that broke off."""
        run, port = self.run_meant, self.port
        if run is None or port is None:
            return
        if run.state == "crashed":
            self._carry_out(partial(port.resume, run.name), lambda _: self._begun(run.name))
        elif self._living() is not None:
            self._order(port, run, "resume")

    @property
    def review_awaited(self) -> bool:
        """Whether the run that is meant waits for its examples to be looked at."""
        run = self.run_meant
        waits = run is not None and run.alive and run.name == self.attached
        return waits and self.state.review is not None

    def action_review(self) -> None:
        """Look at the examples that the run waits with."""
        run, port = self.run_meant, self.port
        if run is None or port is None:
            return
        if not self.review_awaited:
            self.say("This run does not wait for a review.")
            return

        def looked_at(go_on: bool | None) -> None:
            if go_on:
                self._order(port, run, "resume", "The run goes on with what was not rejected.")

        self.app.push_screen(ReviewScreen(port, run.name), looked_at)

    def action_stop(self) -> None:
        """End training and judge the best so far."""
        run, port = self._living(), self.port
        if run is not None and port is not None:
            self._order(port, run, "stop", "Training ends with this step; the best so far is judged.")

    def action_cancel(self) -> None:
        """End the run and keep nothing of it, after a question."""
        run, port = self._living(), self.port
        if run is not None and port is not None:
            explained = "It ends within a step, and nothing of it is kept. Your library stays as it is."
            question = ConfirmScreen(f"Cancel {run.name}?", explained, "cancel it", "let it go on")
            self._ask(question, lambda: self._order(port, run, "cancel", "The run ends within a step."))

    def _living(self) -> Run | None:
        """Return the run that is meant where it lives, or say that it does not."""
        run = self.run_meant
        if run is not None and not run.alive:
            self.say("This run is over.")
            return None
        return run

    def action_use(self) -> None:
        """Take a run's model into use, after a question."""
        run, port = self.run_meant, self.port
        if run is None or port is None:
            return
        if run.use:
            self.say("Its model is in use already." if run.use == "in use" else "Its model is being taken into use.")
        elif not run.promotable:
            self.say("There is no model here that may be taken into use.", good=False)
        else:
            question = ConfirmScreen(f"Search with {run.name}?", _promotion(run), "use it", "leave it")
            promote = partial(port.promote, run.name)
            self._ask(question, lambda: self._carry_out(promote, lambda _: self._promoted(run)))

    def _promoted(self, run: Run) -> None:
        self.carrel.wake_indexer()
        work = "takes over the vectors" if _is_adapter(run) else "is embedded anew"
        self.say(f"Your library {work} for {run.name}, in the background. Search goes on with the present model.")

    def action_rollback(self) -> None:
        """Go back to the model before, after a question."""
        port, used = self.port, next((run for run in self.runs if run.use), None)
        if port is None or used is None:
            self.say("No retrained model is in use.")
            return
        explained = (
            f"{used.base} serves again at once: its vectors were kept, and only what has changed since is embedded."
            f" {used.name} stays in the history, and can be taken into use again."
        )
        question = ConfirmScreen("Go back to the model before?", explained, "go back", "stay")
        self._ask(question, lambda: self._carry_out(port.rollback, self._rolled_back))

    def _rolled_back(self, model: str) -> None:
        self.carrel.wake_indexer()
        self.say(f"Search is back with {model}.")

    def action_note(self) -> None:
        """Write a line of words for the run."""
        run, port = self.run_meant, self.port
        if run is None or port is None:
            return

        def written(text: str | None) -> None:
            if text is not None and text != run.note:
                self._carry_out(partial(port.note, run.name, text), lambda _: None)

        asking = AskScreen(
            f"A note for {run.name}", "What it tried, or what you found.", value=run.note, check=_too_long
        )
        self.app.push_screen(asking, written)

    def action_delete(self) -> None:
        """Delete a run that is over, after a question."""
        run, port = self.run_meant, self.port
        if run is None or port is None:
            return
        if run.alive:
            self.say("This run is at work; cancel it first.", good=False)
        elif run.use:
            self.say("Its model is in use; r goes back to the model before, and then it can be deleted.", good=False)
        else:
            weigh = partial(port.deletion, run.name)
            self._carry_out(weigh, lambda found: self._ask_to_delete(port, run, found))

    def _ask_to_delete(self, port: TrainingPort, run: Run, found: DiskUse) -> None:
        delete = partial(port.delete, run.name)
        question = ConfirmScreen(f"Delete {run.name}?", _deletion(found), "delete it", "keep it")
        self._ask(question, lambda: self._carry_out(delete, partial(self._deleted, run.name)))

    def _deleted(self, run: str, found: DiskUse) -> None:
        self.say(f"{run} is deleted: {size(found.whole)} freed.")

    def _ask(self, question: ConfirmScreen, then: Callable[[], object]) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                then()

        self.app.push_screen(question, answered)

    def _order(self, port: TrainingPort, run: Run, word: str, said: str = "") -> None:
        """Give an order, and say what it brings once it is given."""
        self._carry_out(partial(port.order, run.name, word), lambda _: self.say(said) if said else None)

    def _carry_out(self, work: Callable[[], object], then: Callable[..., object]) -> None:
        """Do something in a thread, then show what came of it; an error is told."""

        async def carried_out() -> None:
            then(await in_thread(work))
            self.load()

        in_background(self, carried_out, "order", failed="That could not be done")


def _promotion(run: Run) -> str:
    """Return what a yes would do."""
    doubt = "" if not run.knowingly else "Nobody has proved that it is better: the gate could not judge it. "
    gain = f"It ranked better by {signed(run.gain)} on questions that it never saw. " if run.gain and not doubt else ""
    work = "The vectors that are there are taken over" if _is_adapter(run) else "Your library is embedded anew"
    return (
        f"{doubt or gain}{work} in the background, and the present model serves until that is done; then one step swaps"
        " them. r goes back at any time."
    )


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
