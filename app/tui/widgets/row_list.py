"""What lists of rows share: a selection, and lines that are painted once."""

from __future__ import annotations

from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip

from app.tui.widgets.line_views import PaintedView


class RowList(PaintedView, can_focus=True, inherit_bindings=False):  # the arrows select, they do not scroll
    """Rows of which one is selected, drawn line by line.

    A list says how many lines there are and paints one of them; the selection, the painting of what is in sight and
    the layout for another width are the same for all.
    """

    selected: reactive[int] = reactive(0, init=False, repaint=False)  # the rows concerned are painted

    def count_lines(self) -> int:
        """Return how many lines the rows take at the present width."""
        return 0

    def look(self, line: int) -> str:
        """Return what a line looks like by the selection, "" where it is not part of it."""
        return ""

    def paint_line(self, line: int, look: str, width: int) -> Strip:
        """Return a line of a look."""
        return Strip.blank(width, self.rich_style)

    def reveal(self) -> None:
        """Scroll as little as shows the selected row."""

    def announce(self) -> None:
        """Tell which row is selected, where that is another one than was told last."""

    def lay_out(self) -> None:
        """Take the rows and the width as they are now; `paint_changes` shows them, once they are where they belong."""
        self.strips.clear()
        self.virtual_size = Size(self.scrollable_content_region.width, self.count_lines())

    def watch_selected(self) -> None:
        """Paint the selection, bring it into sight and tell it."""
        self.reveal()
        self.paint_changes()
        self.announce()

    def on_resize(self) -> None:
        """Lay the rows out for the new width and keep the selected one in sight."""
        self.lay_out()
        self.reveal()
        self.paint_changes()

    def strip_at(self, y: int) -> Strip:
        """Return what stands on a line of the view, painted once for each of its looks."""
        line = y + self.scroll_offset.y
        key = line, self.look(line)
        if key not in self.strips:
            self.strips[key] = self.paint_line(*key, self.scrollable_content_region.width)
        return self.strips[key]
