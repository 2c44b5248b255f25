"""The constants that a run has fitted: the default, what is in use, the fitted value, and what that gives."""

from __future__ import annotations

from textual.content import Content

from app.tui.screens.training.line_parts import fitted, heading, said
from app.tui.theme import ALARM, BRIGHT, GOOD, QUIET
from app.tui.training_state import TrainingState
from app.wording.fusion_constants import NAMES, SHORT, value
from app.wording.safe_text import one_line
from engine.figures import counted, figure, interval, signed
from training.protocol import ConstantFit, ConstantsFitted, FoldsMade

COLUMNS = (("default", 9), ("in use", 8), ("fitted", 8), ("gives", 8))  # with the cells that each takes
BETWEEN_CELLS = 20
NAME_CELLS = 23
SHORT_CELLS = 11
EXPLAINED = "What each gives is measured on questions left out: with it, against the default in its place."


def constant_lines(state: TrainingState, width: int) -> list[Content]:
    """Return how the questions are folded, and the table once there is one; nothing for a run that trains a model."""
    lines = _folds(state.folds, width) if state.folds is not None else []
    if state.constants is not None:
        lines += [Content(), *_table(state.constants, width)]
    return lines


def _folds(folds: FoldsMade, width: int) -> list[Content]:
    seen = f"A gain of {figure(folds.smallest_gain)} can be told from chance."
    text = (
        f"{counted(folds.queries, 'question')} in {counted(folds.groups, 'group')}, each left out once, in"
        f" {counted(folds.folds, 'fold')}. {seen}"
    )
    if folds.queries < folds.needed:
        text += f" Fewer than {folds.needed}: it cannot judge."
    return said(text, width, QUIET)


def _table(found: ConstantsFitted, width: int) -> list[Content]:
    roomy = width >= NAME_CELLS + sum(cells for _, cells in COLUMNS)
    names, room = (NAMES, NAME_CELLS) if roomy else (SHORT, SHORT_CELLS)
    between = width >= room + sum(cells for _, cells in COLUMNS) + BETWEEN_CELLS
    head = "".join(f"{name:>{cells}}" for name, cells in COLUMNS) + (f"{'between':>{BETWEEN_CELLS}}" if between else "")
    note = "no other constants held on questions left out" if found.strength is None else ""
    lines = [fitted(heading("Constants of the fusion", note), width)]
    lines.append(fitted(Content.styled(f"{'':<{room}}{head}", QUIET), width))
    named = ((each, names.get(each.name, one_line(each.name))) for each in found.constants)
    lines += [fitted(_row(each, name, room, between=between), width) for each, name in named]
    return [*lines, *said(EXPLAINED, width, QUIET)]


def _row(each: ConstantFit, name: str, room: int, *, between: bool) -> Content:
    moved = each.fitted != each.default
    gain = GOOD if each.low > 0 else ALARM if each.high < 0 else QUIET
    inks = (QUIET, QUIET, f"bold {BRIGHT}" if moved else QUIET, gain)
    texts = (*(value(each.name, number) for number in (each.default, each.used, each.fitted)), signed(each.gain))
    figures = [
        Content.styled(f"{text:>{cells}}", ink) for text, ink, (_, cells) in zip(texts, inks, COLUMNS, strict=True)
    ]
    ends = Content.styled(f"{interval(each.low, each.high):>{BETWEEN_CELLS}}", QUIET) if between else Content()
    return Content.assemble(f"{name:<{room}}", *figures, ends)
