"""The lines of a block of a page while its words are gathered, each word with the line of the file where it stands."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.sources.encodings import storable
from engine.sources.readers.text_builder import INVISIBLE

_BLANKS = " \t\r\n\f\v"
JOINT = " | "
MARKED = 8  # code points before a mark that tell whether it belongs to a word

_Piece = tuple[str, int]  # text without line ends, and the line of the file where it stands, 0: not known


@dataclass(slots=True)
class _Line:
    """A line: what stands before its words, and the pieces of each of its cells."""

    lead: str = ""
    cells: list[list[_Piece]] = field(default_factory=list)


class GatheredLines:
    """Words on their way into one block. `raw`: blanks and line ends count, as in a text that its author set out."""

    def __init__(self) -> None:
        self.raw = False
        self.last = ""
        """The end of what was taken, by which a mark behind a word is told."""
        self._lines = [_Line()]

    def begin(self, lead: str = "") -> None:
        """Begin a new line; `lead` stands before its words, if any come."""
        self.last = ""
        if self.raw or any(self._lines[-1].cells):
            self._lines.append(_Line(lead))
        else:
            self._lines[-1] = _Line(lead)

    def next_cell(self) -> None:
        """Begin a cell of the line."""
        self.last = ""
        self._lines[-1].cells.append([])

    def say(self, text: str, number: int) -> None:
        """Add a piece of the page that begins on line `number` of the file, 0 where that is not known."""
        if "\r" in text or not text.isascii():
            text = storable(text).translate(INVISIBLE)
        if "\n" not in text:  # most pieces
            self._add(text, number)
            return
        for place, part in enumerate(text.split("\n")):
            if place and self.raw:
                self.begin()
            elif place:
                self._add(" ", 0)
            if part:
                self._add(part, number and number + place)

    def _add(self, text: str, number: int) -> None:
        if not text:
            return
        cells = self._lines[-1].cells
        if not cells:
            if not self.raw and not text.strip(_BLANKS):
                return  # what stands between the cells of a row
            cells.append([])
        cells[-1].append((text, number))
        self.last = (self.last + text)[-MARKED:]

    def take(self) -> tuple[str, list[tuple[int, int]]]:
        """Return the text, and pairs of an offset in it and the line of the file where its words stand; begin anew."""
        raw, lines = self.raw, self._lines
        self.raw, self.last, self._lines = False, "", [_Line()]
        text = _Text()
        for line in lines:
            if raw:
                text.add_raw([piece for cell in line.cells for piece in cell])
            else:
                text.add_words(line.lead, line.cells)
        return text.written.rstrip(), text.places


class _Text:
    """The text of a block while its lines are put together."""

    def __init__(self) -> None:
        self.places: list[tuple[int, int]] = []
        self._pieces: list[str] = []
        self._length = 0

    @property
    def written(self) -> str:
        """The text so far."""
        return "".join(self._pieces)

    def add_raw(self, pieces: list[_Piece]) -> None:
        """Add a line as it is; blank ones at the beginning are left out."""
        if not self._pieces and not any(piece.strip() for piece, _ in pieces):
            return
        self._put("\n" if self._pieces else "", 0)
        for piece, number in pieces:
            self._put(piece, number)

    def add_words(self, lead: str, cells: list[list[_Piece]]) -> None:
        """Add a line of cells, each with one blank between its words; one that holds no word is left out."""
        if not any(piece.strip() for cell in cells for piece, _ in cell):
            return
        self._put(("\n" if self._pieces else "") + lead, 0)
        for place, cell in enumerate(cells):
            self._put(JOINT if place else "", 0)
            blank = begun = False
            for piece, number in cell:
                words = " ".join(piece.split())
                if words:
                    gap = " " if begun and (blank or piece[0].isspace()) else ""
                    self._put(gap, 0)
                    self._put(words, number)
                    begun = True
                    blank = piece[-1].isspace()
                else:
                    blank = blank or bool(piece)

    def _put(self, text: str, number: int) -> None:
        if number and (not self.places or self.places[-1][1] != number):
            self.places.append((self._length, number))
        self._pieces.append(text)
        self._length += len(text)
