"""The chips: what a query was understood to restrict, each of which a click takes away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget

from app.tui.screens.search.query_text import Chip
from app.tui.theme import BRIGHT, QUIET

_GAP = "  "
SHORTER_CELLS = (12, 8)
VALUE_CELLS = 24  # of one chip; a longer value is cut, it stands in the query line in full


class ChipLine(Widget):
    """As wide as its chips; nothing where there are none."""

    DEFAULT_CSS = """
    ChipLine { width: auto; max-width: 60%; height: 1; }
    """

    @dataclass
    class Removed(Message):
        """A chip was clicked."""

        chip: Chip

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.chips: tuple[Chip, ...] = ()
        self.tooltip = Content("A click takes it away; alt+z takes away the last.")

    def show(self, chips: Sequence[Chip]) -> None:
        """Show other chips."""
        if tuple(chips) != self.chips:
            self.chips = tuple(chips)
            self.display = bool(chips)
            self.refresh(layout=True)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """Return how wide the chips are where nothing is cut."""
        return _cells(_painted_all(self.chips, VALUE_CELLS))

    def render(self) -> Content:
        """Return the chips side by side, with a gap after the last."""
        shown = fitting(self.chips, self.content_size.width)
        return Content.assemble(*(Content.assemble(chip, _GAP) for chip in shown))

    def on_click(self, event: events.Click) -> None:
        """Tell which chip was clicked."""
        column = 0
        for chip, shown in zip(self.chips, fitting(self.chips, self.content_size.width), strict=False):
            width = shown.cell_length
            if column <= event.x < column + width:
                event.stop()
                self.post_message(self.Removed(chip))
                return
            column += width + len(_GAP)


def fitting(chips: Sequence[Chip], width: int) -> list[Content]:
    """Return the chips as they have room: whole, with shorter values, else as many as fit and how many more."""
    for cells in (VALUE_CELLS, *SHORTER_CELLS):
        shown = _painted_all(chips, cells)
        if _cells(shown) <= width:
            return shown
    for kept in range(len(chips) - 1, 0, -1):
        more = Content.styled(f"+{len(chips) - kept}", QUIET)
        if _cells([*shown[:kept], more]) <= width:
            return [*shown[:kept], more]
    return shown[:1]


def _painted_all(chips: Sequence[Chip], cells: int) -> list[Content]:
    return [painted(chip, cells) for chip in chips]


def _cells(shown: Sequence[Content]) -> int:
    return sum(chip.cell_length + len(_GAP) for chip in shown)


def painted(chip: Chip, cells: int = VALUE_CELLS) -> Content:
    """Return one chip with the sign that takes it away, its value in at most so many cells."""
    value = Content.styled(chip.value, BRIGHT).truncate(cells, ellipsis=True)
    return Content.assemble((chip.name, QUIET), value, (" ×", QUIET))
