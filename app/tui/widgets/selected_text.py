"""Text that was selected with the mouse in lines that are painted: where it lies, how it looks, what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich.segment import Segment
from rich.style import Style
from textual.selection import Selection
from textual.strip import Strip

from app.tui.theme import BAR

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


def selected_text(selection: Selection, lines: int, strip_of: Callable[[int], Strip]) -> str:
    """Return what a selection holds of a view of so many lines; `strip_of` says how one is painted.

    Bars beside passages and code are left out, and the margin that all lines share.
    """
    first = selection.start.y if selection.start else 0
    last = min(selection.end.y if selection.end else lines, lines - 1)
    texts = [_own_text(strip_of(line)) for line in range(first, last + 1)]
    margin = min((len(text) - len(text.lstrip(" ")) for text in texts if text.strip()), default=0)
    if texts and selection.end is not None and selection.end.y == last:
        texts[-1] = texts[-1][: selection.end.x]
    begins = [margin] * len(texts)
    if texts and selection.start is not None:
        begins[0] = max(margin, selection.start.x)
    return "\n".join(text[begin:].rstrip() for text, begin in zip(texts, begins, strict=True))


def _own_text(strip: Strip) -> str:
    """Return the text of a line with blanks for the bars before it, which are segments of their own."""
    parts, at_edge = [], True
    for text, _, _ in strip:
        at_edge = at_edge and (not text.strip() or text.strip() in EDGES)
        parts.append(" " * len(text) if at_edge else text)
    return "".join(parts)
