"""The reader's screen: what a person can do with the document on the desk."""

from __future__ import annotations

from functools import partial

from textual import on
from textual.widgets import Input

from app.tui.actions import bindings
from app.tui.background import in_background
from app.tui.browser import Place
from app.tui.clipboard import copy
from app.tui.screens.reader.actions import READER_ACTIONS
from app.tui.screens.reader.book import Book
from app.tui.screens.reader.desk import Desk
from app.tui.screens.reader.headings import Heading, heading_named
from app.tui.screens.reader.highlights import Marks
from app.tui.screens.reader.links import DocumentLink
from app.tui.screens.reader.outline_view import OutlineView
from app.tui.screens.reader.text_find import beside, find_all, following
from app.tui.screens.reader.trail import Stop
from app.tui.screens.reader.view import ReaderView
from app.tui.threads import in_thread
from app.wording.safe_text import one_line
from engine.paths import display

LOOKED_FOR = 4_000  # code points from the place that is read, by whose lines a changed file is searched


class ReaderScreen(Desk):
    """Moves, finds, follows links, and takes away."""

    ACTIONS = READER_ACTIONS
    BINDINGS = bindings(READER_ACTIONS)

    # --- moving -------------------------------------------------------------------------------------------------

    def action_scroll(self, rows: int) -> None:
        """Scroll the text, or move in the outline, or among what was found."""
        if self.outline.has_focus:
            self.outline.choose(self.outline.chosen + rows)
        elif self.find_line.has_focus:
            self.action_found(rows > 0)
        else:
            self.text.scroll_rows(rows)

    def action_page(self, pages: int) -> None:
        """Scroll by screens."""
        if self.outline.has_focus:
            self.outline.choose(self.outline.chosen + pages * max(1, self.outline.size.height - 1))
        else:
            self.text.scroll_pages(pages)

    def action_edge(self, last: bool) -> None:
        """Go to the beginning or the end."""
        if self.outline.has_focus:
            self.outline.choose(len(self.outline.headings) if last else 0)
        else:
            self.here = None
            self.text.scroll_to_edge(last)

    def action_sideways(self, steps: int) -> None:
        """Move along lines that are not folded."""
        self.text.scroll_sideways(steps)

    def action_wrap(self) -> None:
        """Fold long lines, or let them run out of sight."""
        self.text.fold(not self.text.wrap)
        self.notify("Long lines are folded." if self.text.wrap else "Long lines run on: ← → move along them.",
                    timeout=2, markup=False)  # fmt: skip
        self.tell()

    def action_leave_or_clear(self) -> None:
        """Let go of the line that finds, of what was found, of the chosen link, of the outline; then leave."""
        if self.find_line.has_focus:
            self._close_find()
        elif self.outline.has_focus:
            self.text.focus()
        elif self.found or self.link:
            self.found, self.link = [], None
            self.text.marks.found, self.text.marks.current, self.text.marks.link = (), None, None
            self.set_class(False, "-finding")
            self.text.repaint()
            self.tell()
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

    @on(OutlineView.Chosen)
    def _heading_chosen(self, message: OutlineView.Chosen) -> None:
        self.text.focus()
        self._go_to_heading(message.heading)

    def _go_to_heading(self, heading: Heading) -> None:
        self.jump((heading.start, heading.start + 1), always=True)

    # --- finding ------------------------------------------------------------------------------------------------

    def action_find(self) -> None:
        """Go to the line that finds."""
        self.set_class(True, "-finding")
        self.find_line.focus()

    @on(Input.Changed, "#find")
    def _find_changed(self, message: Input.Changed) -> None:
        if self.book is not None:
            in_background(self, partial(self._find, self.book, message.value), "find", exclusive=True)

    async def _find(self, book: Book, wanted: str) -> None:
        """Find a text in a thread, and go to the first place from here on."""
        found = await in_thread(partial(find_all, book.units.text, wanted))
        if self.book is not book:
            return
        self.found = found
        marks = self.text.marks
        marks.found, marks.current = found, following(found, self.place())
        if marks.current:
            self.jump(marks.current)
        else:
            self.text.repaint()
            self.tell()

    @on(Input.Submitted, "#find")
    def _find_submitted(self) -> None:
        if self.found:
            self.text.focus()
            self.tell()
        else:
            self._close_find()

    def _close_find(self) -> None:
        self.find_line.value = ""
        self.set_class(False, "-finding")
        self.text.focus()

    def action_found(self, forward: bool) -> None:
        """Go to another place that was found; where nothing is sought, to another hit of the search."""
        spans = self.found or list(self.reading.hits if self._is_first() else ())
        marks = self.text.marks
        at = marks.current[0] if self.found and marks.current else self.place()
        span = beside(spans, at, forward)
        if span is None:
            self.notify("Nothing to go to: / finds words in this text.", timeout=3, markup=False)
            return
        if self.found:
            marks.current = span
        else:
            marks.passage = span
        self.jump(span)

    def _is_first(self) -> bool:
        """Whether the document is still the one that the reader was opened on."""
        return self.book is not None and self.book.document.path == self.reading.path

    # --- links --------------------------------------------------------------------------------------------------

    def action_link(self, forward: bool) -> None:
        """Choose the next link, or the one before, beginning with what is in sight."""
        if self.find_line.has_focus or self.outline.has_focus:
            self.text.focus()
            return
        links = list(self.book.links) if self.book else []
        if not links:
            self.notify("This text has no links.", timeout=3, markup=False)
            return
        if self.link is not None and self.text.in_sight(self.link.start):
            at = links.index(self.link) + (1 if forward else -1) if self.link in links else 0
        else:
            at = sum(link.start < self.text.top for link in links) - (0 if forward else 1)
        link = links[at % len(links)]
        self.link, self.text.marks.link = link, (link.start, link.end)
        self.jump((link.start, link.end))

    def action_follow(self) -> None:
        """Follow the chosen link; in the outline, go to the heading."""
        if self.outline.has_focus:
            self.outline.take()
        elif self.link is not None:
            self._follow(self.link)
        else:
            self.notify("No link is chosen: tab chooses one.", timeout=3, markup=False)

    @on(ReaderView.Clicked)
    def _link_clicked(self, message: ReaderView.Clicked) -> None:
        self._follow(message.link)

    def _follow(self, link: DocumentLink) -> None:
        """Go where a link leads."""
        if link.inside or (self.book and link.path == self.book.document.path):
            heading = heading_named(self.book.headings, link.anchor) if self.book else None
            if heading is not None:
                self._remember()
                self._go_to_heading(heading)
            else:
                self.notify("This text has no such heading.", severity="warning", timeout=4, markup=False)
        elif link.path is not None:
            self._remember()
            self._turn_to(link.path, 0, link.anchor)
        elif link.target.startswith(("http://", "https://", "mailto:")):
            work = partial(self._visit, link.target)
            in_background(self, work, "visit", failed="The web browser could not be started")
        else:
            said = f"“{one_line(link.target)}” leads to no note in the library."
            self.notify(said, severity="warning", timeout=4, markup=False)

    async def _visit(self, address: str) -> None:
        """Show an address in the web browser, from a thread: starting one may take seconds."""
        if await in_thread(partial(self.carrel.ports.visit, address)):
            self.notify("Shown in the web browser.", timeout=3, markup=False)
        else:
            said = f"There is no web browser to show {one_line(address)} in."
            self.notify(said, severity="warning", timeout=8, markup=False)

    def _turn_to(self, path: bytes, offset: int, anchor: str = "") -> None:
        """Open another document; what was marked belongs to the first."""
        first = path == self.reading.path
        words = self.text.marks.words
        self.text.marks = Marks(self.reading.passage, self.reading.sentence, words) if first else Marks(words=words)
        self.found, self.link, self.here = [], None, None
        self.find_line.value = ""
        self.set_class(False, "-finding")
        self.open_document(path, offset, anchor)

    def _remember(self) -> None:
        if self.book is not None:
            self.trail.leave(Stop(self.book.document.path, self.text.top))

    def action_history(self, forward: bool) -> None:
        """Go back to where a link was followed, or forward again."""
        if self.book is None:
            return
        stop = self.trail.go(forward, Stop(self.book.document.path, self.text.top))
        if stop is None:
            self.notify("There is nothing further on this way.", timeout=2, markup=False)
        else:
            self._turn_to(stop.path, stop.top)

    # --- taking away --------------------------------------------------------------------------------------------

    def action_editor(self) -> None:
        """Open the document in the editor at the place that is read."""
        if self.book is None:
            return
        units, document = self.book.units, self.book.document
        here = self.place()
        start = units.text.rfind("\n", 0, here) + 1
        text = "\n".join(units.text[start : start + LOOKED_FOR].split("\n")[:8])
        page = units.page_of(units.at(here))
        self.carrel.open_places([Place(document.path, units.line_at(here), document.kind, page, text)])

    def action_copy_path(self) -> None:
        """Copy the document's path."""
        if self.book is not None:
            copy(self.app, display(self.book.document.path), "the path")

    def action_copy_text(self) -> None:
        """Copy the passage that is read."""
        passage = self.book.passage_at(self.place()) if self.book else None
        if passage is not None:
            copy(self.app, passage.text, f"the passage at line {passage.line_start}")
