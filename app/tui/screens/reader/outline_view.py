"""The outline beside the text: the headings, the one that is being read marked, to be jumped to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.message import Message
from textual.strip import Strip

from app.tui.screens.reader.headings import Heading
from app.tui.theme import ACCENT, BAR, BRIGHT, QUIET
from app.tui.widgets.line_views import paint
from app.tui.widgets.row_list import RowList

INDENT = 2


class OutlineView(RowList):
    """One heading a row. The selection moves with the text while it has no focus, and with the keys while it has."""

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

    def show(self, headings: Sequence[Heading]) -> None:
        """Show the headings of another document."""
        self.headings = headings
        self.set_reactive(OutlineView.selected, 0)
        self.scroll_to(y=0, animate=False, immediate=True)
        self.lay_out()
        self.paint_changes()

    def choose(self, place: int) -> None:
        """Select a heading and bring it into sight."""
        self.selected = max(0, min(place, len(self.headings) - 1))
        self.reveal()  # the selected one too: the text may have been scrolled meanwhile

    def scroll_rows(self, rows: int) -> None:
        """Select the heading so many further down."""
        self.choose(self.selected + rows)

    def scroll_pages(self, pages: int) -> None:
        """Select the heading so many screens further down."""
        self.choose(self.selected + pages * max(1, self.size.height - 1))

    def scroll_to_edge(self, last: bool) -> None:
        """Select the last heading, or the first."""
        self.choose(len(self.headings) if last else 0)

    def take(self) -> None:
        """Ask to jump to the selected heading."""
        if self.headings:
            self.post_message(self.Chosen(self.headings[self.selected]))

    def count_lines(self) -> int:
        """Return how many headings there are."""
        return len(self.headings)

    def reveal(self) -> None:
        """Scroll the selected heading to a third of the height where it is out of sight."""
        at, height = self.scroll_offset.y, self.size.height
        if self.selected < at or self.selected >= at + height:
            self.scroll_to(y=max(0, self.selected - height // 3), animate=False, immediate=True)

    def look(self, line: int) -> str:
        """Return how the selected heading is marked: strongly while the outline has the focus."""
        return ("chosen" if self.has_focus else "kept") if line == self.selected else ""

    def paint_line(self, line: int, look: str, width: int) -> Strip:
        """Return the line of a heading."""
        if line >= len(self.headings):
            empty = Content.styled("  No headings here.", QUIET) if line == 0 and not self.headings else Content()
            return paint(self, empty, width)
        heading = self.headings[line]
        indent = " " * min(INDENT * (heading.level - 1), max(0, width // 3))
        ink = f"bold {BRIGHT}" if look else ("" if heading.level <= 2 else QUIET)
        built = Content.assemble((f"{BAR} " if look else "  ", ACCENT), indent, (heading.text, ink))
        style = "outline--chosen" if look == "chosen" else ""
        return paint(self, built.truncate(max(1, width - 1), ellipsis=True), width, style)

    def on_click(self, event: events.Click) -> None:
        """Jump to the heading that was clicked."""
        place = event.y + self.scroll_offset.y
        if place < len(self.headings):
            self.choose(place)
            self.take()
