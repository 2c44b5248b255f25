"""The outline of a PDF as headings: each entry is looked for on its page, where its words stand as a line or two."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pypdfium2 as pdfium

from engine.sources.encodings import storable
from engine.sources.readers.source_file import MAX_LABEL

MAX_ENTRIES = 20_000
LONGEST_HEADING = 3  # lines of a page that may make one heading
_NUMBERED = re.compile(
    r"^(?:(?:chapter|part|section|kapitel|teil|chapitre)\s+)?[\divxlc]{1,6}(?:\.\d{1,4}){0,6}[.:)]?\s+"
)
_NAMES_NOTHING = re.compile(r"(?:page|slide|seite|folie|bookmark|untitled|section|document)?[\W\d_]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an outline; `level` counts from 1."""

    title: str
    level: int


@dataclass(frozen=True, slots=True)
class Piece:
    """Lines of a page: those of a heading of this level, or what stands below one, which has level 0."""

    lines: tuple[str, ...]
    level: int = 0


def outline_of(document: pdfium.PdfDocument) -> dict[int, list[Entry]]:
    """Return the entries of an outline by the page that each points at, counted from 0, in their order."""
    found: dict[int, list[Entry]] = defaultdict(list)
    for number, bookmark in enumerate(document.get_toc()):
        if number >= MAX_ENTRIES:
            break
        try:
            title = " ".join(storable(bookmark.get_title()).split())
            target = bookmark.get_dest()
            page = target.get_index() if target is not None else None
        except pdfium.PdfiumError:
            continue
        if page is not None and title and not _NAMES_NOTHING.fullmatch(title):
            found[page].append(Entry(title, bookmark.level + 1))
    return found


def pieces(lines: Sequence[str], entries: Sequence[Entry]) -> Iterator[Piece]:
    """Cut the lines of a page at its headings; an entry whose words are nowhere stands where the one before ended."""
    places = _places(lines) if entries else {}
    reached = 0
    for entry in entries:
        first, after = _next(places.get(_plain(entry.title), ()), reached)
        if not after:
            yield Piece((entry.title,), entry.level)
            continue
        if reached < first:
            yield Piece(tuple(lines[reached:first]))
        yield Piece((" ".join(lines[first:after]),), entry.level)
        reached = after
    yield Piece(tuple(lines[reached:]))


def _places(lines: Sequence[str]) -> dict[str, list[tuple[int, int]]]:
    """Map what each line says, and each few lines together, to the places where it is said, in their order."""
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for first in range(len(lines)):
        for after in range(first + 1, min(first + LONGEST_HEADING, len(lines)) + 1):
            written = " ".join(lines[first:after])
            if len(written) > MAX_LABEL:
                break
            found[_plain(written)].append((first, after))
    return found


def _next(places: Sequence[tuple[int, int]], reached: int) -> tuple[int, int]:
    """Return the first place from the line `reached` on; (0, 0) where there is none."""
    index = bisect_left(places, (reached, 0))
    return places[index] if index < len(places) else (0, 0)


def _plain(text: str) -> str:
    """Return a title as it is compared: without its number, blanks and signs, in small letters."""
    written = " ".join(text.split()).casefold()
    bare = _NUMBERED.sub("", written, count=1)
    return "".join(filter(str.isalnum, bare)) or "".join(filter(str.isalnum, written))
