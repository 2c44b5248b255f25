"""The part of the training screen that changes something: starts, pauses, ends, takes into use, notes, deletes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from app.tui.screens.asking import AskScreen
from app.tui.screens.library.confirm import ConfirmScreen
from app.tui.screens.training.showing import ShowingScreen
from app.tui.screens.training.wording import signed
from app.tui.threads import in_thread
from app.tui.training_port import QuerySource, Run, TrainingPort
from engine.errors import CarrelError

_log = logging.getLogger("carrel")

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
                self._carry_out(work, lambda found: self.plan_with(self.planning.with_source(found)), name="source")

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
            self._carry_out(lambda: port.start(plan), self._begun, name="begin")

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
            self._carry_out(partial(port.resume, run.name), lambda _: self._begun(run.name), name="resume")
        elif self._living() is not None:
            self._order(port, run, "resume")

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
            self._ask(question, lambda: self._carry_out(promote, lambda _: self._promoted(run.name), name="use"))

    def _promoted(self, name: str) -> None:
        self.carrel.wake_indexer()
        self.say(f"Your library is read anew with {name}, in the background. Search goes on with the present model.")

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
        self._ask(question, lambda: self._carry_out(port.rollback, self._rolled_back, name="rollback"))

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
                self._carry_out(partial(port.note, run.name, text), lambda _: None, name="note")

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
            self.say("Its model is in use; go back to the model before first.", good=False)
        else:
            explained = "The run, its figures and its model are gone for good. Your library stays as it is."
            question = ConfirmScreen(f"Delete {run.name}?", explained, "delete it", "keep it")
            self._ask(question, lambda: self._carry_out(partial(port.delete, run.name), lambda _: None, name="delete"))

    def _ask(self, question: ConfirmScreen, then: Callable[[], object]) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                then()

        self.app.push_screen(question, answered)

    def _order(self, port: TrainingPort, run: Run, word: str, said: str = "") -> None:
        """Give an order, and say what it brings once it is given."""
        self._carry_out(partial(port.order, run.name, word), lambda _: self.say(said) if said else None, name=word)

    def _carry_out(self, work: Callable[[], object], then: Callable[..., object], *, name: str) -> None:
        """Do something in a thread, then show what came of it; an error is told."""

        async def carry_out() -> None:
            try:
                answer = await in_thread(work)
            except CarrelError as error:
                self.say(str(error), good=False)
            except Exception:
                _log.exception("%s could not be done", name)
                self.say("That could not be done; the log says why.", good=False)
            else:
                then(answer)
                self.load()

        self.run_worker(carry_out(), group="order", name=name, exit_on_error=False)


def _promotion(run: Run) -> str:
    """Return what a yes would do."""
    doubt = "" if not run.knowingly else "Nobody has proved that it is better: the gate could not judge it. "
    gain = f"It ranked better by {signed(run.gain)} on questions that it never saw. " if run.gain and not doubt else ""
    return (
        f"{doubt or gain}Your library is embedded anew in the background, and the present model serves until that is"
        " done; then one step swaps them. r goes back at any time."
    )


def _too_long(text: str) -> str:
    return f"A note has at most {NOTE_LETTERS} letters." if len(text) > NOTE_LETTERS else ""
