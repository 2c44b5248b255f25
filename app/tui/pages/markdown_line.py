"""One line of Markdown as it stands on the screen: headings, lists, quotes, tables, fences.

A heading keeps its number signs, a fence its edge and a list its sign, so that all of it is told without colour too.
"""

from __future__ import annotations

import re

from textual.content import Content

from app.tui.pages.inline_markup import inline
from app.tui.pages.painted_line import LineMaker, ShownLine, plain_line
from app.tui.pages.tables import RULE
from app.tui.theme import BRIGHT, FAINT, QUIET

LONG_LINE = 2_000  # code points: longer lines are machine-made and shown as they are
RULE_CELLS = 24
MOST_HANG = 24  # cells that the rows of a folded line are moved in
CODE_EDGE = Content.styled("│ ", FAINT)
_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+|$)")
_UNDERLINE = re.compile(r" {0,3}=+[ \t]*$")
_RULE = re.compile(r" {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$")
_ITEM = re.compile(r"([ \t]*)([-*+]|\d{1,9}[.)])([ \t]+)(\[[ xX]\](?=[ \t]))?")
_QUOTE = re.compile(r" {0,3}(?:>[ \t]?)+")
_FENCE_SIGN = re.compile(r"[ \t]*(`{3,}|~{3,})[ \t]*")


def prose_line(text: str) -> ShownLine:
    """Return a line of Markdown outside front matter and fences."""
    if len(text) > LONG_LINE:
        return plain_line(text)
    maker = LineMaker(text)
    if match := _HEADING.match(text):
        return _heading(maker, match)
    if _RULE.match(text):
        maker.put("─" * RULE_CELLS, 0, len(text), FAINT)
        return maker.make()
    if _UNDERLINE.match(text) or ("|" in text and RULE.match(text)):
        maker.keep(0, len(text), FAINT)
        return maker.make()
    begin = _begin(maker)
    inline(maker, begin.end() if begin else 0, len(text))
    return maker.make(hang=_marker_cells(maker, begin), edge=_edge(maker, begin))


def _heading(maker: LineMaker, match: re.Match[str]) -> ShownLine:
    maker.keep(match.start(1), match.end(), QUIET)
    before = maker.length
    inline(maker, match.end(), len(maker.text.rstrip("# \t")) if match.end() < len(maker.text) else match.end())
    maker.style(before, f"bold {BRIGHT}")
    return maker.make(hang=len(match[1]) + 1)


def _begin(maker: LineMaker) -> re.Match[str] | None:
    """Show the sign that begins a list item or a quote, and return what was read of the line."""
    text = maker.text
    if item := _ITEM.match(text):
        maker.keep(0, item.start(2))
        sign = "•" if item[2] in "-*+" else ""
        if sign:
            maker.put(sign, item.start(2), item.end(2), QUIET)
        else:
            maker.keep(item.start(2), item.end(2), QUIET)
        maker.keep(item.start(3), item.end(3))
        if item[4]:
            maker.put("☑" if "x" in item[4].lower() else "☐", item.start(4), item.end(4), QUIET)
        return item
    if quote := _QUOTE.match(text):
        maker.put("▎" * quote[0].count(">") + " ", 0, quote.end(), QUIET)
        return quote
    return None


def _marker_cells(maker: LineMaker, begin: re.Match[str] | None) -> int:
    """Return how far the rows below the first are moved in: under the words of the first."""
    if begin is None:
        return len(maker.text) - len(maker.text.lstrip(" "))
    marker = next((piece[3] for piece in reversed(maker.make().pieces) if piece[1] <= begin.end()), 0)
    return min(marker, MOST_HANG)


def _edge(maker: LineMaker, begin: re.Match[str] | None) -> Content:
    """Return what stands before the rows below the first: the bars of a quote go on."""
    bars = "▎" * begin[0].count(">") + " " if begin is not None and begin.re is _QUOTE else ""
    return Content.styled(bars, QUIET)


def fence_line(text: str, opens: bool) -> ShownLine:
    """Return the edge of a block of code, with the name of its language."""
    maker = LineMaker(text)
    sign = _FENCE_SIGN.match(text)
    after = sign.end() if sign else len(text)
    maker.put("┌ " if opens else "└", 0, after, FAINT)
    maker.keep(after, len(text), QUIET)
    return maker.make()


def code_line(text: str, styles: tuple[tuple[int, int, str], ...] = ()) -> ShownLine:
    """Return a line inside a block of code, painted by `styles`, which are spans of the line."""
    maker = LineMaker(text)
    maker.put(CODE_EDGE.plain, 0, 0, FAINT)
    highlighted_into(maker, styles)
    indent = min(MOST_HANG, len(text) - len(text.lstrip(" ")))
    return maker.make(hang=CODE_EDGE.cell_length + indent, edge=CODE_EDGE)


def highlighted_into(maker: LineMaker, styles: tuple[tuple[int, int, str], ...]) -> None:
    """Show the whole line in the colours of its language."""
    at = 0
    for start, end, style in styles:
        maker.keep(at, start)
        maker.keep(start, end, style)
        at = end
    maker.keep(at, len(maker.text))
