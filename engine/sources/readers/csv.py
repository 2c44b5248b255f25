"""Tables as text: each row on the line where it begins in the file, and the column names as the heading over them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import pairwise

from engine.records import Block, Document
from engine.sources.readers.source_file import MAX_CHARACTERS, Source
from engine.sources.readers.table_rows import MAX_LEAD, line_of, names_row
from engine.sources.readers.text import Lines

_DELIMITERS = ",;\t|"
SAMPLED_LINES = 50  # that the delimiter is told by


def read(source: Source) -> Document:
    """Read a table parted by commas, semicolons, tabs or bars; its title is its name."""
    written = source.text()
    delimiter = "\t" if source.name.lower().endswith(b".tsv") else delimiter_of(written)
    rows = list(_rows(written, delimiter))
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
    """Return what parts the cells: the sign that most lines hold, and as often as their neighbours; else a comma."""
    lines = [line for line in text[: 64 * 1024].split("\n")[:SAMPLED_LINES] if line.strip()]

    def fits(sign: str) -> tuple[int, int]:
        counts = [line.count(sign) for line in lines]
        return sum(a == b > 0 for a, b in pairwise(counts)), sum(counts)

    return max(_DELIMITERS, key=fits) if lines else ","


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Give each row that is not empty with the line on which it begins, counted from 0."""
    csv.field_size_limit(MAX_CHARACTERS)
    reader = csv.reader((line + "\n" for line in text.split("\n")), delimiter=delimiter)
    before = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        if any(cell.strip() for cell in cells):
            yield before, cells
        before = reader.line_num
