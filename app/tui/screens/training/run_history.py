"""The runs so far: a line each, and what is known of the selected one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from textual.content import Content

from app.tui.screens.training.line_parts import apart, heading, said
from app.tui.theme import ACCENT, ALARM, BRIGHT, GOOD, QUIET
from app.tui.training_port import Run
from app.tui.training_state import TrainingState
from app.tui.widgets.entry_list import Entry
from app.wording.figures import interval, signed
from app.wording.safe_text import one_line
from app.wording.times import day


def run_entries(runs: Sequence[Run], now: float) -> list[Entry]:
    """Return a line for every run, newest first."""
    if not runs:
        return [Entry("none", lambda width: Content.styled("Nothing was retrained here yet.", QUIET))]
    return [Entry(("run", run.name), partial(_row, run, day(run.started, now)), run) for run in runs]


def _row(run: Run, when: str, width: int) -> Content:
    words, ink = standing(run)
    figures = f"{signed(run.gain)} " if run.gain is not None else ""
    right = Content.assemble((figures, QUIET), (f"{words:<14}", ink))
    left = Content.assemble((one_line(run.name), BRIGHT), (f"  {when}  {one_line(run.recipe)}", QUIET))
    note = f"  {one_line(run.note)}" if run.note else ""
    return apart(Content.assemble(left, (note, QUIET)), right, width)


_VERDICTS = {
    "gain": ("● gain", GOOD),
    "no gain": ("○ no gain", QUIET),
    "worse": ("✗ worse", ALARM),
    "cannot judge": ("? not judged", ACCENT),
}
_OUTCOMES = {"cancelled": "cancelled", "stopped": "stopped", "failed": "failed"}


def standing(run: Run) -> tuple[str, str]:
    """Return how a run stands, in two words with a sign, and the colour on top of them."""
    if run.use:
        return ("✓ in use", GOOD) if run.use == "in use" else ("… taking over", ACCENT)
    match run.state:
        case "running":
            return "▶ at work", ACCENT
        case "waiting":
            return "‖ paused", ACCENT
        case "crashed":
            return "✗ broke off", ALARM
    if run.verdict in _VERDICTS:
        return _VERDICTS[run.verdict]
    return _OUTCOMES.get(run.outcome, run.outcome or "over"), ALARM if run.outcome == "failed" else QUIET


def about_lines(run: Run, state: TrainingState | None, now: float, width: int) -> list[Content]:
    """Return the facts of a run, above its verdict."""
    facts = [("recipe", run.recipe), ("from", run.base), ("begun", day(run.started, now))]
    if run.gain is not None and run.low is not None and run.high is not None:
        facts.append(("gain", f"{signed(run.gain)} ({interval(run.low, run.high)})"))
    if state is not None and state.queries:
        facts.append(("learnt from", ", ".join(each.origin for each in state.queries)))
    lines = [heading(one_line(run.name), one_line(standing(run)[0]))]
    for name, value in facts:
        first, *rest = said(value, width, "", " " * 13)
        lines += [Content.assemble((f"{name:<13}", QUIET), first[13:]), *rest]
    if run.note:
        lines += said(f"“{run.note}”", width, BRIGHT)
    if run.trouble:
        lines += said(f"It could not be taken into use. {run.trouble}", width, ALARM)
    return [*lines, Content()]
