"""The reader: a whole document with its outline, a line that finds, and a line that says where in it one is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.getters import query_one
from textual.widgets import Input

from app.tui.actions import Where, bindings
from app.tui.background import in_background
from app.tui.browser import CarrelScreen
from app.tui.list_keys import MOVING
from app.tui.screens.reader.actions import READER_ACTIONS
from app.tui.screens.reader.book import Book
from app.tui.screens.reader.document_opener import DocumentOpener
from app.tui.screens.reader.find_row import FindRow
from app.tui.screens.reader.highlights import Marks
from app.tui.screens.reader.layout import Layout
from app.tui.screens.reader.link_follower import LinkFollower
from app.tui.screens.reader.links import DocumentLink
from app.tui.screens.reader.outline_view import OutlineView
from app.tui.screens.reader.passage_copy import choose_copy, copy_passage
from app.tui.screens.reader.shown_place import PlaceWidgets, ShownPlace
from app.tui.screens.reader.text_find import beside, following
from app.tui.screens.reader.trail import Reading
from app.tui.screens.reader.view import ReaderView
from app.tui.widgets.built_line import BuiltLine
from app.tui.widgets.footer import KeyLine
from app.wording.safe_text import one_line

NARROW_COLUMNS = 100


class ReaderScreen(CarrelScreen):
    """Moves, finds, follows links, and takes away."""

    ACTIONS = (*READER_ACTIONS, *MOVING)
    BINDINGS = bindings(ACTIONS)
    CSS_PATH = "reader.tcss"
    AUTO_FOCUS = "ReaderView"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (NARROW_COLUMNS, "-wide")]

    title_bar = query_one("#reader-title", BuiltLine)
    outline = query_one(OutlineView)
    text = query_one(ReaderView)
    find_row = query_one(FindRow)
    place_bar = query_one("#place", BuiltLine)

    def __init__(self, reading: Reading, looked_at: Callable[[], None] = lambda: None) -> None:
        """Read a document; `looked_at` is called once it was read for longer than a glance."""
        super().__init__()
        self._looked_at = looked_at
        self.book: Book | None = None
        self._reading = reading
        self._opener = DocumentOpener(self, lambda book: self.text.layout_for(book))
        self._links = LinkFollower(self)

    def compose(self) -> ComposeResult:
        """Lay out the widgets from top to bottom."""
        yield BuiltLine(id="reader-title")
        with Horizontal(id="desk"):
            yield OutlineView(id="outline")
            yield ReaderView(id="text")
        yield FindRow(blink=self.carrel.ports.pace.blink, id="find-row")
        yield BuiltLine(id="place")
        yield KeyLine(id="keys")

    def on_mount(self) -> None:
        """Open the document once the widgets know their size."""
        self.carrel.commit_signal.subscribe(self, self._library_changed)
        self._place = ShownPlace(
            self.carrel.ports.clock,
            PlaceWidgets(self.title_bar, self.place_bar, self.outline, self.text, self.find_row),
            self._links,
        )
        self._place.tell()
        self.call_after_refresh(self._begin)
        in_background(self, self._look, "look")

    async def _look(self) -> None:
        await asyncio.sleep(self.carrel.ports.pace.look)  # is given up with the screen
        self._looked_at()

    def where(self) -> Where:
        """Return whether letters are keys, or are written into the line that finds."""
        return "query" if self.find_row.line.has_focus else "rows"

    def on_descendant_focus(self) -> None:
        """Show the keys of the part that has the focus now."""
        self.query_one(KeyLine).refresh()

    # --- opening ------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        reading = self._reading
        self.text.marks = Marks(reading.passage, reading.sentence, reading.words)
        self._place.here = reading.passage
        offset = reading.passage[0] if reading.passage else 0
        self._opener.open(reading.path, offset, reading.anchor, at_top=reading.passage is None)

    def _library_changed(self, _version: int) -> None:
        """Read the document anew where its file is not what is shown; the place stays."""
        if self.book is not None:
            self._opener.reread(self.book, self.text.top)

    @on(DocumentOpener.Opened)
    def _document_opened(self, message: DocumentOpener.Opened) -> None:
        self._links.arrived()
        self._show(message.book, message.layout, message.offset, message.at_top)
        if self.find_row.sought:  # typed while it was being opened
            self.find_row.look_again(again=False)

    @on(DocumentOpener.Reread)
    def _document_reread(self, message: DocumentOpener.Reread) -> None:
        if self.book is not message.before:
            return
        length, sought = len(message.book.document.text), self.find_row.sought
        if message.book.document.text != message.before.document.text:
            self.text.marks = Marks(words=self.text.marks.words)
            self._let_go()
        self._show(message.book, message.layout, min(message.top, length), at_top=True)
        if sought:
            self.find_row.look_again(again=True)

    def _let_go(self) -> None:
        """Let go of what was found, of the chosen link, and of where one was."""
        self.find_row.found, self._links.chosen, self._place.here = [], None, None

    @on(DocumentOpener.Refused)
    def _document_refused(self, message: DocumentOpener.Refused) -> None:
        """Say why a document is not shown, on the lowest line for good; what was read before stays."""
        self._links.arrived()
        self._place.trouble = message.trouble
        self._place.tell()
        self.notify(one_line(message.told), severity="warning", markup=False)

    def _show(self, book: Book, layout: Layout, offset: int, at_top: bool) -> None:
        self.book, self._place.trouble, self.find_row.text = book, "", book.units.text
        self.outline.show(book.headings)
        self.text.show(book, layout, offset, at_top=at_top)
        self._place.show()
        self.text.show_pictures()

    @on(ReaderView.Moved)
    def _moved(self) -> None:
        self._place.show()

    # --- moving -------------------------------------------------------------------------------------------------

    @property
    def _side(self) -> OutlineView | ReaderView:
        """The outline while it has the focus, else the text."""
        return self.outline if self.outline.has_focus else self.text

    def action_move(self, rows: int) -> None:
        """Scroll the text, or move in the outline, or among what was found."""
        if self.find_row.line.has_focus:
            self.action_found(rows > 0)
        else:
            self._side.scroll_rows(rows)

    def action_half(self, by: int) -> None:
        """Scroll by half a screen."""
        self._side.scroll_rows(by * max(1, self._side.size.height // 2))

    def action_page(self, pages: int) -> None:
        """Scroll by screens."""
        self._side.scroll_pages(pages)

    def action_edge(self, last: bool) -> None:
        """Go to the beginning or the end."""
        if not self.outline.has_focus:
            self._place.here = None
        self._side.scroll_to_edge(last)

    def action_sideways(self, steps: int) -> None:
        """Move along lines that are not folded."""
        self.text.scroll_sideways(steps)

    def action_wrap(self) -> None:
        """Fold long lines, or let them run out of sight."""
        self.text.fold(not self.text.wrap)
        self.notify("Long lines are folded." if self.text.wrap else "Long lines run on: ← → move along them.",
                    timeout=2, markup=False)  # fmt: skip
        self._place.tell()

    def action_leave_or_clear(self) -> None:
        """Let go of the line that finds, of what was found, of the chosen link, of the outline; then leave."""
        if self.find_row.line.has_focus:
            self._close_find()
        elif self.outline.has_focus:
            self.text.focus()
        elif self.find_row.found or self._links.chosen:
            self.find_row.found, self._links.chosen = [], None
            self.text.marks.found, self.text.marks.current, self.text.marks.link = (), None, None
            self.set_class(False, "-finding")
            self.text.repaint()
            self._place.tell()
        else:
            self.dismiss()

    # --- outline ------------------------------------------------------------------------------------------------

    def action_outline(self) -> None:
        """Show the outline and go to it; hide it where one is in it."""
        if self.has_class("-outline") and self.outline.has_focus:
            self.text.focus()
            self.set_class(False, "-outline")
        else:
            self.set_class(True, "-outline")
            self.outline.focus()

    # --- finding ------------------------------------------------------------------------------------------------

    def action_find(self) -> None:
        """Go to the line that finds; from there back to the text."""
        if self.find_row.line.has_focus:
            self._close_find()
            return
        self.set_class(True, "-finding")
        self.find_row.line.focus()

    @on(FindRow.Found)
    def _text_found(self, message: FindRow.Found) -> None:
        """Go to the first place from here on; in a text that has changed the person stays where they are."""
        marks, found = self.text.marks, self.find_row.found
        marks.found, marks.current = found, following(found, self._place.offset)
        if marks.current and not message.again:
            self._place.jump(marks.current)
        else:
            self.text.repaint()
            self._place.tell()

    @on(Input.Submitted, "#find")
    def _find_submitted(self) -> None:
        if self.find_row.found:
            self.text.focus()
            self._place.tell()
        else:
            self._close_find()

    def _close_find(self) -> None:
        self.find_row.clear()
        self.set_class(False, "-finding")
        self.text.focus()

    def action_found(self, forward: bool) -> None:
        """Go to another place that was found; where nothing is sought, to another hit of the search."""
        first = self.book is not None and self.book.document.path == self._reading.path  # what the reader was opened on
        spans = self.find_row.found or list(self._reading.hits if first else ())
        marks = self.text.marks
        at = marks.current[0] if self.find_row.found and marks.current else self._place.offset
        span = beside(spans, at, forward)
        if span is None:
            self.notify("Nothing to go to: / finds words in this text.", timeout=3, markup=False)
            return
        if self.find_row.found:
            marks.current = span
        else:
            marks.passage = span
        self._place.jump(span)

    # --- links --------------------------------------------------------------------------------------------------

    def action_link(self, forward: bool) -> None:
        """Choose the next link, or the one before, beginning with what is in sight."""
        if self.find_row.line.has_focus or self.outline.has_focus:
            self.text.focus()
            return
        links = self.book.links if self.book else ()
        if (link := self._links.choose(links, self.text.top, self.text.in_sight, forward)) is not None:
            self.text.marks.link = link.start, link.end
            self._place.jump((link.start, link.end))

    def action_follow(self) -> None:
        """Follow the chosen link; in the outline, go to the heading."""
        if self.outline.has_focus:
            self.outline.take()
        elif self._links.chosen is not None:
            self._follow(self._links.chosen)
        else:
            self.notify("No link is chosen: tab chooses one.", timeout=3, markup=False)

    @on(ReaderView.Clicked)
    def _link_clicked(self, message: ReaderView.Clicked) -> None:
        self._follow(message.link)

    def _follow(self, link: DocumentLink) -> None:
        if self.book is not None:
            self._links.follow(link, self.book, self.text.top)

    @on(OutlineView.Chosen)
    @on(LinkFollower.HeadingFound)
    def _heading_chosen(self, message: OutlineView.Chosen | LinkFollower.HeadingFound) -> None:
        self.text.focus()
        self._place.jump(message.heading.span, always=True)

    @on(LinkFollower.DocumentFound)
    def _document_found(self, message: LinkFollower.DocumentFound) -> None:
        """Open another document; what was marked belongs to the first."""
        first = message.path == self._reading.path
        words = self.text.marks.words
        self.text.marks = Marks(self._reading.passage, self._reading.sentence, words) if first else Marks(words=words)
        self._let_go()
        self.find_row.clear()
        self.set_class(False, "-finding")
        self._opener.open(message.path, message.offset, message.anchor)

    def action_history(self, forward: bool) -> None:
        """Go back to where a link was followed, or forward again."""
        if self.book is not None:
            self._links.go_back(forward, self.book, self.text.top)

    # --- taking away --------------------------------------------------------------------------------------------

    def action_editor(self) -> None:
        """Open the document in the editor at the place that is read."""
        if self.book is not None:
            self.carrel.open_places([self.book.place_at(self._place.offset)])

    def action_copy(self) -> None:
        """Ask in which form the passage that is read is copied."""
        if self.book is not None:
            choose_copy(self, self.book, self._place.offset)

    def action_copy_text(self) -> None:
        """Copy the passage that is read."""
        if self.book is not None:
            copy_passage(self, self.book, self._place.offset)
