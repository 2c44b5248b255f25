"""The lines of a block of a page while its words are gathered, each with the line of the file where it begins."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from engine.sources.encodings import storable

_BLANKS = " \t\r\n\f\v"
_SPACES = re.compile(f"[{_BLANKS}]+")
JOINT = " | "


@dataclass(slots=True)
class _Line:
    """A line: what stands before its words, the pieces of each of its cells, and where it begins, 0: not known."""

    lead: str = ""
    cells: list[list[str]] = field(default_factory=list)
    number: int = 0


class GatheredLines:
    """Words on their way into one block. `raw`: blanks and line ends count, as in a text that its author set out."""

    def __init__(self) -> None:
        self.raw = False
        self.last = ""
        """The last piece that was taken, by which a mark behind a word is told."""
        self._lines = [_Line()]

    def begin(self, lead: str = "") -> None:
        """Begin a new line; `lead` stands before its words, if any come."""
        if self.raw or any(map(any, self._lines[-1].cells)):
            self._lines.append(_Line(lead))
        else:
            self._lines[-1] = _Line(lead)

    def next_cell(self) -> None:
        """Begin a cell of the line."""
        self._lines[-1].cells.append([])

    def say(self, text: str, number: int) -> None:
        """Add a piece of the page that begins on line `number` of the file, 0 where that is not known."""
        if self.raw:
            for place, part in enumerate(storable(text).split("\n")):
                if place:
                    self.begin()
                self._add(part, number and number + place)
        else:
            lead = len(text) - len(text.lstrip(_BLANKS))
            self._add(_SPACES.sub(" ", text), number and number + text.count("\n", 0, lead))

    def _add(self, text: str, number: int) -> None:
        line = self._lines[-1]
        if text.strip():
            line.number = line.number or number
        elif not line.cells and not self.raw:
            return  # what stands between the cells of a row
        if not line.cells:
            line.cells.append([])
        line.cells[-1].append(text)
        self.last = text or self.last

    def take(self) -> tuple[str, list[int]]:
        """Return the text, and for each of its lines where it begins; then begin anew."""
        raw, lines = self.raw, self._lines
        self.raw, self.last, self._lines = False, "", [_Line()]
        written: list[str] = []
        numbers: list[int] = []
        for line in lines:
            words = "".join(map("".join, line.cells)) if raw else _joined(line.cells)
            if words or (raw and written):
                written.append(words if raw else line.lead + words)
                numbers.append(line.number)
        return "\n".join(written).rstrip(), numbers


def _joined(cells: list[list[str]]) -> str:
    words = [" ".join(storable("".join(cell)).split()) for cell in cells]
    return JOINT.join(words) if any(words) else ""
