"""The desk that is read at: puts the widgets together, opens documents, and says where in them one is."""

from __future__ import annotations

import logging
from bisect import bisect_right
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Input

from app.tui.actions import Where
from app.tui.background import in_background
from app.tui.freshness import Reindexing
from app.tui.ports import LibraryPort
from app.tui.screens.carrel_screen import CarrelScreen
from app.tui.screens.reader import bars
from app.tui.screens.reader.book import Book, open_book
from app.tui.screens.reader.headings import heading_named
from app.tui.screens.reader.highlights import Marks, Span
from app.tui.screens.reader.layout import Layout
from app.tui.screens.reader.links import DocumentLink
from app.tui.screens.reader.outline_view import OutlineView
from app.tui.screens.reader.text_find import MOST_FOUND
from app.tui.screens.reader.trail import Reading, Trail
from app.tui.screens.reader.view import ReaderView
from app.tui.theme import ACCENT, QUIET
from app.tui.threads import in_thread
from app.tui.widgets.built_line import BuiltLine
from app.tui.widgets.footer import KeyLine
from app.wording.safe_text import one_line
from engine.paths import display

_log = logging.getLogger("carrel")
NARROW_COLUMNS = 100


class Desk(CarrelScreen):
    """A whole document, its outline, and a line that says where in it one is."""

    CSS_PATH = "reader.tcss"
    AUTO_FOCUS = "ReaderView"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (NARROW_COLUMNS, "-wide")]

    title_bar = query_one("#reader-title", BuiltLine)
    outline = query_one(OutlineView)
    text = query_one(ReaderView)
    place_bar = query_one("#place", BuiltLine)
    find_line = query_one("#find", Input)

    def __init__(self, reading: Reading) -> None:
        super().__init__()
        self.reading = reading
        self.book: Book | None = None
        self.trail = Trail()
        self.found: list[Span] = []
        self.link: DocumentLink | None = None
        self.here: Span | None = None  # what was jumped to last: where one is while it is in sight
        self._trouble = ""  # why the document that was asked for is not shown
        self._reindexing = Reindexing()

    def compose(self) -> ComposeResult:
        """Lay out the widgets from top to bottom."""
        yield BuiltLine(id="reader-title")
        with Horizontal(id="desk"):
            yield OutlineView(id="outline")
            yield ReaderView(id="text")
        with Horizontal(id="find-row"):
            yield BuiltLine(id="find-bar")
            yield Input(placeholder="Find in this text", compact=True, select_on_focus=True, id="find")
        yield BuiltLine(id="place")
        yield KeyLine(id="keys")

    def on_mount(self) -> None:
        """Open the document once the widgets know their size."""
        self.query_one("#find-bar", BuiltLine).show(lambda width: Content.styled("/", ACCENT))
        self.find_line.cursor_blink = self.carrel.ports.pace.blink
        self.carrel.commit_signal.subscribe(self, self._library_changed)
        self.tell()
        self.call_after_refresh(self._begin)

    def where(self) -> Where:
        """Return whether letters are keys, or are written into the line that finds."""
        return "query" if self.find_line.has_focus else "rows"

    def on_descendant_focus(self) -> None:
        """Show the keys of the part that has the focus now."""
        self.query_one(KeyLine).refresh()

    # --- opening ------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        reading = self.reading
        self.text.marks = Marks(reading.passage, reading.sentence, reading.words)
        self.here = reading.passage
        self.open_document(reading.path, reading.passage[0] if reading.passage else 0, at_top=reading.passage is None)

    def open_document(self, path: bytes, offset: int, anchor: str = "", at_top: bool = True) -> None:
        """Open a document at a place, or at the heading that `anchor` names."""
        in_background(self, partial(self._load, path, offset, anchor, at_top), "open", exclusive=True)

    async def _load(self, path: bytes, offset: int, anchor: str, at_top: bool) -> None:
        """Read a document and lay it out in a thread, then show it at a place, or at a heading."""
        opened = self.carrel.opened
        if opened is None:
            return
        try:
            book, layout = await in_thread(partial(self._ready, opened.library, path, offset))
        except Exception:
            _log.exception("A document could not be read: %r", path)
            self._refuse("This note could not be read.", f"{display(path)} could not be read. The log says why.")
            return
        if book is None or layout is None:
            self._refuse("This note has left the library.", f"{display(path)} is not in the library any more.")
            return
        heading = heading_named(book.headings, anchor) if anchor else None
        if heading is not None:
            offset, at_top = heading.start, True
        self._show(book, layout, offset, at_top)

    def _refuse(self, trouble: str, told: str) -> None:
        """Say why a document is not shown, on the lowest line for good; what was read before stays."""
        self._trouble = trouble
        self.tell()
        self.notify(one_line(told), severity="warning", markup=False)

    def _ready(self, library: LibraryPort, path: bytes, offset: int) -> tuple[Book | None, Layout | None]:
        book = open_book(library, path, self.carrel.ports.freshness, offset)
        if book is not None and book.freshness != "same":
            self._reindexing.ask(library, book.document)
        return book, self.text.layout_for(book) if book else None

    def _show(self, book: Book, layout: Layout, offset: int, at_top: bool) -> None:
        self.book, self._trouble = book, ""
        self.outline.show(book.headings)
        self.text.show(book, layout, offset, at_top=at_top)
        self._follow_outline()
        self.tell()

    def _library_changed(self, _version: int) -> None:
        """Read the document anew where its file is not what is shown; the place stays."""
        if self.book is not None:
            in_background(self, partial(self._look_again, self.book), "look", exclusive=True)

    async def _look_again(self, book: Book) -> None:
        opened = self.carrel.opened
        if opened is None or (await in_thread(partial(self.carrel.ports.freshness, book.document))) == "same":
            return
        top = self.text.top
        newer, layout = await in_thread(partial(self._ready, opened.library, book.document.path, top))
        if newer is not None and layout is not None and self.book is book:
            if newer.document.text != book.document.text:
                self.text.marks = Marks(words=self.text.marks.words)
                self.found, self.link, self.here = [], None, None
            self._show(newer, layout, min(top, len(newer.document.text)), at_top=True)

    # --- what is told -------------------------------------------------------------------------------------------

    @on(ReaderView.Moved)
    def _moved(self) -> None:
        self._follow_outline()
        self.tell()

    def _follow_outline(self) -> None:
        """Mark the heading below which one reads."""
        if self.book is None or not self.book.headings or self.outline.has_focus:
            return
        here = self.place()
        self.outline.choose(max(0, bisect_right(self.book.headings, here, key=lambda heading: heading.start) - 1))

    def tell(self) -> None:
        """Say what is read and where in it one is."""
        now = self.carrel.ports.clock()
        self.title_bar.show(partial(bars.title_line, self.book, now, self.trail, self._trouble))
        here, top, bottom = self.place(), self.text.top, self.text.bottom
        self.place_bar.show(partial(bars.place_line, self.book, top, bottom, here, self._said()))

    def _said(self) -> Content:
        """Return what stands at the left of the lowest line."""
        if self._trouble:
            return Content.styled(self._trouble, QUIET)
        if self.find_line.value.strip() and (self.found or self.find_line.has_focus):
            current = self.text.marks.current
            place = self.found.index(current) + 1 if current in self.found else 0
            return bars.found_words(place, len(self.found), MOST_FOUND, typing=self.find_line.has_focus)
        return bars.link_words(self.link) if self.link else Content()

    def place(self) -> int:
        """Return where one is: what was jumped to last while it is in sight, else the top of the screen."""
        return self.here[0] if self.here and self.text.span_in_sight(self.here) else self.text.top

    def jump(self, span: Span, *, always: bool = False) -> None:
        """Go to a span, which is where one is from now on."""
        self.here = span
        self.text.reveal(span[0], always=always)
        self.text.repaint()
        self._follow_outline()
        self.tell()
