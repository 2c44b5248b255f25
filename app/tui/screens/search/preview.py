"""The preview: the lines around the hit with the passage marked in the margin."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content

from app.tui.figures import count
from app.tui.plain import cut_front, one_line
from app.tui.screens.search.window import Window, WindowLine
from app.tui.theme import ACCENT, BRIGHT, FAINT, MARK_IN_TEXT, QUIET
from app.tui.widgets.lines import wrapped
from engine.paths import display
from engine.records import Hit

LEAD_LINES = 6  # lines of context kept in sight above the passage


def preview_lines(window: Window, width: int) -> list[Content]:
    """Return the window's lines folded to `width`, the passage with a bar in the margin."""
    lines: list[Content] = []
    if window.cut_before:
        lines.append(Content.styled("  ⋯", FAINT))
    for each in window.lines:
        lines += wrapped(_text(each), width, _margin(each.inside))
    if window.cut_after:
        lines.append(Content.styled("  ⋯", FAINT))
    return lines


def first_line_of_hit(window: Window, width: int) -> int:
    """Return which of preview_lines begins the passage."""
    before = window.lines[: window.hit_index]
    return int(window.cut_before) + sum(len(wrapped(_text(each), width, _margin(False))) for each in before)


def _margin(inside: bool) -> Content:
    return Content.assemble(("▌", ACCENT), " ") if inside else Content("  ")


def _text(each: WindowLine) -> Content:
    """Return one line painted: bright in the passage, quiet around it, headings bold."""
    style = (BRIGHT if each.inside else QUIET) if not each.heading else f"bold {BRIGHT if each.inside else QUIET}"
    line = Content(each.text).stylize(style)
    for start, end in each.marks:
        line = line.stylize(MARK_IN_TEXT, start, end)
    return line


def caption(hit: Hit, window: Window | None, width: int) -> Content:
    """Return the line below the preview: the path, and where in the document the passage stands."""
    if hit.page:
        where = f"page {hit.page}"
    else:
        where = f"line {count(hit.line_start)}"
        where += f" of {count(window.lines_in_document)}" if window else ""
    others = len(hit.more_in_document)
    where += f" · 1 of {others + 1} hits here" if others else ""
    return beside(one_line(display(hit.path)), where, width)


def beside(path: str, where: str, width: int) -> Content:
    """Return a path at the left, cut in front so that its name stays, and a place at the right."""
    kept = cut_front(path, max(0, width - len(where) - 3))
    gap = " " * max(1, width - cell_len(kept) - len(where))
    return Content.styled(kept + gap + where, QUIET).truncate(max(1, width))


def unavailable(width: int) -> Sequence[Content]:
    """Return what is shown of a document that has just left the library."""
    return [Content.styled("This note has left the library.", QUIET)]
