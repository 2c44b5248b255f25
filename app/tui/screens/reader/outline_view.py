"""The outline beside the text: the headings, the one that is being read marked, to be jumped to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from app.tui.screens.reader.headings import Heading
from app.tui.theme import ACCENT, BRIGHT, QUIET
from app.tui.widgets.line_views import paint

INDENT = 2


class OutlineView(ScrollView, can_focus=True, inherit_bindings=False):
    """One heading a row. `chosen` moves with the text while it has no focus, and with the keys while it has."""

    COMPONENT_CLASSES = {"outline--chosen"}
    DEFAULT_CSS = """
    OutlineView { overflow-x: hidden; scrollbar-size-vertical: 1; }
    """

    @dataclass
    class Chosen(Message):
        """A heading was chosen to jump to."""

        heading: Heading

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.headings: Sequence[Heading] = ()
        self.chosen = 0

    def show(self, headings: Sequence[Heading]) -> None:
        """Show the headings of another document."""
        self.headings, self.chosen = headings, 0
        self.virtual_size = Size(self.scrollable_content_region.width, len(headings))
        self.scroll_to(y=0, animate=False, immediate=True)
        self.refresh()

    def choose(self, place: int) -> None:
        """Mark a heading and bring it into sight."""
        place = max(0, min(place, len(self.headings) - 1))
        if place != self.chosen:
            self.chosen = place
            self.refresh()
        at, height = self.scroll_offset.y, self.size.height
        if place < at or place >= at + height:
            self.scroll_to(y=max(0, place - height // 3), animate=False, immediate=True)

    def take(self) -> None:
        """Ask to jump to the marked heading."""
        if self.headings:
            self.post_message(self.Chosen(self.headings[self.chosen]))

    def render_line(self, y: int) -> Strip:
        """Return one row of the screen."""
        place, width = y + self.scroll_offset.y, self.scrollable_content_region.width
        if place >= len(self.headings):
            empty = Content.styled("  No headings here.", QUIET) if y == 0 and not self.headings else Content()
            return paint(self, empty, width)
        heading, chosen = self.headings[place], place == self.chosen
        indent = " " * min(INDENT * (heading.level - 1), max(0, width // 3))
        ink = f"bold {BRIGHT}" if chosen else ("" if heading.level <= 2 else QUIET)
        line = Content.assemble(("▌ " if chosen else "  ", ACCENT), indent, (heading.text, ink))
        style = "outline--chosen" if chosen and self.has_focus else ""
        return paint(self, line.truncate(max(1, width - 1), ellipsis=True), width, style)

    def on_resize(self) -> None:
        """Keep the width of what is scrolled."""
        self.virtual_size = Size(self.scrollable_content_region.width, len(self.headings))

    def on_click(self, event: events.Click) -> None:
        """Jump to the heading that was clicked."""
        place = event.y + self.scroll_offset.y
        if place < len(self.headings):
            self.choose(place)
            self.take()
