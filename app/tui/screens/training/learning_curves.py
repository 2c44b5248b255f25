"""How training goes: loss and learning rate as curves, pace and memory, and every evaluation against the base."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.content import Content

from app.tui.screens.training.line_parts import apart, fitted, heading
from app.tui.theme import ALARM, BRIGHT, FAINT, GOOD, MEANING, QUIET
from app.tui.training_state import TrainingState
from app.tui.widgets.chart import area, whisker
from engine.figures import count, figure, interval, percent, signed, size
from training.protocol import Evaluated

AXIS_CELLS = 8
RATE_ROWS = 2
LEAST_LOSS_ROWS, MOST_LOSS_ROWS = 3, 8
LEAST_WHISKER_CELLS, MOST_WHISKER_CELLS = 15, 37
STEP_CELLS, SCORE_CELLS, INTERVAL_CELLS = 21, 13, 18
HIGH_ENOUGH = 22  # lines; below them the learning rate has no curve of its own
_STEPS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1.0)  # ends of the scale of differences


def learning_lines(state: TrainingState, width: int, height: int) -> list[Content]:
    """Return the curves, as high as leaves room for figures and evaluations."""
    table = factor_lines(state.evaluations, width)
    evaluations = [*table, *([Content()] if table else []), *evaluation_lines(state.evaluations, width)]
    rate = height >= HIGH_ENOUGH
    others = 2 + (1 + RATE_ROWS if rate else 0) + (len(evaluations) + 1 if evaluations else 0)
    rows = max(LEAST_LOSS_ROWS, min(MOST_LOSS_ROWS, height - others))
    lines = loss_lines(state, width, rows)
    lines += rate_lines(state, width) if rate else []
    lines.append(figures_line(state, width))
    return [*lines, Content(), *evaluations] if evaluations else lines


def factor_lines(evaluations: Sequence[Evaluated], width: int) -> list[Content]:
    """Return the table of a model for late interaction: NDCG@10 by factor of pooling, before and after."""
    table = evaluations[-1].factors if evaluations else ()
    if not table:
        return []
    rows = [Content.styled("factor   before    after", QUIET)]
    rows += [
        Content.assemble(
            f"{factor:>6}   {figure(base):>6}   ",
            (f"{figure(candidate):>6}", BRIGHT),
            f"   {signed(candidate - base)}",
        )
        for factor, base, candidate in table
    ]
    return [heading("By words that share a vector"), *(row.truncate(width) for row in rows)]


def loss_lines(state: TrainingState, width: int, rows: int) -> list[Content]:
    """Return the loss as a curve with its scale; the least and the greatest loss so far are its ends."""
    losses = [point.loss for point in state.curve.points]
    step = state.stepped
    where = f"epoch {step.epoch:.1f}  step {count(step.step)} of {count(step.of)}  " if step is not None else ""
    now = Content.assemble((where, QUIET), (figure(losses[-1]) if losses else "no step yet", f"bold {BRIGHT}"))
    return [apart(heading("Loss"), now, width), *_plot(losses, width, rows, MEANING, lambda value: figure(value, 2))]


def rate_lines(state: TrainingState, width: int) -> list[Content]:
    """Return the learning rate as a curve from nought."""
    rates = [point.learning_rate for point in state.curve.points]
    now = Content.styled(_rate(rates[-1]) if rates else "", QUIET)
    return [apart(heading("Learning rate"), now, width), *_plot(rates, width, RATE_ROWS, QUIET, _rate, 0.0)]


def _rate(value: float) -> str:
    """Return a learning rate: 3e-6, 2.4e-6, 0."""
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}"


def _plot(
    values: Sequence[float], width: int, rows: int, ink: str, name: Callable[[float], str], floor: float | None = None
) -> list[Content]:
    """Return a curve with its greatest value at the top of the axis and its least at the bottom."""
    if not values:
        return [Content() for _ in range(rows)]
    low, high = min(values) if floor is None else floor, max(values)
    drawn = area(values, max(1, width - AXIS_CELLS), rows, low, high)
    names = [name(high), *[""] * (rows - 2), name(low)] if rows > 1 else [name(high)]
    return [
        Content.assemble((f"{text:>{AXIS_CELLS - 2}} ", QUIET), ("│" if not text else "┤", FAINT), (line, ink))
        for text, line in zip(names, drawn, strict=True)
    ]


def figures_line(state: TrainingState, width: int) -> Content:
    """Return pace, memory and drift."""
    step, parts = state.stepped, []
    if step is not None:
        parts = [f"{step.triples_per_second:.1f} triples/s", f"memory {size(step.memory)}"]
    if state.evaluations:
        parts.append(f"drift {figure(state.evaluations[-1].drift)}")
    return fitted(Content.styled("  ·  ".join(parts) or "how fast it goes is not known yet", QUIET), width)


def evaluation_lines(evaluations: Sequence[Evaluated], width: int) -> list[Content]:
    """Return every evaluation as a dot with whiskers about the base, the newest first."""
    if not evaluations:
        return []
    head = heading("Development NDCG@10", f"base {figure(evaluations[-1].base)}")
    left = max(head.cell_length, STEP_CELLS + SCORE_CELLS) + 2
    told = width >= left + INTERVAL_CELLS + LEAST_WHISKER_CELLS
    left += INTERVAL_CELLS if told else 0
    cells = min(MOST_WHISKER_CELLS, width - left)
    cells = cells if cells >= LEAST_WHISKER_CELLS else 0
    end, best = scale(evaluations), max(evaluations, key=lambda each: each.candidate)
    lines = [fitted(Content.assemble(_filled(head, left), (_ends(end, cells), QUIET)), width)]
    for each in reversed(evaluations):
        table = _filled(_evaluation(each, told=told, best=each is best), left)
        drawn = whisker(each.low, each.candidate - each.base, each.high, -end, end, cells)
        lines.append(fitted(Content.assemble(table, (drawn, _ink(each))) if cells else table, width))
    return lines


def _filled(line: Content, cells: int) -> Content:
    return Content.assemble(line, " " * max(0, cells - line.cell_length))


def _ink(each: Evaluated) -> str:
    return GOOD if each.low > 0 else ALARM if each.high < 0 else QUIET


def _evaluation(each: Evaluated, *, told: bool, best: bool) -> Content:
    """Return the figures of one evaluation, of a mixture with the share of the tuned model; `told`: interval."""
    what = f"{percent(each.share)} tuned, step {count(each.step)}" if each.mixed else f"step {count(each.step)}"
    return Content.assemble(
        (f"{what:<{STEP_CELLS}}", QUIET),
        (figure(each.candidate), f"bold {BRIGHT}" if best else ""),
        (f"  {signed(each.candidate - each.base):<{SCORE_CELLS - 6}}", _ink(each)),
        (interval(each.low, each.high) if told else "", QUIET),
    )


def scale(evaluations: Sequence[Evaluated]) -> float:
    """Return the end of a scale about nought that holds every interval, as a round number."""
    reach = max(max(abs(each.low), abs(each.high)) for each in evaluations)
    return next((step for step in _STEPS if step >= reach), 1.0)


def _ends(end: float, cells: int) -> str:
    """Return the scale: its ends and the base between them."""
    left, right, middle = signed(-end), signed(end), "base"
    room = cells - len(left) - len(right) - len(middle)
    return f"{left}{' ' * (room // 2)}{middle}{' ' * (room - room // 2)}{right}" if room >= 2 else ""
