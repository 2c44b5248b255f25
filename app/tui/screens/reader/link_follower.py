"""Follows the links of what is read, and keeps the way back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from textual.message import Message

from app.tui.background import in_background
from app.tui.browser import Browser, CarrelScreen
from app.tui.screens.reader.book import Book
from app.tui.screens.reader.headings import Heading, heading_named
from app.tui.screens.reader.links import DocumentLink, next_link
from app.tui.screens.reader.trail import Stop, Trail
from app.tui.threads import in_thread
from app.wording.safe_text import one_line


async def visit(browser: Browser, address: str) -> None:
    """Show an address in the web browser, from a thread: starting one may take seconds."""
    if await in_thread(partial(browser.ports.visit, address)):
        browser.notify("Shown in the web browser.", timeout=3, markup=False)
    else:
        said = f"There is no web browser to show {one_line(address)} in."
        browser.notify(said, severity="warning", timeout=8, markup=False)


class LinkFollower:
    """Finds out for a screen where a link leads; the screen hears by messages where to go."""

    @dataclass
    class HeadingFound(Message):
        """A link leads to a heading of the document that is read."""

        heading: Heading

    @dataclass
    class DocumentFound(Message):
        """A link, or the way back, leads to another document: to an offset of its text, or a heading's anchor."""

        path: bytes
        offset: int = 0
        anchor: str = ""

    def __init__(self, screen: CarrelScreen) -> None:
        self._screen = screen
        self.trail = Trail()
        self.chosen: DocumentLink | None = None
        self._coming: Stop | None = None  # where the way back leads while that document is being opened

    def choose(
        self, links: Sequence[DocumentLink], top: int, in_sight: Callable[[int], bool], forward: bool
    ) -> DocumentLink | None:
        """Choose the link after the chosen one, or before it, and return it; the first from `top` where that is gone.

        Where the text has no links, that is said.
        """
        if not links:
            self._screen.notify("This text has no links.", timeout=3, markup=False)
            return None
        before = self.chosen if self.chosen is not None and in_sight(self.chosen.start) else None
        self.chosen = next_link(links, before, top, forward)
        return self.chosen

    def follow(self, link: DocumentLink, book: Book, top: int) -> None:
        """Go where a link of a book leads; `top` is what stands at the top of the screen now."""
        if link.inside or link.path == book.document.path:
            heading = heading_named(book.headings, link.anchor)
            if heading is None:
                self._screen.notify("This text has no such heading.", severity="warning", timeout=4, markup=False)
                return
            self.trail.leave(Stop(book.document.path, top))
            self._screen.post_message(self.HeadingFound(heading))
        elif link.path is not None:
            self.trail.leave(Stop(book.document.path, top))
            self._screen.post_message(self.DocumentFound(link.path, anchor=link.anchor))
        elif link.target.startswith(("http://", "https://", "mailto:")):
            work = partial(visit, self._screen.carrel, link.target)
            in_background(self._screen, work, "visit", failed="The web browser could not be started")
        else:
            said = f"“{one_line(link.target)}” leads to no note in the library."
            self._screen.notify(said, severity="warning", timeout=4, markup=False)

    def go_back(self, forward: bool, book: Book, top: int) -> None:
        """Go back to where a link was followed, or forward again."""
        stop = self.trail.go(forward, self._coming or Stop(book.document.path, top))
        if stop is None:
            self._screen.notify("There is nothing further on this way.", timeout=2, markup=False)
        else:
            self._coming = stop
            self._screen.post_message(self.DocumentFound(stop.path, stop.top))

    def arrived(self) -> None:
        """Take note that the document that was gone to is shown, or cannot be."""
        self._coming = None
