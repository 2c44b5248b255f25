"""The curve of agreement by threshold, with the cut carried over and the one fitted anew drawn into it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from app.tui.screens.training.line_parts import fitted, heading, said
from app.tui.theme import ALARM, FAINT, GOOD, MEANING, QUIET
from app.tui.widgets.chart import area
from app.wording.beside import cut_said
from engine.figures import figure

if TYPE_CHECKING:
    from engine.evaluation.model_agreement import ThresholdCurve

AXIS_CELLS = 8
CARRIED, FITTED = "╎", "┃"  # told apart without colour
LEAST_ROWS = 3


def curve_lines(curve: ThresholdCurve | None, width: int, rows: int) -> list[Content]:
    """Return kappa by the candidate's threshold above, agreement below it, and what either cut reaches."""
    if curve is None:
        nothing = "There is no curve yet: the cuts of the model in use were not fitted, or no search was asked of both."
        return [heading("By threshold"), *said(nothing, width, QUIET)]
    rows = max(LEAST_ROWS, rows)
    kappa = [max(0.0, each.kappa) for each in curve.points]
    agreement = [each.agreement for each in curve.points]
    return [
        fitted(heading("Kappa", "by threshold of the model beside"), width),
        *_drawn(curve, kappa, width, rows, MEANING, ("1", "0")),
        fitted(heading("Agreement", "the same, chance left in"), width),
        *_drawn(curve, agreement, width, max(LEAST_ROWS, rows - 1), QUIET, ("100 %", "0 %")),
        _scale(curve, width),
        *_cut_lines(CARRIED, ALARM, cut_said("carried over", curve.carried), width),
        *_cut_lines(FITTED, GOOD, cut_said("fitted anew", curve.fitted), width),
    ]


def _drawn(
    curve: ThresholdCurve, values: Sequence[float], width: int, rows: int, ink: str, ends: tuple[str, str]
) -> list[Content]:
    """Return a curve from 0 to 1 with both cuts as upright lines."""
    cells = max(1, width - AXIS_CELLS)
    names = [ends[0], *[""] * (rows - 2), ends[1]]
    lines = []
    for name, line in zip(names, area(values, cells, rows, 0.0, 1.0), strict=True):
        axis = Content.assemble((f"{name:>{AXIS_CELLS - 2}} ", QUIET), ("┤" if name else "│", FAINT))
        lines.append(Content.assemble(axis, _with_cuts(curve, line, cells, ink)))
    return lines


def _with_cuts(curve: ThresholdCurve, line: str, cells: int, ink: str) -> Content:
    signs = {_column(curve, curve.carried.cut, cells): (CARRIED, ALARM)}
    signs[_column(curve, curve.fitted.cut, cells)] = (FITTED, GOOD)
    pieces = [signs.get(at, (sign, ink)) for at, sign in enumerate(line)]
    return Content.assemble(*pieces)


def _column(curve: ThresholdCurve, cut: float, cells: int) -> int:
    """Return the cell of a cut; one that lies outside of all cosines stands at the edge."""
    least, most = curve.points[0].cut, curve.points[-1].cut
    if most <= least:
        return 0
    return max(0, min(cells - 1, round((cut - least) / (most - least) * (cells - 1))))


def _scale(curve: ThresholdCurve, width: int) -> Content:
    least, most = figure(curve.points[0].cut, 2), figure(curve.points[-1].cut, 2)
    room = max(1, width - AXIS_CELLS - len(least) - len(most))
    return fitted(Content.styled(f"{'cosine':>{AXIS_CELLS - 2}}  {least}{' ' * room}{most}", QUIET), width)


def _cut_lines(sign: str, ink: str, text: str, width: int) -> list[Content]:
    first, *rest = said(text, width - 2)
    return [Content.assemble((f"{sign} ", ink), first), *(Content.assemble("  ", line) for line in rest)]
