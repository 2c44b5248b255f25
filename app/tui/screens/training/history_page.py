"""The page of all runs: a line each, and what is known of the selected one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.getters import query_one

from app.tui.background import in_background
from app.tui.browser import browser_of
from app.tui.screens.training.before_after import question_lines
from app.tui.screens.training.followed_run import FollowedRun
from app.tui.screens.training.run_history import about_lines, run_entries
from app.tui.screens.training.verdict import ending_lines, verdict_lines
from app.tui.threads import in_thread
from app.tui.training_follower import read_run
from app.tui.training_port import Run
from app.tui.training_state import TrainingState
from app.tui.widgets.entry_list import EntryList
from app.tui.widgets.line_views import LineView


class HistoryPage(Container):
    """The runs, newest first, and beside them the facts and the verdict of the selected one."""

    run_list = query_one("#runs", EntryList)
    about = query_one("#about", LineView)

    def __init__(self, followed: FollowedRun) -> None:
        super().__init__(id="history", classes="page")
        self._followed = followed  # its state is known; that of others is read when they are selected
        self.past: dict[str, TrainingState] = {}  # of the run that was last selected and is not followed
        self._runs: Sequence[Run] = ()

    def compose(self) -> ComposeResult:
        """Lay out both sides."""
        yield EntryList(id="runs")
        yield LineView(id="about")

    def on_mount(self) -> None:
        """Leave the keys to the runs."""
        self.about.can_focus = False

    @property
    def selected(self) -> Run | None:
        """The selected run."""
        entry = self.run_list.entry
        return entry.value if entry is not None and isinstance(entry.value, Run) else None

    def show_runs(self, runs: Sequence[Run]) -> None:
        """Show all runs."""
        unchanged = {run.name for run in runs if run in self._runs}
        self.past = {name: state for name, state in self.past.items() if name in unchanged}
        self._runs = runs
        self.run_list.show(run_entries(runs, browser_of(self).ports.clock()))
        self._show_about()

    @on(EntryList.Selected, "#runs")
    def _show_about(self) -> None:
        run = self.selected
        if run is None:
            self.about.show(lambda width: [])
            return
        known = self._followed.state if run.name == self._followed.name else self.past.get(run.name)
        self.about.show(partial(_about, run, known, browser_of(self).ports.clock()))
        if known is None:
            read = partial(self._read_past, run.name)
            in_background(self, read, "past", exclusive=True, failed="The runs could not be looked at")

    async def _read_past(self, name: str) -> None:
        port = browser_of(self).ports.training
        self.past = {name: await in_thread(lambda: read_run(port.events(name)))}
        self._show_about()


def _about(run: Run, state: TrainingState | None, now: float, width: int) -> list[Content]:
    lines = about_lines(run, state, now, width)
    if state is None:
        return lines
    lines += verdict_lines(state, width, run) or ending_lines(state, run.state, width)
    questions = question_lines(state.questions, width)
    return [*lines, Content(), *questions] if questions else lines
