"""Text set in the cells of a terminal: how wide it is, cut and filled to a width, and in columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from app.wording.safe_text import one_line

# each of these signs takes one cell: Latin, Greek, Cyrillic, dashes and quotes, arrows, boxes, blocks, shapes
_ONE_CELL = re.compile(
    "[ -~\xa0-\xac\xae-\u02ff\u0386-\u0482\u048a-\u052f\u2010-\u2027\u2030-\u205e\u2190-\u2199\u2500-\u25fc]*"
)


def width(text: str) -> int:
    """Return how many cells a text takes, as the screen counts them."""
    if _ONE_CELL.fullmatch(text):
        return len(text)
    from rich.cells import cell_len  # 10 ms that most lines of a command never need

    return cell_len(text)


def padded(text: str, cells: int, *, right: bool = False) -> str:
    """Fill a text with spaces to a number of cells, in front of it where `right`."""
    spaces = " " * max(0, cells - width(text))
    return spaces + text if right else text + spaces


def cut(text: str, cells: int) -> str:
    """Return `text`, or as much of its front as fits into a number of cells with an ellipsis."""
    return _cut(text, cells, lambda kept: kept[:-1], "", "…")


def cut_front(text: str, cells: int) -> str:
    """Return `text`, or as much of its end as fits into a number of cells, so that a path keeps its name."""
    return _cut(text, cells, lambda kept: kept[1:], "…", "")


def _cut(text: str, cells: int, shorter: Callable[[str], str], before: str, after: str) -> str:
    if width(text) <= cells:
        return text
    while text and width(text) >= cells:
        text = shorter(text)
    return before + text + after if cells > 0 else ""


def fold_words(text: str, cells: int, *, first: int) -> list[str]:
    """Return a text in lines of so many cells, the first of `first`; only a word longer than a line is parted."""
    lines, room = [""], max(1, first)
    for word in text.split():
        gap = " " if lines[-1] else ""
        if gap and width(gap + word) > room:
            gap, room = "", max(1, cells)
            lines.append("")
        while width(word) > room:
            fitting = _signs_within(word, room)
            lines[-1:] = [word[:fitting], ""]
            word, room = word[fitting:], max(1, cells)
        lines[-1] += gap + word
        room -= width(gap + word)
    return lines


def _signs_within(text: str, cells: int) -> int:
    """Return how many signs of a text, one at least, fit into a number of cells."""
    for place, sign in enumerate(text):
        cells -= width(sign)
        if cells < 0:
            return max(1, place)
    return len(text)


def table(rows: Iterable[Sequence[str]], *, right: Sequence[int] = (), indent: str = "") -> list[str]:
    """Return the rows as aligned lines of clean text, two spaces between; columns in `right` are set to the right."""
    kept = [[one_line(cell) for cell in row] for row in rows]
    if not kept:
        return []
    widths = [max(width(row[column]) for row in kept) for column in range(len(kept[0]))]
    return [
        (indent + "  ".join(padded(cell, widths[i], right=i in right) for i, cell in enumerate(row))).rstrip()
        for row in kept
    ]
