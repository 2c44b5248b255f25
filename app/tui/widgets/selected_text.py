"""Text that was selected with the mouse in lines that are painted: where it lies, how it looks, what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich.segment import Segment
from rich.style import Style
from textual.selection import Selection
from textual.strip import Strip

from app.tui.pages.line_wrap import BROKEN
from app.tui.theme import BAR
from engine.lazy_dataclass import dataclass

EDGES = frozenset({BAR, "│", "┌", "└"})  # of a passage or a chosen row, and of a block of code


def without_ground(style: Style) -> Style:
    """Return a style without its colour where that is its ground: Textual says "transparent" so."""
    return Style(bgcolor=style.bgcolor) if style.color == style.bgcolor else style


def with_selection(strip: Strip, span: tuple[int, int] | None, style: Style) -> Strip:
    """Return a line with the characters of a span in a style; a span that ends at -1 goes to the line's end."""
    if span is None:
        return strip
    first, last = span if span[1] >= 0 else (span[0], len(strip.text))
    return Strip(list(_parted(strip, first, last, style)), strip.cell_length)


def _parted(strip: Strip, first: int, last: int, style: Style) -> Iterator[Segment]:
    """Yield the segments of a line, parted where the span begins and ends."""
    at = 0
    for text, own, control in strip:
        cuts = [min(max(cut - at, 0), len(text)) for cut in (first, last)]
        parts = text[: cuts[0]], text[cuts[0] : cuts[1]], text[cuts[1] :]
        for part, inside in zip(parts, (False, True, False), strict=True):
            if part:
                yield Segment(part, (own or Style()) + style if inside else own, control)
        at += len(text)


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the screen. Where the screen broke its line, `blanks` stood there and the line goes on at `begin`."""

    text: str
    begin: int = 0
    blanks: str | None = None


def selected_text(selection: Selection, lines: int, strip_of: Callable[[int], Strip]) -> str:
    """Return what a selection holds of a view of so many lines; `strip_of` says how one is painted.

    Bars beside passages and code are left out, the margin that all lines share, and the breaks that the screen made.
    """
    first = selection.start.y if selection.start else 0
    last = min(selection.end.y if selection.end else lines, lines - 1)
    rows = [_row(strip_of(line)) for line in range(first, last + 1)]
    whole = [row.text for row in rows if row.blanks is None and row.text.strip()]
    margin = min((len(text) - len(text.lstrip(" ")) for text in whole), default=0)
    said = ""
    for place, row in enumerate(rows):
        begin = margin if row.blanks is None else row.begin
        if place == 0 and selection.start is not None:
            begin = max(begin, selection.start.x)
        end = selection.end.x if selection.end is not None and selection.end.y == first + place else None
        text = row.text[begin:end].rstrip()
        between = "\n" if row.blanks is None else row.blanks if text else ""
        said += (between if place else "") + text
    return said


def _row(strip: Strip) -> _Row:
    """Return the text of a row with blanks for the bars before it, which are segments of their own."""
    parts, at_edge, at = [], True, 0
    begin, blanks = 0, None
    for text, style, _ in strip:
        if blanks is None and style is not None and BROKEN in style.meta:
            begin, blanks, at_edge = at, style.meta[BROKEN], False
        at_edge = at_edge and (not text.strip() or text.strip() in EDGES)
        parts.append(" " * len(text) if at_edge else text)
        at += len(text)
    return _Row("".join(parts), begin, blanks)
