"""The text of the reader: drawn row by row, so that five megabytes scroll like five lines."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from app.tui.background import in_background
from app.tui.browser import browser_of
from app.tui.pictures.note_pictures import cells_of
from app.tui.screens.reader.book import Book
from app.tui.screens.reader.highlights import Marks, Span
from app.tui.screens.reader.layout import Layout
from app.tui.screens.reader.links import DocumentLink
from app.tui.theme import ACCENT, QUIET
from app.tui.widgets.line_views import PaintedView, paint

MARGIN_CELLS = 2
MOST_STRIPS = 1_000
LEAD = 4  # what is found is shown a fourth of the height below the top
SIDE_STEP = 8


class ReaderView(PaintedView, can_focus=True, inherit_bindings=False):
    """Shows a book. Places are offsets of the document's text, which stay when the width changes."""

    DEFAULT_CSS = """
    ReaderView { overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1; }
    """

    @dataclass
    class Moved(Message):
        """Another part of the text is in sight."""

        def can_replace(self, message: Message) -> bool:
            """Only the last of several counts."""
            return isinstance(message, ReaderView.Moved)

    @dataclass
    class Clicked(Message):
        """A link was clicked."""

        link: DocumentLink

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.book: Book | None = None
        self.marks = Marks()
        self.wrap = True
        self._layout: Layout | None = None
        self._dressed: dict[int, tuple[Content, tuple[int, ...]]] = {}
        self._left = 0

    # --- what is shown ------------------------------------------------------------------------------------------

    @property
    def text_width(self) -> int:
        """How many cells a row of text may take."""
        return max(8, self.scrollable_content_region.width - MARGIN_CELLS)

    @property
    def indent(self) -> int:
        """How far the text is moved in, so that it stands in the middle of a screen wider than it reads well."""
        return max(0, self.text_width - self._layout.width) // 2 if self._layout and self._layout.centred else 0

    def layout_for(self, book: Book) -> Layout:
        """Lay a book out for the present width; a tenth of a second for five megabytes, so call it in a thread."""
        return Layout(book.painter, self.text_width, self.wrap)

    def show(self, book: Book, layout: Layout, offset: int, *, at_top: bool = False) -> None:
        """Show a book with the place `offset` in sight, or at the top."""
        self.book, self._layout, self._left = book, layout, 0
        self._forget()
        self.virtual_size = Size(self.scrollable_content_region.width, layout.rows)
        row = layout.row_of(offset) if offset else 0  # above the first line a page may be named
        self._scroll_to_row(row if at_top else row - self.size.height // LEAD)
        self.paint_changes()

    def show_pictures(self) -> None:
        """Show the pictures of the book once they are made, in the background."""
        if self.book is not None and self.book.pictures:
            in_background(self, partial(self._show_pictures, self.book), "pictures", exclusive=True)

    async def _show_pictures(self, book: Book) -> None:
        cells = await cells_of(browser_of(self), book.document.path, book.pictures)
        if cells and self.book is book:
            book.painter.show_pictures(cells)
            self.lay_out_again()

    def repaint(self) -> None:
        """Paint anew after the marks have changed."""
        self._forget()
        self.paint_changes()

    def fold(self, wrap: bool) -> None:
        """Fold long lines, or let them run out of sight."""
        self.wrap = wrap
        self.lay_out_again()

    def _forget(self) -> None:
        self.strips.clear()
        self._dressed.clear()

    def lay_out_again(self) -> None:
        """Lay the book out anew; what stands at the top stays there."""
        if self.book is not None and self.scrollable_content_region.width > 0:
            top = self.top
            self.show(self.book, self.layout_for(self.book), top, at_top=True)

    def on_resize(self) -> None:
        """Fold anew for another width; what stood at the top stays there."""
        if self._layout is None:
            return
        if self._layout.width_in(self.text_width) != self._layout.width:
            self.lay_out_again()
        else:
            self.strips.clear()

    # --- where it stands ----------------------------------------------------------------------------------------

    @property
    def top(self) -> int:
        """The place at the top of the screen."""
        return self._layout.offset_of(self.scroll_offset.y) if self._layout else 0

    @property
    def bottom(self) -> int:
        """The place behind the last row in sight."""
        if self._layout is None:
            return 0
        row = self.scroll_offset.y + self.size.height
        return self._layout.offset_of(row) if row < self._layout.rows else len(self._layout.painter.units.text) + 1

    def in_sight(self, offset: int) -> bool:
        """Whether a place is on the screen."""
        if self._layout is None:
            return False
        return 0 <= self._layout.row_of(offset) - self.scroll_offset.y < self.size.height

    def reveal(self, offset: int, *, always: bool = False) -> None:
        """Bring a place into sight; with `always` move it to the top even where it is in sight."""
        if self._layout is not None and (always or not self.in_sight(offset)):
            self._scroll_to_row(self._layout.row_of(offset) - (0 if always else self.size.height // LEAD))

    def scroll_rows(self, rows: int) -> None:
        """Scroll by rows."""
        self._scroll_to_row(self.scroll_offset.y + rows)

    def scroll_pages(self, pages: int) -> None:
        """Scroll by screens; one row stays in sight."""
        self._scroll_to_row(self.scroll_offset.y + pages * max(1, self.size.height - 1))

    def scroll_to_edge(self, last: bool) -> None:
        """Scroll to the end, or to the beginning."""
        self._scroll_to_row(self._layout.rows if last and self._layout else 0)

    def scroll_sideways(self, steps: int) -> None:
        """Move lines that are not folded."""
        if not self.wrap:
            self._left = max(0, min(self._left + steps * SIDE_STEP, 4_000))
            self.strips.clear()
            self.paint_changes()

    def _scroll_to_row(self, row: int) -> None:
        most = (self._layout.rows if self._layout else 0) - self.size.height
        self.scroll_to(y=max(0, min(row, most)), animate=False, immediate=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Tell that another part is in sight."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.post_message(self.Moved())

    # --- painting -----------------------------------------------------------------------------------------------

    def strip_at(self, y: int) -> Strip:
        """Return one row of the screen."""
        row = y + self.scroll_offset.y
        if self._layout is None or row >= self._layout.rows:
            return Strip.blank(self.scrollable_content_region.width, self.rich_style)
        if row not in self.strips:
            if len(self.strips) > MOST_STRIPS:
                self._forget()
            self.strips[row] = self._paint(self._layout, row)
        return self.strips[row]

    def _paint(self, layout: Layout, row: int) -> Strip:
        units = layout.painter.units
        unit, part = layout.unit_at(row)
        if unit not in self._dressed:
            dressed = self.marks.paint(layout.painter.line(unit), units.starts[unit], units.ends[unit])
            self._dressed[unit] = dressed, layout.starts(unit)
        line, starts = self._dressed[unit]
        text = layout.row(line, starts, part, unit) if part < len(starts) else Content()
        inside = self.marks.in_passage(units.starts[unit], units.ends[unit]) and units.state(unit) != "page"
        cells = layout.number_cells
        first = part == 0 and (unit == 0 or units.lines[unit - 1] != units.lines[unit])
        number = f"{units.line(unit):>{cells - 1}} " if cells and first else " " * cells
        bar = ("▌ ", ACCENT) if inside else "  "
        margin = Content.assemble(" " * self.indent, bar, (number, QUIET))
        width = self.scrollable_content_region.width
        if self._left:
            text = text[self._left :]
        return paint(self, Content.assemble(margin, text).truncate(width), width)

    def on_click(self, event: events.Click) -> None:
        """Follow the link that was clicked."""
        if self._layout is None or self.book is None:
            return
        row = event.y + self.scroll_offset.y
        if row >= self._layout.rows:
            return
        margin = self.indent + MARGIN_CELLS + self._layout.number_cells
        place = self._layout.place_at(row, event.x - margin + self._left)
        link = next((each for each in self.book.links if each.start <= place < each.end), None) if place >= 0 else None
        if link is not None:
            self.post_message(self.Clicked(link))

    def span_in_sight(self, span: Span | None) -> bool:
        """Whether the beginning of a span is on the screen."""
        return span is not None and self.in_sight(span[0])
