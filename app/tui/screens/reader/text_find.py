"""Finds a text in a document, and which of the places found comes next."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right

from app.tui.screens.reader.highlights import Span

MOST_FOUND = 10_000
_BLANK = re.compile(r"\s+")


def find_all(text: str, wanted: str) -> list[Span]:
    """Return the spans where `wanted` stands in `text`, whatever its case; a blank stands for any white space."""
    parts = [re.escape(part) for part in _BLANK.split(wanted.strip()) if part]
    if not parts:
        return []
    pattern = re.compile(r"\s{1,9}".join(parts), re.IGNORECASE)
    found: list[Span] = []
    for match in pattern.finditer(text):
        found.append(match.span())
        if len(found) == MOST_FOUND:
            break
    return found


def following(spans: list[Span], place: int) -> Span | None:
    """Return the first span at or behind a place, else the first of all."""
    if not spans:
        return None
    return spans[bisect_left(spans, place, key=lambda span: span[0]) % len(spans)]


def beside(spans: list[Span], place: int, forward: bool) -> Span | None:
    """Return the span behind a place, or before it; round the end."""
    if not spans:
        return None
    if forward:
        return spans[bisect_right(spans, place, key=lambda span: span[0]) % len(spans)]
    return spans[bisect_left(spans, place, key=lambda span: span[0]) - 1]
