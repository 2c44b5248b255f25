"""Finds the line of a passage again in a file that may have changed since it was indexed."""

from __future__ import annotations

import os

from engine.errors import SourceError
from engine.sources.encodings import decode

LONGEST_FILE = 32 * 2**20  # bytes: no larger file is indexed
LEAST_SIGNS = 4  # of a line, that it is worth looking for


def current_line(path: bytes, passage: str, line: int) -> int | None:
    """Return the line at which `passage` begins in the file now; None where there is no file.

    It is `line`, where it began, if it cannot be found or there is nothing to look for. The whole passage is looked for
    first, then its lines one by one; of several places the one nearest to `line`.
    """
    if not os.path.isfile(path):
        return None
    if not passage.strip():
        return line
    try:
        with open(path, "rb") as file:
            text = decode(file.read(LONGEST_FILE))
    except (OSError, SourceError):
        return line
    return line_of(text, passage, line)


def line_of(text: str, passage: str, line: int) -> int:
    """Return the line of `text` where `passage` begins, else where the first of its lines that is there stands."""
    lead = len(passage) - len(passage.lstrip("\n"))
    if found := _lines_with(text, passage.strip("\n")):
        return max(1, min(found, key=lambda each: abs(each - line - lead)) - lead)
    for place, part in enumerate(passage.split("\n")):
        if len(part.strip()) >= LEAST_SIGNS and (found := _lines_with(text, part.strip())):
            return min(found, key=lambda each: abs(each - line - place))
    return min(line, text.count("\n") + 1)


def _lines_with(text: str, part: str) -> list[int]:
    """Return the lines, counted from 1, at which `part` begins; at most a hundred."""
    lines: list[int] = []
    at, counted, number = (text.find(part) if part else -1), 0, 1
    while at >= 0 and len(lines) < 100:
        number += text.count("\n", counted, at)
        counted = at
        lines.append(number)
        at = text.find(part, at + 1)
    return lines
