"""The page that compares two rows: figures in columns, then both texts beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from textual.content import Content

from app.tui.pages.units import Units
from app.tui.screens.search.compare.compared_figures import (
    FIGURE_CELLS,
    Compared,
    Pair,
    decisive,
    measures,
    parts,
    ranks,
    words,
)
from app.tui.screens.search.explanation.subject import PART_SIGNS, PART_STYLES
from app.tui.screens.search.row import spot_of, title_of
from app.tui.screens.search.window import marks_in
from app.tui.theme import BRIGHT, FAINT, MARK_IN_TEXT, QUIET
from app.tui.widgets.line_views import wrapped
from app.wording.safe_text import line as plain_line
from engine.figures import ordinal
from engine.records import Hit

NAME_CELLS = 13
DIFFERENCE_CELLS = 12
BAR_CELLS = 26
GAP = 3
LONGEST_TEXT = 6000  # code points of a passage that are shown: several screens, whatever a file holds


def comparison_lines(pair: Pair, texts: tuple[str, str], marked: frozenset[str], width: int) -> list[Content]:
    """Return the whole page, at most `width` cells wide."""
    column = max(12, (width - NAME_CELLS - DIFFERENCE_CELLS - 2 * GAP) // 2)
    lines = [_heads(pair, column), *wrapped(Content.styled(decisive(pair), BRIGHT), width, Content()), Content()]
    for block in (parts(pair), ranks(pair), measures(pair), words(pair)):
        lines += [*(_row(each, column) for each in block), Content()] if block else []
    return [line.truncate(width) for line in (*lines, *text_lines(pair, texts, marked, width))]


def _heads(pair: Pair, column: int) -> Content:
    heads = [_head(each.hit, column) for each in (pair.first, pair.second)]
    return Content.assemble(" " * NAME_CELLS, " " * GAP, heads[0], " " * GAP, heads[1], ("  difference", QUIET))


def _head(hit: Hit, cells: int) -> Content:
    title, trail = title_of(hit)
    name = Content.assemble((f"{hit.rank}  ", f"bold {BRIGHT}"), (title, f"bold {BRIGHT}"), (trail, QUIET))
    return _fitted(name, cells)


def _fitted(content: Content, cells: int) -> Content:
    """Return content cut or filled to exactly so many cells."""
    cut = content.truncate(cells, ellipsis=True)
    return Content.assemble(cut, " " * (cells - cut.cell_length))


def _row(each: Compared, column: int) -> Content:
    bold = f"bold {BRIGHT}" if each.sum else ""
    name = _fitted(Content.styled(each.name, bold or PART_STYLES.get(each.name, "") or QUIET), NAME_CELLS)
    lengths = each.lengths or (0.0, 0.0)
    figures = [
        _fitted(_barred(each, value, length, column, bold), column)
        for value, length in zip((each.first, each.second), lengths, strict=True)
    ]
    ahead = each.difference.startswith("+")
    behind = each.difference.startswith("−")
    style = f"bold {BRIGHT}" if each.sum else "" if ahead or behind else QUIET
    difference = Content.styled(f"{each.difference:>{DIFFERENCE_CELLS}}", style)
    return Content.assemble(name, " " * GAP, figures[0], " " * GAP, figures[1], difference)


def _barred(each: Compared, value: str, length: float, column: int, style: str) -> Content:
    """Return a figure with the bar beside it, where it has one."""
    room = min(BAR_CELLS, column - FIGURE_CELLS - 2)
    cells = max(1 if length > 0 else 0, round(min(1.0, max(0.0, length)) * max(0, room)))
    bar = PART_SIGNS.get(each.name, "") * cells
    return Content.assemble((f"{value:>{FIGURE_CELLS}}", style), "  ", (bar, PART_STYLES.get(each.name, "")))


def text_lines(pair: Pair, texts: tuple[str, str], marked: frozenset[str], width: int) -> list[Content]:
    """Return both passages beside each other, the words of the query marked."""
    cells = max(10, (width - GAP) // 2)
    heads = [_place(each.hit, cells) for each in (pair.first, pair.second)]
    kinds = [each.hit.kind for each in (pair.first, pair.second)]
    columns = [_text(text, kind, marked, cells) for text, kind in zip(texts, kinds, strict=True)]
    beside = zip_longest([heads[0], *columns[0]], [heads[1], *columns[1]], fillvalue=Content())
    rule = Content.styled(" │ ", FAINT)
    return [Content.assemble(_fitted(left, cells), rule, right) for left, right in beside]


def _place(hit: Hit, cells: int) -> Content:
    said = ", ".join(filter(None, (f"the {ordinal(hit.rank)}", spot_of(hit))))
    return Content.styled(said, QUIET).truncate(cells)


def _text(text: str, kind: str, marked: frozenset[str], cells: int) -> Sequence[Content]:
    """Return a text folded to a number of cells; a paragraph that was folded in its file is one here."""
    lines: list[Content] = []
    units = Units(text[:LONGEST_TEXT].strip("\n"), kind)
    for unit in range(len(units)):
        first, *rest = units.raw(unit).split("\n")
        shown = plain_line(" ".join([first, *map(str.strip, rest)]))
        content = Content(shown)
        for start, end in marks_in(shown, marked):
            content = content.stylize(MARK_IN_TEXT, start, end)
        lines += wrapped(content, cells, Content())
    return lines
