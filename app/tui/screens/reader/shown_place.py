"""Where in the document one is, as the reader shows it: the lines above and below the text, and the outline."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from textual.content import Content

from app.tui.screens.reader import bar_lines
from app.tui.screens.reader.find_row import FindRow
from app.tui.screens.reader.highlights import Span
from app.tui.screens.reader.link_follower import LinkFollower
from app.tui.screens.reader.outline_view import OutlineView
from app.tui.screens.reader.view import ReaderView
from app.tui.theme import QUIET
from app.tui.widgets.built_line import BuiltLine


@dataclass(frozen=True, slots=True)
class PlaceWidgets:
    """What shows the place, and what it is told from."""

    title_bar: BuiltLine
    place_bar: BuiltLine
    outline: OutlineView
    text: ReaderView
    find_row: FindRow


class ShownPlace:
    """The place that is read: what was jumped to last while it is in sight, else the top of the screen."""

    def __init__(self, clock: Callable[[], float], widgets: PlaceWidgets, links: LinkFollower) -> None:
        self.here: Span | None = None
        """What was jumped to last."""
        self.trouble = ""
        """Why the document that was asked for is not shown."""
        self._clock = clock
        self._widgets = widgets
        self._links = links

    @property
    def offset(self) -> int:
        """Where one is in the document's text."""
        text = self._widgets.text
        return self.here[0] if self.here and text.span_in_sight(self.here) else text.top

    def jump(self, span: Span, *, always: bool = False) -> None:
        """Go to a span, which is where one is from now on; with `always` to the top even where it is in sight."""
        self.here = span
        self._widgets.text.reveal(span[0], always=always)
        self._widgets.text.repaint()
        self.show()

    def show(self) -> None:
        """Mark the heading below which one reads, and say where that is."""
        outline, book = self._widgets.outline, self._widgets.text.book
        if book is not None and book.headings and not outline.has_focus:
            below = bisect_right(book.headings, self.offset, key=lambda heading: heading.start)
            outline.choose(max(0, below - 1))
        self.tell()

    def tell(self) -> None:
        """Say what is read and where in it one is."""
        shown, text = self._widgets, self._widgets.text
        now = self._clock()
        shown.title_bar.show(partial(bar_lines.title_line, text.book, now, self._links.trail, self.trouble))
        here, top, bottom = self.offset, text.top, text.bottom
        shown.place_bar.show(partial(bar_lines.place_line, text.book, top, bottom, here, self._said()))

    def _said(self) -> Content:
        """Return what stands at the left of the lowest line."""
        if self.trouble:
            return Content.styled(self.trouble, QUIET)
        found = self._widgets.find_row.words(self._widgets.text.marks.current)
        return found or (bar_lines.link_words(self._links.chosen) if self._links.chosen else Content())
