"""The chips: what a query was understood to restrict, each of which a click takes away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from app.tui.screens.search.query_text import Chip
from app.tui.theme import ACCENT, QUIET

_GAP = "  "
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
        self.tooltip = Content("A click takes it away; ctrl+z takes away the last.")

    def show(self, chips: Sequence[Chip]) -> None:
        """Show other chips."""
        if tuple(chips) != self.chips:
            self.chips = tuple(chips)
            self.display = bool(chips)
            self.refresh(layout=True)

    def render(self) -> Content:
        """Return the chips side by side, with a gap after the last."""
        return Content.assemble(*(Content.assemble(painted(chip), _GAP) for chip in self.chips))

    def on_click(self, event: events.Click) -> None:
        """Tell which chip was clicked."""
        column = 0
        for chip in self.chips:
            width = painted(chip).cell_length
            if column <= event.x < column + width:
                event.stop()
                self.post_message(self.Removed(chip))
                return
            column += width + len(_GAP)


def painted(chip: Chip) -> Content:
    """Return one chip with the sign that takes it away."""
    value = Content.styled(chip.value, ACCENT).truncate(VALUE_CELLS, ellipsis=True)
    return Content.assemble((chip.name, QUIET), value, (" ×", QUIET))
