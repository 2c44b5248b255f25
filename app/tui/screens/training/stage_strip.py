"""The strip at the top of a run: its stages, how far each is, and how long it will still take."""

from __future__ import annotations

from itertools import pairwise

from textual.content import Content

from app.tui.screens.training.line_parts import apart, fitted, meter
from app.tui.theme import ALARM, BRIGHT, GOOD, MEANING, QUIET
from app.tui.training_port import RunState
from app.tui.training_state import TrainingState
from app.wording.safe_text import one_line
from app.wording.times import duration, estimate
from engine.figures import percent
from training.protocol import STAGES

BAR_CELLS = 12
_GAP = "   "
OF_FUSION = {"mining": "candidates", "training": "fitting"}  # what these stages are in a run that fits the fusion


def strip(state: TrainingState, run: RunState, width: int) -> Content:
    """Return the stages in one line; where there is no room, the bar and the times of past stages go first."""
    left = Content.styled(time_left(state, run), QUIET)
    for times, bar in ((True, True), (False, True), (False, False)):
        stages = Content(_GAP).join(_stage(state, run, name, times=times, bar=bar) for name in STAGES)
        if stages.cell_length + 2 + left.cell_length <= width:
            return apart(stages, left, width)
    tight = Content("  ").join(_stage(state, run, name, times=False, bar=False) for name in STAGES)
    return apart(tight, left, width) if tight.cell_length + 2 + left.cell_length <= width else fitted(tight, width)


def share_done(state: TrainingState) -> float | None:
    """Return how far the present stage is, 0 to 1; None where it does not say."""
    if state.stage == "training" and state.stepped is not None and state.stepped.of:
        return min(1.0, state.stepped.step / state.stepped.of)
    if state.stage == "mining" and state.mined is not None and state.mined.of:
        return min(1.0, state.mined.queries / state.mined.of)
    return None


def time_left(state: TrainingState, run: RunState) -> str:
    """Return how long it will still take, or how it stands, in a few words."""
    if state.finished is not None:
        return f"{_OUTCOMES.get(state.finished.outcome, 'over')} after {duration(state.took)}"
    if state.failed is not None:
        return "ended by an error"
    if run == "crashed":
        return "broken off"
    if state.paused:
        return "waits for your review, e begins" if state.review is not None else "paused, o goes on"
    if state.preparing is not None:
        done, of = state.preparing.done, state.preparing.of
        return f"{one_line(state.preparing.what)}{f' {percent(done / of)}' if of else ' …'}"
    step = state.stepped
    if state.stage == "training" and step is not None and step.seconds_left is not None:
        return f"{estimate(step.seconds_left)} left"
    told = state.splits.seconds if state.splits is not None else None
    told = told or (state.started.seconds if state.started is not None else None)
    return f"about {estimate(told)} in all" if told is not None and state.stage in ("", "queries", "mining") else ""


_OUTCOMES = {"promotable": "done", "not promotable": "done", "stopped": "stopped", "cancelled": "cancelled"}


def _stage(state: TrainingState, run: RunState, name: str, *, times: bool, bar: bool) -> Content:
    """Return one stage: what is over, what is under way, what is still to come."""
    at, here = STAGES.index(name), STAGES.index(state.stage) if state.stage in STAGES else -1
    stage, name = name, OF_FUSION.get(name, name) if state.folds is not None else name
    whole = state.finished is not None and state.finished.outcome != "cancelled"
    if _left_out(state, stage):
        return Content.styled(f"· {name}", QUIET)
    if at < here or (at == here and whole):
        took = _took(state, stage) if times else ""
        return Content.assemble(("✓ ", GOOD), name, (f" {took}" if took else "", QUIET))
    if at > here or (state.finished is not None and at == here):
        return Content.styled(f"{'·' if at > here else '✗'} {name}", QUIET)
    if state.failed is not None or run == "crashed":
        return Content.assemble(("✗ ", ALARM), (name, f"bold {ALARM}"))
    share = share_done(state)
    shown = "" if share is None else f" {percent(share)}"
    line = Content.assemble(("‖ " if state.paused else "▶ ", BRIGHT), (name + shown, f"bold {BRIGHT}"))
    return Content.assemble(line, " ", meter(share, BAR_CELLS, MEANING)) if bar and share is not None else line


def _left_out(state: TrainingState, stage: str) -> bool:
    """Whether a run that was stopped went through a stage without doing anything in it."""
    if state.finished is None or state.finished.outcome != "stopped":
        return False
    judged = state.judged is not None and state.judged.queries > 0
    return not {"judging": judged, "export": bool(state.finished.model) or state.folds is not None}.get(stage, True)


def _took(state: TrainingState, name: str) -> str:
    """Return how long a past stage took, "" where it is not known."""
    last = state.finished.at if state.finished is not None else state.at
    moments = sorted((moment, stage) for stage, moment in state.begun.items())
    for (start, stage), (end, _) in pairwise([*moments, (last, "")]):
        if stage == name:
            return duration(end - start)
    return ""
