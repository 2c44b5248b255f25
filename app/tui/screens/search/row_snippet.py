"""The text of a row: as much of its snippet as fills the lines it has, from the beginning of a sentence or a word."""

from __future__ import annotations

import re
from collections.abc import Set
from itertools import chain

from textual.content import Content

from app.tui.pages.line_wrap import row_of, row_starts
from app.tui.screens.search.window import form
from app.tui.theme import MARK, QUIET
from app.wording.cells import width as cells_of
from app.wording.safe_text import one_line
from engine.records import Hit

# behind the end of another; behind a cut only where a small letter does not go on with one
_SENTENCE = re.compile(r"(?<=[.!?。！？])[\"')\]”’]* +(?=\S)|(?<=…) +(?=[^\W\d_a-zß-ÿ])")
_WORD = re.compile(r"(?<= )(?=[^ ])")
_CUT = "… "
LOST_CELLS = 6  # at the end of a line that goes on in another: a word that had no room


def snippet_lines(hit: Hit, width: int, lines: int, small_words: Set[str]) -> list[Content]:
    """Return so many lines of `width` cells with the first marked word in sight; "" where there is less text."""
    text = one_line(hit.snippet)
    marks = [
        (start, end)
        for start, end in hit.marks
        if 0 <= start < end <= len(text) and form(text[start:end]) not in small_words
    ]
    start = _beginning(text, marks[0] if marks else (0, 0), width * lines - len(_CUT) - LOST_CELLS * (lines - 1))
    prefix = _CUT if start > len(text) - len(text.lstrip()) and not text.startswith(_CUT, start) else ""
    shown = Content(prefix + text[start:]).stylize(QUIET, 0, len(prefix))
    for first, last in marks:
        if first >= start:
            shown = shown.stylize(MARK, first - start + len(prefix), last - start + len(prefix))
    return _folded(shown, width, lines)


def _beginning(text: str, mark: tuple[int, int], room: int) -> int:
    """Return where in the text to begin, so that the mark is in sight and the room is filled."""
    lead = len(text) - len(text.lstrip())
    if cells_of(text) <= room + len(_CUT) or (cells_of(text[: mark[1]]) <= room and not text.startswith(_CUT)):
        return lead
    sentences = [match.end() for match in _SENTENCE.finditer(text)]
    words = [match.end() for match in _WORD.finditer(text)]
    fitting = [place for place in chain([lead], sentences) if place <= mark[0] and _reaches(text, place, mark, room)]
    best = fitting[-1] if fitting else next((each for each in words if _reaches(text, each, mark, room)), mark[0])
    if cells_of(text[best:]) >= room:
        return best
    return next((place for place in chain([lead], words) if cells_of(text[place:]) <= room), best)


def _reaches(text: str, start: int, mark: tuple[int, int], room: int) -> bool:
    """Whether a mark is in sight of a text that begins at `start`."""
    return start <= mark[0] and cells_of(text[start : mark[1]]) < room


def _folded(line: Content, width: int, lines: int) -> list[Content]:
    """Return the first lines of a folded text; the last of them is cut where it goes on."""
    starts = row_starts(line.plain, width)[:lines]
    rows = [row_of(line, starts, row, width).truncate(width, ellipsis=True) for row in range(len(starts))]
    return [*rows, *[Content()] * (lines - len(rows))]
