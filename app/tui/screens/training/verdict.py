"""The verdict of the gate in plain words, and the table behind it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content

from app.tui.screens.training.learning_curves import LEAST_WHISKER_CELLS, MOST_WHISKER_CELLS
from app.tui.screens.training.line_parts import fitted, heading, said
from app.tui.theme import ALARM, BRIGHT, GOOD, QUIET
from app.tui.training_port import Run
from app.tui.training_state import TrainingState
from app.tui.widgets.chart import whisker
from app.wording.safe_text import one_line
from app.wording.times import duration
from engine.figures import confidence, count, counted, figure, interval, signed
from training.protocol import Judged, Measure

_SIGNS = {"gain": ("●", GOOD), "no gain": ("○", QUIET), "worse": ("✗", ALARM), "cannot judge": ("?", BRIGHT)}
WORST_GENERAL = -0.01  # as the gate has it: below it the model may have lost sense in general
GAP = " " * 3
COLUMNS = (("before", 8), ("after", 8), ("difference", 11), ("between", 16))  # with the cells that each takes
LEAST_NAME_CELLS = 8


def headline(judged: Judged) -> str:
    """Return the verdict as one sentence, with the figures that it rests on."""
    first = judged.measures[0] if judged.measures else None
    asked = counted(judged.queries, "question")
    if judged.verdict == "cannot judge":
        if not judged.queries:
            return "It cannot be judged: no question whose answer is known was held out."
        least = figure(judged.smallest_gain)
        return f"It cannot be judged: {asked} held out could show only a gain above {least}."
    if first is None:
        return _BARE.get(judged.verdict, one_line(judged.verdict))
    found = f"{signed(first.candidate - first.base)} ({confidence(judged.alpha)} between {_between(first)}, {asked})"
    match judged.verdict:
        case "gain":
            return f"Better on questions that it never saw: {found}."
        case "no gain" if within_chance(first):
            return f"No gain found: the difference is within chance ({interval(first.low, first.high)}, {asked})."
        case "worse":
            return f"Worse on questions that it never saw: {found}."
    return _BARE.get(judged.verdict, one_line(judged.verdict))


_BARE = {
    "gain": "Better on questions that it never saw.",
    "no gain": "No gain found that could be used.",
    "worse": "Worse on questions that it never saw.",
}


def within_chance(measure: Measure) -> bool:
    """Whether an interval holds 0."""
    return measure.low <= 0 <= measure.high


def general_sense(judged: Judged) -> str:
    """Return what became of the sense of language in general, where it was asked for."""
    general = next((each for each in judged.measures if each.name.startswith("general")), None)
    if general is None:
        return ""
    if general.low > WORST_GENERAL:
        return "General sense of language unchanged."
    return f"General sense of language may have suffered: {interval(general.low, general.high)}."


def consequence(judged: Judged, *, promotable: bool) -> str:
    """Return what this means for the library, and what the person can do now."""
    if judged.verdict == "gain" and promotable:
        return "Nothing has changed yet. u takes it into use; the way back stays open."
    if judged.verdict == "cannot judge" and promotable:
        return "Nothing was changed. u takes it into use all the same, knowing that nobody has proved it better."
    if judged.verdict == "worse":
        return "Nothing was changed, and it is not offered for use."
    return "Nothing was changed: the library is searched as before."


def _between(measure: Measure) -> str:
    return f"{signed(measure.low)} and {signed(measure.high)}"


def verdict_lines(state: TrainingState, width: int, run: Run | None = None) -> list[Content]:
    """Return the verdict with its reason, what it means, what would help, and the table."""
    promotable, use = run is not None and run.promotable, _USES.get(run.use, "") if run is not None else ""
    judged = state.judged
    if judged is None:
        return []
    sign, ink = _SIGNS.get(judged.verdict, ("·", QUIET))
    head = said(headline(judged), width - 2, f"bold {BRIGHT}")
    lines = [Content.assemble((f"{sign if not place else ' '} ", ink), line) for place, line in enumerate(head)]
    if judged.reason and not _told(judged):
        lines += said(judged.reason, width, "", "  ")
    if general := general_sense(judged):
        lines += said(general, width, "", "  ")
    lines += said(use or consequence(judged, promotable=promotable), width, QUIET, "  ")
    if run is not None and run.trouble:
        lines += said(f"It could not be taken into use. {run.trouble}", width, ALARM, "  ")
    if judged.advice:
        lines += [Content(), heading("What would help")]
        for each in judged.advice:
            first, *rest = said(each, width, "", "  ")
            lines += [Content.assemble(("· ", QUIET), first[2:]), *rest]
    return [*lines, Content(), *table(judged.measures, width)] if judged.measures else lines


_USES = {"in use": "It is in use; r goes back to what was before.", "building": "It is being taken into use."}


def _told(judged: Judged) -> bool:
    """Whether the headline says all that the gate's reason says."""
    if judged.verdict == "cannot judge":
        return True
    return bool(judged.measures) and (judged.verdict != "no gain" or within_chance(judged.measures[0]))


def table(measures: Sequence[Measure], width: int) -> list[Content]:
    """Return every measure before and after, with the difference, its interval, and, where there is room, a picture."""
    columns = [name for place, (name, _) in enumerate(COLUMNS) if width >= LEAST_NAME_CELLS + _taken(place + 1)]
    names = [one_line(each.name) for each in measures]
    room = max(LEAST_NAME_CELLS, min(max(map(cell_len, names)), width - _taken(len(columns))))
    left = width - room - _taken(len(COLUMNS)) - len(GAP)
    cells = min(MOST_WHISKER_CELLS, left) if left >= LEAST_WHISKER_CELLS else 0
    head = "".join(f"{name:>{wide}}" for name, wide in COLUMNS[: len(columns)])
    lines = [fitted(Content.assemble((f"{'Measure':<{room}}", f"bold {BRIGHT}"), (head, QUIET)), width)]
    scale = min(0.0, *(each.low for each in measures)), max(0.001, *(each.high for each in measures))
    for name, each in zip(names, measures, strict=True):
        ink = GOOD if each.low > 0 else ALARM if each.high < 0 else ""
        drawn = whisker(each.low, each.candidate - each.base, each.high, *scale, cells)
        short = Content(name).truncate(room, ellipsis=True)
        padding = " " * (room - short.cell_length)
        line = Content.assemble(short, padding, *_figures(each, ink)[: len(columns)], GAP, (drawn, ink or QUIET))
        lines.append(line.truncate(width))
    return lines


def _taken(columns: int) -> int:
    return sum(cells for _, cells in COLUMNS[:columns])


def _figures(each: Measure, ink: str) -> list[Content]:
    """Return the columns of one measure."""
    texts = (
        (figure(each.base), QUIET),
        (figure(each.candidate), ""),
        (signed(each.candidate - each.base), ink),
        (interval(each.low, each.high), QUIET),
    )
    return [Content.styled(f"{text:>{cells}}", style) for (text, style), (_, cells) in zip(texts, COLUMNS, strict=True)]


def ending_lines(state: TrainingState, run: str, width: int) -> list[Content]:
    """Return how a run ended that has no verdict: by an error, by order, or without a word."""
    if state.failed is not None:
        lines = said(f"✗ {state.failed.message}", width, f"bold {ALARM}")
        return [*lines, *(said(state.failed.fix, width, "", "  ") if state.failed.fix else [])]
    if state.finished is not None and state.finished.outcome == "cancelled":
        took = duration(state.took)
        return said(f"Cancelled after {took}. Nothing was kept, and nothing was changed.", width, f"bold {BRIGHT}")
    if state.finished is not None:
        kept = f" Its model is kept as {state.finished.model}." if state.finished.model else ""
        return said(f"Stopped after {duration(state.took)}, and not judged.{kept}", width, f"bold {BRIGHT}")
    if run == "crashed":
        return [
            *said(f"✗ This run broke off{_where(state)}: its process is gone.", width, f"bold {ALARM}"),
            *said("Your library is as it was. o goes on from its last checkpoint, D deletes the run.", width, "", "  "),
        ]
    return []


def _where(state: TrainingState) -> str:
    if state.stage == "training" and state.stepped is not None:
        return f" in training, at step {count(state.stepped.step)} of {count(state.stepped.of)}"
    return f" in {one_line(state.stage)}" if state.stage else ""
