"""Tables as text: each row on the line where it begins in the file, and the column names as the heading over them.

Spreadsheets are set out by the same rules: `line_of` makes a line of a row, `names_row` finds the column names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from engine.records import Block, Document
from engine.sources.readers.source_file import Source
from engine.sources.readers.text import Lines

_DELIMITERS = (
    ";",
    "\t",
    "|",
    ",",
)  # of two that fit alike the first: decimal commas are more common than semicolons in cells
SAMPLED_LINES = 50  # that the delimiter is told by
JOINT = " | "
MAX_NAME = 60  # code points: a column's name that is longer is a cell of text
MAX_NAMES = 300  # code points of all names: a heading is kept with every passage, and hundreds of names are data
MAX_LEAD = 5  # rows above the column names: a caption, a date, a blank
_QUOTED = re.compile(r'"[^"\n]*+"')
_CELLS = {
    sign: re.compile(rf'"((?:{inside}|"")*+)"[ ]*+(?=[\n{sign}]|\Z)|([^\n{sign}]*+)')
    for sign, inside in ((";", '[^"]'), ("\t", '[^"\t]'), ("|", '[^"]'), (",", '[^"]'))
}
_COMMA = re.compile(r"(?<!\d),|,(?!\d)")
_NUMBER = re.compile(r"[-+(]?[\d.,'\s]{0,40}\d[\d.,'\s]{0,40}(?:[eE][-+]?\d+)?\)?\s*[%€$£]?")


def read(source: Source) -> Document:
    """Read a table parted by commas, semicolons, tabs or bars; its title is its name."""
    written = source.text()
    declared = _declared(written)
    delimiter = declared or ("\t" if source.name.lower().endswith(b".tsv") else delimiter_of(written))
    rows = list(_rows(written, delimiter))[declared is not None :]
    names = names_row([cells for _, cells in rows[: MAX_LEAD + 2]])
    written_lines = [""] * (rows[-1][0] + 1 if rows else 0)  # a row that is written on many leaves the others empty
    for at, cells in rows:
        written_lines[at] = line_of(cells)
    lines = Lines("\n".join(written_lines))
    metadata = {"rows": str(len(rows) - (names is not None))} if rows else {}
    heading = None if names is None else rows[names][0]
    return source.document("csv", lines.text, _blocks(lines, heading), "", metadata=metadata)


def _blocks(lines: Lines, heading: int | None) -> Iterator[Block]:
    """Give the line of column names, if there is one, as a heading, and what lies above and below it as tables."""
    first = 0
    for end in (*([] if heading is None else [heading]), len(lines)):
        while first < end and lines.is_blank(first):
            first += 1
        if first < end:
            yield Block("table", *lines.span(first, end))
        if end == heading:
            yield Block("heading", *lines.span(end, end + 1), 1, lines.texts[end])
        first = end + 1


def delimiter_of(text: str) -> str:
    """Return what parts the cells: the sign that most lines hold, and as often as their neighbours; else a comma.

    A comma between two digits parts cells only where no other sign parts any.
    """
    sample = _QUOTED.sub("", text[: 64 * 1024])
    lines = [line for line in sample.split("\n")[:SAMPLED_LINES] if line.strip()]

    def fits(sign: str) -> tuple[int, int]:
        counts = [len(_COMMA.findall(line)) if sign == "," else line.count(sign) for line in lines]
        return sum(a == b > 0 for a, b in pairwise(counts)), sum(counts)

    best = max(_DELIMITERS, key=fits) if lines else ","
    return best if any(fits(best)) else ","


def _declared(text: str) -> str | None:
    """Return the delimiter that a first line `sep=;` names, as Excel writes it."""
    first = text.partition("\n")[0].strip().strip('"')
    return first[4:] if first.lower().startswith("sep=") and first[4:] in _DELIMITERS else None


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Give each row that is not empty with the line on which it begins, counted from 0.

    A cell is quoted only where its closing quote stands before a delimiter or a line's end: an inch sign opens nothing.
    Cells parted by tabs hold no tab.
    """
    cell = _CELLS[delimiter]
    at = line = 0
    while at <= len(text):
        end = text.find("\n", at)
        end = end if end >= 0 else len(text)
        began = line
        if text.find('"', at, end) < 0:
            cells, at = text[at:end].split(delimiter), end
        else:
            cells, at = _quoted_row(text, at, cell, delimiter)
        at, line = at + 1, line + 1 + sum(each.count("\n") for each in cells)
        if any(each.strip() for each in cells):
            yield began, cells


def _quoted_row(text: str, at: int, cell: re.Pattern[str], delimiter: str) -> tuple[list[str], int]:
    """Return the cells of the row that begins at an offset, and where its line ends."""
    cells: list[str] = []
    while True:
        match = cell.match(text, at)
        assert match is not None
        cells.append(match[2] if match[1] is None else match[1].replace('""', '"'))
        at = match.end()
        if text[at : at + 1] != delimiter:
            return cells, at
        at += 1


def line_of(cells: Sequence[str]) -> str:
    """Join the cells of one row on one line; empty cells at its end fall away."""
    kept = [" ".join(cell.split()) for cell in cells]
    while kept and not kept[-1]:
        kept.pop()
    return JOINT.join(kept)


def names_row(rows: Sequence[Sequence[str]]) -> int | None:
    """Return which row names the columns of the rows below it, counted from 0; None where none does.

    It is the first with two cells or more, near the top, and holds few, short, distinct texts, none of them a number.
    """
    for index, row in enumerate(rows[: MAX_LEAD + 1]):
        names = [cell.strip() for cell in row if cell.strip()]
        if len(names) > 1:
            told_apart = len(names) == len(set(names)) and len(line_of(row)) <= MAX_NAMES
            return index if told_apart and index + 1 < len(rows) and all(map(_is_name, names)) else None
    return None


def _is_name(text: str) -> bool:
    return len(text) <= MAX_NAME and "\n" not in text and not _NUMBER.fullmatch(text)


def without_empty_columns(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Leave out the columns in which no row has anything."""
    filled = sorted({column for row in rows for column, cell in enumerate(row) if cell.strip()})
    return [[row[column] if column < len(row) else "" for column in filled] for row in rows]
