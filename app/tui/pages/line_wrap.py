"""Where a line breaks into rows. Exact, fast for plain text, and never more than the width for anything else.

A row tells what stood before it where the screen broke its line, so that the line is whole again where it is copied.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from rich.cells import get_character_cell_size
from textual.content import Content
from textual.style import Style

# Signs that take one cell each, so that cells can be counted as code points.
_NARROW = re.compile("[\x20-\x7e\xa0-\xac\xae-\u02ff\u0390-\u03ce\u0400-\u0482\u2010-\u2027\u2030-\u205e\u2190-\u21ff"
                     "\u2400-\u2421\u2500-\u257f\u2580-\u259f]*")  # fmt: skip
_WIDENS = "\ufe0f"  # shows the sign before it as a picture, two cells wide
ONE_ROW = (0,)
BROKEN = "broken"  # under which a row has the blanks at which the screen broke its line, "" where there were none


def row_starts(text: str, width: int, hang: int = 0) -> tuple[int, ...]:
    """Return where in `text` its rows of at most `width` cells begin; the rows after the first are moved in by `hang`.

    Rows break behind a space where there is one, else anywhere.
    """
    width = max(2, width)
    hang = hang if hang <= width // 2 else 0
    if _NARROW.fullmatch(text):
        return ONE_ROW if len(text) <= width else _narrow_starts(text, width, hang)
    return _wide_starts(text, width, hang)


def row_of(
    line: Content,
    starts: Sequence[int],
    row: int,
    width: int,
    hang: int = 0,
    edge: Content = Content(),  # noqa: B008  # never changed
) -> Content:
    """Return one of the rows that row_starts found; those after the first are moved in, with `edge` before them."""
    end = starts[row + 1] if row + 1 < len(starts) else len(line.plain)
    end = starts[row] + len(line.plain[starts[row] : end].rstrip(" "))
    part = line[starts[row] : end]
    if not row:
        return part
    before = line.plain[starts[row - 1] : starts[row]]
    part = going_on(part, before[len(before.rstrip(" ")) :])
    if not hang or hang > width // 2:
        return part
    return Content.assemble(edge, " " * (hang - edge.cell_length), part)


def going_on(row: Content, blanks: str) -> Content:
    """Return a row that goes on with the one before; `blanks` stood where the screen broke their line."""
    return row.stylize(_broken_at(blanks))


@cache
def _broken_at(blanks: str) -> Style:
    return Style.from_meta({BROKEN: blanks})


def _narrow_starts(text: str, width: int, hang: int) -> tuple[int, ...]:
    starts, at, room, length = [0], 0, width, len(text)
    words = length - len(text.lstrip(" │"))  # a break inside the indentation would make an empty row
    while length - at > room:
        space = text.rfind(" ", max(at, words), at + room + 1)
        at = space + 1 if space > at else at + room
        if at >= length:
            break
        starts.append(at)
        room = width - hang
    return tuple(starts)


def _wide_starts(text: str, width: int, hang: int) -> tuple[int, ...]:
    starts, room, cells, space = [0], width, 0, 0
    spaced = 0  # cells of the row up to behind its last space
    for place, sign in enumerate(text):
        cells_of_sign = 1 if sign == _WIDENS else get_character_cell_size(sign)
        if cells + cells_of_sign > room and sign != " ":
            if space > starts[-1]:
                starts.append(space)
                cells -= spaced
            else:
                starts.append(place)
                cells = 0
            room = width - hang
        cells += cells_of_sign
        if sign == " ":
            space, spaced = place + 1, cells
    return tuple(starts)
