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
from app.tui.screens.training.constants_table import constant_lines
from app.tui.screens.training.followed_run import FollowedRun
from app.tui.screens.training.line_parts import apart, heading, said
from app.tui.screens.training.verdict import ending_lines, verdict_lines
from app.tui.theme import ALARM, BRIGHT, GOOD, QUIET
from app.tui.threads import in_thread
from app.tui.training_follower import read_run
from app.tui.training_port import Run
from app.tui.training_state import TrainingState
from app.tui.widgets.entry_list import Entry, EntryList
from app.tui.widgets.line_views import LineView
from app.wording.safe_text import one_line
from app.wording.times import day
from engine.figures import interval, signed

_VERDICTS = {
    "gain": ("● gain", GOOD),
    "no gain": ("○ no gain", QUIET),
    "worse": ("✗ worse", ALARM),
    "cannot judge": ("? not judged", BRIGHT),
}
_OUTCOMES = {"cancelled": "cancelled", "stopped": "stopped", "failed": "failed"}


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
        self.set_class(not runs, "-empty")
        self.run_list.show(_run_entries(runs, browser_of(self).ports.clock()))
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
    lines = _run_facts(run, state, now, width)
    if state is None:
        return lines
    lines += verdict_lines(state, width, run) or ending_lines(state, run.state, width)
    for part in (constant_lines(state, width), question_lines(state.questions, width)):
        lines += [Content(), *part] if part else []
    return lines


def _run_entries(runs: Sequence[Run], now: float) -> list[Entry]:
    """Return a line for every run, newest first."""
    if not runs:
        return [Entry("none", lambda width: Content.styled("Nothing was retrained here yet.", QUIET))]
    cells = max(len(_standing(run)[0]) for run in runs)
    return [Entry(("run", run.name), partial(_row, run, day(run.started, now), cells), run) for run in runs]


def _row(run: Run, when: str, cells: int, width: int) -> Content:
    """Return a run's line; how it stands takes so many cells at the right."""
    words, ink = _standing(run)
    figures = f"{signed(run.gain)} " if run.gain is not None else ""
    right = Content.assemble((figures, QUIET), (words.ljust(cells), ink))
    left = Content.assemble((one_line(run.name), BRIGHT), (f"  {when}  {one_line(run.recipe)}", QUIET))
    note = f"  {one_line(run.note)}" if run.note else ""
    return apart(Content.assemble(left, (note, QUIET)), right, width)


def _standing(run: Run) -> tuple[str, str]:
    """Return how a run stands, in two words with a sign, and the colour on top of them."""
    if run.use:
        return ("✓ in use", GOOD) if run.use == "in use" else ("… taking over", BRIGHT)
    match run.state:
        case "running":
            return "▶ at work", BRIGHT
        case "waiting":
            return "‖ paused", BRIGHT
        case "crashed":
            return "✗ broke off", ALARM
    if run.verdict in _VERDICTS:
        return _VERDICTS[run.verdict]
    return _OUTCOMES.get(run.outcome, run.outcome or "over"), ALARM if run.outcome == "failed" else QUIET


def _run_facts(run: Run, state: TrainingState | None, now: float, width: int) -> list[Content]:
    """Return the facts of a run, above its verdict."""
    facts = [("recipe", run.recipe), ("from", run.base), ("begun", day(run.started, now))]
    if run.gain is not None and run.low is not None and run.high is not None:
        facts.append(("gain", f"{signed(run.gain)} ({interval(run.low, run.high)})"))
    if state is not None and state.queries:
        facts.append(("learnt from", ", ".join(each.origin for each in state.queries)))
    lines = [heading(one_line(run.name), one_line(_standing(run)[0]))]
    for name, value in facts:
        first, *rest = said(value, width, "", " " * 13)
        lines += [Content.assemble((f"{name:<13}", QUIET), first[13:]), *rest]
    if run.note:
        lines += said(f"“{run.note}”", width, BRIGHT)
    if run.trouble:
        lines += said(f"It could not be taken into use. {run.trouble}", width, ALARM)
    return [*lines, Content()]
