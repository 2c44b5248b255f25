"""Text that was selected with the mouse in lines that are painted: where it lies, how it looks, what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich.segment import Segment
from rich.style import Style
from textual.selection import Selection
from textual.strip import Strip


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


def selected_text(selection: Selection, lines: int, text_of: Callable[[int], str]) -> str:
    """Return what a selection holds of a view of so many lines; `text_of` says what stands on one."""
    first = selection.start.y if selection.start else 0
    last = min(selection.end.y if selection.end else lines, lines - 1)
    texts = [text_of(line) for line in range(first, last + 1)]
    if texts and selection.end is not None and selection.end.y == last:
        texts[-1] = texts[-1][: selection.end.x]
    if texts and selection.start is not None:
        texts[0] = texts[0][selection.start.x :]
    return "\n".join(text.rstrip() for text in texts)
