"""A document made ready to be read: cut into units, with its headings, links and pages. Made in a thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.tui.browser import Place
from app.tui.copied_forms import ReadPassage
from app.tui.pages.painter import Painter
from app.tui.pages.units import Units, page_count
from app.tui.ports import Freshness
from app.tui.screens.reader.headings import Heading, headings_of
from app.tui.screens.reader.links import DocumentLink, links_in, pictures_in
from engine.records import StoredDocument, StoredPassage
from engine.sources.readers.file_types import OWN_LINES

if TYPE_CHECKING:
    from app.tui.library_port import LibraryPort

LOOKED_FOR = 4_000  # code points from a place on, by whose lines a changed file is searched
FIRST_UNITS = 80  # painted ahead, so that the first screen need not wait for the colours of its code


@dataclass(frozen=True, slots=True)
class Book:
    """A document open in the reader."""

    document: StoredDocument
    units: Units
    painter: Painter
    headings: tuple[Heading, ...]
    links: tuple[DocumentLink, ...]
    passages: tuple[StoredPassage, ...]
    freshness: Freshness
    pictures: tuple[str, ...] = ()  # where those lie that have a line of their own, as written

    @property
    def pages(self) -> int:
        """How many pages the document has, 0 where it has none."""
        return page_count(self.document, lambda: self.passages) if self.units.pages else 0

    def passage_at(self, offset: int) -> StoredPassage | None:
        """Return the passage that holds an offset of the text."""
        return next((passage for passage in reversed(self.passages) if passage.start <= offset), None)

    def place_at(self, offset: int) -> Place:
        """Return the place in the document's file at an offset of its text."""
        units, document = self.units, self.document
        start = units.text.rfind("\n", 0, offset) + 1
        text = "\n".join(units.text[start : start + LOOKED_FOR].split("\n")[:8])
        page = units.page_of(units.at(offset))
        return Place(document.path, self.line_at(offset), document.kind, page, text)

    def copied_at(self, offset: int) -> tuple[ReadPassage, str]:
        """Return where the passage at an offset stands, as it is copied, and its text."""
        passage, document = self.passage_at(offset), self.document
        headings, text = (passage.headings, passage.text) if passage is not None else ((), "")
        page = self.units.page_of(self.units.at(offset))
        read = ReadPassage(document.path, document.title, headings, document.kind, self.line_at(offset), page)
        return read, text

    def line_at(self, offset: int) -> int | None:
        """Return the line of the file on which an offset of the text stands; None where it stands on none."""
        if self.has_own_lines:
            return self.units.line_at(offset)
        passage = self.passage_at(offset)
        return passage.line_start if passage else None

    @property
    def has_own_lines(self) -> bool:
        """Whether the lines of the text are those of the file."""
        last = self.passages[-1].line_end if self.passages else 1
        return self.document.kind in OWN_LINES and last is not None and last <= self.units.text.count("\n") + 1


def open_book(
    library: LibraryPort, path: bytes, freshness: Callable[[StoredDocument], Freshness], start: int = 0
) -> Book | None:
    """Read a document out of the library; None where it is not there. `start` is where it will be read first."""
    document = library.document(path)
    if document is None:
        return None
    passages = library.passages_of(document.id)
    pages = [(passage.page, passage.start) for passage in passages if passage.page]
    units = Units(document.text, document.kind, pages=pages)
    headings = headings_of(units, passages)
    painter = Painter(
        units,
        language=str(document.metadata.get("language", "")),
        headings=() if document.kind in ("markdown", "code") else {heading.text for heading in headings},
    )
    first = units.at(start)
    for unit in range(max(0, first - 10), min(len(units), first + FIRST_UNITS)):
        painter.line(unit)
    links = links_in(units, library.links(document.id))
    pictures = pictures_in(units)
    return Book(document, units, painter, headings, links, passages, freshness(document), pictures)
