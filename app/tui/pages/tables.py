"""The tables of Markdown, laid out in columns: where they are in a text, and their lines as they stand on the screen.

A line of a table is never folded: what has no room beside the other columns is cut off at the edge of the screen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from rich.cells import cell_len

from app.tui.pages.inline_markup import inline
from app.tui.pages.painted_line import LineMaker, ShownLine
from app.tui.theme import BRIGHT, FAINT
from engine.lazy_dataclass import dataclass

WIDEST_COLUMN = 40  # cells that a column is filled up to; a longer cell moves what stands behind it
MEASURED_LINES = 200  # of a table, by which its columns are laid out: more than a person compares
LONGEST_LINE = 2_000  # code points: longer lines are machine-made and are no tables to look at
MOST_COLUMNS = 64
RULE = re.compile(r"^[ \t]*+(?:\|[ \t]*+)?:?-++:?[ \t]*+(?:\|[ \t]*+:?-++:?[ \t]*+)*+(?:\|[ \t]*+)?$", re.MULTILINE)
_BETWEEN = re.compile(r"\\\||`[^`\n]*`|(\|)")  # an escaped bar and one in code part nothing
_GAP = " │ "
Cell = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of Markdown: its first line, which names the columns, and the one behind its last; `right` are columns.

    The line behind the first is the rule.
    """

    first: int
    last: int
    widths: tuple[int, ...]
    right: frozenset[int]


def tables_in(lines: Sequence[str]) -> Iterator[Table]:
    """Yield the tables among the lines of a text; "" is a line that is none of a table, whatever it holds."""
    last = 0
    for place in range(1, len(lines)):
        if place > last and "-" in lines[place] and "|" in lines[place - 1] and RULE.match(lines[place]):
            columns = len(cells(lines[place]))
            if columns == len(cells(lines[place - 1])) and 0 < columns <= MOST_COLUMNS:
                last = _end(lines, place + 1)
                yield _table(lines, place - 1, last)


def _end(lines: Sequence[str], place: int) -> int:
    while place < len(lines) and "|" in lines[place] and len(lines[place]) <= LONGEST_LINE:
        place += 1
    return place


def _table(lines: Sequence[str], first: int, last: int) -> Table:
    rule = lines[first + 1]
    right = frozenset(column for column, (start, end) in enumerate(cells(rule)) if rule[start:end].endswith(":")
                      and not rule[start:end].startswith(":"))  # fmt: skip
    widths = [0] * len(cells(rule))
    for line in (lines[first], *lines[first + 2 : min(last, first + MEASURED_LINES)]):
        for column, span in enumerate(cells(line)[: len(widths)]):
            widths[column] = max(widths[column], min(WIDEST_COLUMN, _cells_of(line, span)))
    return Table(first, last, tuple(widths), right)


def cells(line: str) -> list[Cell]:
    """Return the spans of the cells of a line, without the blanks around them."""
    bars = [match.start() for match in _BETWEEN.finditer(line) if match[1]]
    edges = [-1, *bars, len(line)]
    spans = [_trimmed(line, start + 1, end) for start, end in pairwise(edges)]
    if len(spans) > 1 and not line[: edges[1]].strip():
        spans.pop(0)
    if len(spans) > 1 and spans[-1][0] == spans[-1][1]:
        spans.pop()
    return spans


def _trimmed(line: str, start: int, end: int) -> Cell:
    text = line[start:end]
    lead = len(text) - len(text.lstrip())
    return start + lead, max(start + lead, end - len(text) + len(text.rstrip()))


def _cells_of(line: str, span: Cell) -> int:
    maker = LineMaker(line)
    inline(maker, *span)
    return cell_len(maker.make().text)


def table_line(raw: str, place: int, table: Table) -> ShownLine:
    """Return the line of a table so many lines below its first, with its cells under those of the others."""
    maker = LineMaker(raw)
    if place == 1:
        maker.put("─┼─".join("─" * width for width in table.widths), 0, len(raw), FAINT)
        return maker.make(clipped=True)
    spans, at = cells(raw), 0
    for column, (start, end) in enumerate(spans):
        blanks = max(0, table.widths[column] - _cells_of(raw, (start, end))) if column < len(table.widths) else 0
        before = blanks if column in table.right else 0
        if column:
            maker.put(_GAP, at, at, FAINT)
        maker.put(" " * before, at, start)
        begun = maker.length
        inline(maker, start, end)
        maker.style(begun, f"bold {BRIGHT}" if place == 0 else "")
        maker.put(" " * (blanks - before if column < len(spans) - 1 else 0), end, end)
        at = end
    maker.put("", at, len(raw))
    return maker.make(clipped=True)
