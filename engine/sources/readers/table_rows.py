"""Turns rows of cells into lines of text, with the row of column names as the heading above them."""

from __future__ import annotations

import re
from collections.abc import Sequence

JOINT = " | "
MAX_NAME = 60  # code points: a column's name that is longer is a cell of text
MAX_NAMES = 300  # code points of all names: a heading is kept with every passage, and hundreds of names are data
MAX_LEAD = 5  # rows above the column names: a caption, a date, a blank
_NUMBER = re.compile(r"[-+(]?[\d.,'\s]{0,40}\d[\d.,'\s]{0,40}(?:[eE][-+]?\d+)?\)?\s*[%€$£]?")


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
