"""Opens documents for the reader: reads them in a thread, laid out for the width of the text."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from textual.message import Message

from app.tui.background import in_background
from app.tui.browser import CarrelScreen
from app.tui.freshness import Reindexing
from app.tui.screens.reader.book import Book, open_book
from app.tui.screens.reader.headings import heading_named
from app.tui.screens.reader.layout import Layout
from app.tui.threads import in_thread
from engine.paths import display

if TYPE_CHECKING:
    from app.tui.library_port import LibraryPort

_log = logging.getLogger("carrel")


class DocumentOpener:
    """Reads documents for a screen, which hears of them by messages; `lay_out` is called in a thread."""

    @dataclass
    class Opened(Message):
        """A document is ready to be read at an offset of its text, which is to stand at the top or only in sight."""

        book: Book
        layout: Layout
        offset: int
        at_top: bool

    @dataclass
    class Reread(Message):
        """A document was read anew, because its file had changed; what stood at the top stays there."""

        before: Book
        book: Book
        layout: Layout
        top: int

    @dataclass
    class Refused(Message):
        """A document cannot be shown: what stands in its place, and what is told of it."""

        trouble: str
        told: str

    def __init__(self, screen: CarrelScreen, lay_out: Callable[[Book], Layout]) -> None:
        self._screen = screen
        self._lay_out = lay_out
        self._reindexing = Reindexing()

    def open(self, path: bytes, offset: int, anchor: str = "", at_top: bool = True) -> None:
        """Open a document at a place, or at the heading that `anchor` names."""
        in_background(self._screen, partial(self._open, path, offset, anchor, at_top), "open", exclusive=True)

    async def _open(self, path: bytes, offset: int, anchor: str, at_top: bool) -> None:
        opened = self._screen.carrel.opened
        if opened is None:
            return
        try:
            ready = await in_thread(partial(self._ready, opened.library, path, offset))
        except Exception:
            _log.exception("A document could not be read: %r", path)
            self._refuse("This note could not be read.", f"{display(path)} could not be read. The log says why.")
            return
        if ready is None:
            self._refuse("This note has left the library.", f"{display(path)} is not in the library any more.")
            return
        book, layout = ready
        heading = heading_named(book.headings, anchor) if anchor else None
        if heading is not None:
            offset, at_top = heading.start, True
        self._screen.post_message(self.Opened(book, layout, offset, at_top))

    def _refuse(self, trouble: str, told: str) -> None:
        self._screen.post_message(self.Refused(trouble, told))

    def reread(self, book: Book, top: int) -> None:
        """Read a document anew where its file is not what is shown; `top` is what stands at the top."""
        in_background(self._screen, partial(self._reread, book, top), "look", exclusive=True)

    async def _reread(self, book: Book, top: int) -> None:
        carrel = self._screen.carrel
        if carrel.opened is None or (await in_thread(partial(carrel.ports.freshness, book.document))) == "same":
            return
        ready = await in_thread(partial(self._ready, carrel.opened.library, book.document.path, top))
        if ready is not None:
            self._screen.post_message(self.Reread(book, *ready, top))

    def _ready(self, library: LibraryPort, path: bytes, offset: int) -> tuple[Book, Layout] | None:
        """Read a document and lay it out; None where it is not in the library. In a thread."""
        book = open_book(library, path, self._screen.carrel.ports.freshness, offset)
        if book is None:
            return None
        if book.freshness != "same":
            self._reindexing.ask(library, book.document)
        return book, self._lay_out(book)
