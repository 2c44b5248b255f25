"""Which rows the units of a document take at one width, so that any row of a long document is found at once."""

from __future__ import annotations

from array import array
from bisect import bisect_right

from rich.cells import get_character_cell_size
from textual.content import Content

from app.tui.pages.line_wrap import ONE_ROW
from app.tui.pages.painter import Painter

MEASURE = 100  # cells: longer lines of prose lose the eye


class Layout:
    """The rows of a document. Without `wrap` each unit is one row, however long."""

    def __init__(self, painter: Painter, width: int, wrap: bool) -> None:
        self.painter = painter
        self.wrap = wrap
        self.number_cells = len(str(painter.units.lines[-1])) + 1 if painter.numbered and len(painter.units) else 0
        self.width = self.width_in(width)
        self._edge = self.width + (width - self.number_cells - self.width) // 2  # a table may go beyond the prose
        self._tops = array("L", [0])
        total = 0
        for unit in range(len(painter.units)):
            total += painter.rows(unit, self.width) if wrap else 1
            self._tops.append(total)

    def width_in(self, width: int) -> int:
        """Return how wide the text is laid out in so many cells."""
        room = max(8, width - self.number_cells)
        return room if self.painter.numbered or not self.wrap else min(room, MEASURE)

    @property
    def centred(self) -> bool:
        """Whether the text is prose of a measure of its own, which may stand in the middle of a wider screen."""
        return self.wrap and not self.painter.numbered

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self._tops[-1]

    def unit_at(self, row: int) -> tuple[int, int]:
        """Return the unit of a row, and which of the unit's rows it is."""
        unit = min(bisect_right(self._tops, max(0, row)) - 1, len(self._tops) - 2)
        return unit, row - self._tops[unit]

    def starts(self, unit: int) -> tuple[int, ...]:
        """Return where in a unit's shown text its rows begin."""
        return self.painter.line(unit).starts(self.width) if self.wrap else ONE_ROW

    def row_of(self, offset: int) -> int:
        """Return the row on which an offset of the text stands."""
        unit = self.painter.units.at(offset)
        shown = self.painter.line(unit)
        within = offset - self.painter.units.starts[unit]
        rest = shown.on_screen(within, self.painter.units.ends[unit] + 1)
        column = next((start for start, _ in rest), len(shown.text))  # hidden: where the next sign stands
        return self._tops[unit] + max(0, bisect_right(self.starts(unit), column) - 1)

    def offset_of(self, row: int) -> int:
        """Return where in the text a row begins."""
        unit, part = self.unit_at(row)
        starts = self.starts(unit)
        column = starts[min(part, len(starts) - 1)]
        return self.painter.units.starts[unit] + (self.painter.line(unit).in_line(column) if column else 0)

    def row(self, line: Content, starts: tuple[int, ...], part: int, unit: int) -> Content:
        """Return one of the rows of a unit's painted line."""
        shown = self.painter.line(unit)
        return shown.row(line, starts, part, self._edge if shown.clipped else self.width) if self.wrap else line

    def place_at(self, row: int, cell: int) -> int:
        """Return which place of the text stands at a cell of a row, -1 where none does."""
        unit, part = self.unit_at(row)
        shown, starts = self.painter.line(unit), self.starts(unit)
        if part >= len(starts) or cell < 0:
            return -1
        cell -= shown.hang if part and shown.hang <= self.width // 2 else 0
        for column in range(starts[part], starts[part + 1] if part + 1 < len(starts) else len(shown.text)):
            cell -= get_character_cell_size(shown.text[column])
            if cell < 0:
                return self.painter.units.starts[unit] + shown.in_line(column)
        return -1
