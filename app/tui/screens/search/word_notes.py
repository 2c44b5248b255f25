"""Words of a passage that answer other words of the question: each has a number behind it, told in a line below.

The words of the question themselves are marked already and get no number.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace

from textual.content import Content

from app.tui.pages.painted_line import Piece, ShownLine
from app.tui.screens.search.window import WindowLine
from app.tui.theme import BRIGHT, MEANING, QUIET
from app.word_links import FAINT, PlacedWord
from app.wording.cells import cut
from app.wording.safe_text import one_line
from engine.lazy_dataclass import dataclass

NUMBERS = "¹²³⁴⁵"
LABEL = "nearest words  "
LONGEST_WORD = 16  # cells


@dataclass(frozen=True, slots=True)
class Note:
    """A word of a document that answers a word of the question, and its number."""

    number: str
    placed: PlacedWord


def notes_of(nearest: Sequence[PlacedWord]) -> tuple[Note, ...]:
    """Return the words that get a number, the nearest first."""
    others = [each for each in nearest if each.link.word and not each.link.same]
    others.sort(key=lambda each: -(each.link.cosine or 0.0))
    return tuple(Note(number, each) for number, each in zip(NUMBERS, others, strict=False))


def with_notes(line: WindowLine, notes: Sequence[Note]) -> tuple[WindowLine, tuple[tuple[int, int], ...]]:
    """Return a line with the numbers of its notes in it, and the spans on the screen of words with their numbers."""
    if not line.inside:
        return line, ()
    spans = sorted((span, note.number) for note in notes for span in _on_screen(line, note.placed))
    if not spans:
        return line, ()
    columns = [end for (_, end), _ in spans]
    shown = _inserted(line.shown, columns, [number for _, number in spans])
    marks = tuple(_moved(mark, columns) for mark in line.marks)
    noted = tuple((start, end + 1) for start, end in (_moved(span, columns) for span, _ in spans))
    return replace(line, shown=shown, marks=marks), noted


def legend(notes: Sequence[Note], width: int) -> Content:
    """Return the line that tells which word of the question each number stands for; their cosines stand elsewhere."""
    parts: list[Content | str | tuple[str, str]] = [(LABEL, QUIET)]
    for place, note in enumerate(notes):
        link = note.placed.link
        asked, word = (cut(one_line(each), LONGEST_WORD) for each in (link.asked, link.word))
        parts.append((" · " if place else "", QUIET))
        parts.append((f"{asked} ", BRIGHT))
        parts.append((f"{note.number}{word}", f"underline {MEANING}"))
        parts.append((f" ({FAINT})" if link.faint else "", QUIET))
    return Content.assemble(*parts).truncate(max(1, width), ellipsis=True)


def _on_screen(line: WindowLine, placed: PlacedWord) -> Iterator[tuple[int, int]]:
    """Yield where a word stands on the screen of its line: the last of its pieces, so that it has one number."""
    found = list(line.shown.on_screen(placed.start - line.start, placed.end - line.start))
    yield from found[-1:]


def _inserted(shown: ShownLine, columns: Sequence[int], numbers: Sequence[str]) -> ShownLine:
    """Return a line with a number put in before each of some columns, in order; what comes behind moves on."""
    text, last = "", 0
    for column, number in zip(columns, numbers, strict=True):
        text, last = text + shown.text[last:column] + number, column
    styles = tuple((*_moved((start, end), columns), style) for start, end, style in shown.styles)
    pieces = tuple(_moved_piece(part, columns) for piece in shown.pieces for part in _parted(piece, columns))
    return replace(shown, text=text + shown.text[last:], styles=styles, pieces=pieces)


def _moved(span: tuple[int, int], columns: Sequence[int]) -> tuple[int, int]:
    start, end = span
    return start + bisect_right(columns, start), end + bisect_left(columns, end)


def _moved_piece(piece: Piece, columns: Sequence[int]) -> Piece:
    first, last, start, end = piece
    return first, last, *_moved((start, end), columns)


def _parted(piece: Piece, columns: Sequence[int]) -> Iterator[Piece]:
    """Part a piece that stands as it is in the document where a number comes into it."""
    first, last, start, end = piece
    if last - first == end - start:
        for column in columns[bisect_right(columns, start) : bisect_left(columns, end)]:
            yield first, first + column - start, start, column
            first, start = first + column - start, column
    yield first, last, start, end
