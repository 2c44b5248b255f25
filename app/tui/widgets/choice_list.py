"""A list of choices, each of one line or more, with a bar before the one that is selected."""

from __future__ import annotations

from rich.segment import Segment
from textual.strip import Strip
from textual.widgets import OptionList

from app.tui.theme import BAR


class ChoiceList(OptionList):
    """An OptionList in which more than a shade tells the selected option: 16 colours have no shades."""

    COMPONENT_CLASSES = {"choices--bar"}
    DEFAULT_CSS = """
    ChoiceList, ChoiceList:focus {
        border: none; padding: 0; background: $background; background-tint: $background 0%; overflow-x: hidden;
        scrollbar-size-vertical: 1;
    }
    ChoiceList > .option-list--option { padding: 0 1 0 2; }
    ChoiceList > .option-list--option-highlighted, ChoiceList:focus > .option-list--option-highlighted {
        background: $chosen; color: $bright; text-style: none;
    }
    ChoiceList > .choices--bar { color: $lead; }
    """

    def render_line(self, y: int) -> Strip:
        """Return one line of the screen, with the bar where it belongs to the selected option."""
        strip = super().render_line(y)
        place = next((segment.style.meta.get("option") for segment in strip if segment.style), None)
        if place is None or place != self.highlighted:
            return strip
        style = next(segment.style for segment in strip if segment.style)
        bar = Segment(BAR, style + self.get_component_rich_style("choices--bar", partial=True))
        return Strip([bar, *strip.crop(1)], strip.cell_length)
