"""Charts made of characters: an area in braille dots, and an interval as a dot with whiskers. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # by row and column of a braille cell
_BLANK = 0x2800
DOTS_WIDE, DOTS_HIGH = 2, 4  # of one cell


def area(values: Sequence[float], width: int, height: int, low: float, high: float) -> list[str]:
    """Draw values over `width` x `height` cells, the first at the left edge, `high` at the top, as `height` lines.

    Every dot below a value is set, so the least one still shows a row of dots. Fewer values than there are dots are
    spread over the width, more are drawn as the means of neighbours.
    """
    if width <= 0 or height <= 0:
        return []
    cells = [[0] * width for _ in range(height)]
    for column, value in enumerate(_resampled(values, width * DOTS_WIDE)):
        for dot in range(_row(value, height * DOTS_HIGH, low, high), height * DOTS_HIGH):
            cells[dot // DOTS_HIGH][column // DOTS_WIDE] |= _DOTS[dot % DOTS_HIGH][column % DOTS_WIDE]
    return ["".join(chr(_BLANK + dots) if dots else " " for dots in line) for line in cells]


def _row(value: float, rows: int, low: float, high: float) -> int:
    """Return the row of dots for a value, 0 at the top."""
    if not math.isfinite(value) or high <= low:
        return rows // 2
    share = (high - value) / (high - low)
    return max(0, min(rows - 1, round(share * (rows - 1))))


def _resampled(values: Sequence[float], count: int) -> list[float]:
    """Return `count` values: means of neighbours where there are more, straight lines between where there are fewer."""
    if not values:
        return []
    if len(values) >= count:
        edges = [place * len(values) // count for place in range(count + 1)]
        return [sum(values[a:b]) / (b - a) for a, b in pairwise(edges)]
    if len(values) == 1:
        return [values[0]] * count
    return [_between(values, place * (len(values) - 1) / (count - 1)) for place in range(count)]


def _between(values: Sequence[float], at: float) -> float:
    left = min(int(at), len(values) - 2)
    return values[left] + (values[left + 1] - values[left]) * (at - left)


def whisker(low: float, middle: float, high: float, least: float, most: float, width: int) -> str:
    """Draw an interval on a scale from `least` to `most`: ├──●──┤, with │ where the scale has its nought.

    An end that lies outside the scale has an arrow.
    """
    if width <= 0 or most <= least:
        return ""

    def column(value: float) -> int:
        return max(0, min(width - 1, round((value - least) / (most - least) * (width - 1))))

    cells = [" "] * width
    if least <= 0 <= most:
        cells[column(0)] = "│"
    left, right = column(low), column(high)
    for place in range(left, right + 1):
        cells[place] = "┼" if cells[place] == "│" else "─"
    cells[left] = "├" if low >= least else "◂"
    cells[right] = "┤" if high <= most else "▸"
    cells[column(middle)] = "●"
    return "".join(cells)
