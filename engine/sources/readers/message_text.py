"""The text of a message while it is put together, whichever program wrote it: who and when, and what it says.

Messages inside it and files attached to it stand below it, each under a heading that names it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from engine.errors import SourceError
from engine.records import Document, Link
from engine.sources.readers.attached_files import ATTACHED_SECONDS, AttachedFiles
from engine.sources.readers.html import Page
from engine.sources.readers.html_parser import parse_html
from engine.sources.readers.source_file import MAX_LINKS, Source
from engine.sources.readers.text import paragraphs
from engine.sources.readers.text_builder import TextBuilder

SHOWN = ("From", "To", "Cc", "Bcc", "Date", "Subject")
_URL = re.compile(r"https?://[^\s<>\"')\]]+")


class MessageText:
    """The text of a message, or of several after one another."""

    def __init__(self, source: Source, seconds: float = ATTACHED_SECONDS) -> None:
        """Begin with nothing; `source` is the file that holds the messages, whose files may take `seconds` in all."""
        self.builder = TextBuilder()
        self.links: list[Link] = []
        self._source = source
        self._attached = AttachedFiles(source, seconds)

    def begin_anew(self, line: int) -> None:
        """Leave what was put together to its owner and begin again with nothing, at a line of the file."""
        self.builder, self.links = TextBuilder(), []
        self.builder.line = line

    def begin(self, headers: Mapping[str, str], heading: str = "", level: int = 1, page: int | None = None) -> None:
        """Begin a message with its headers; one that is not alone has a heading."""
        if heading:
            self.builder.heading(heading, level, page)
        self.builder.add("paragraph", "\n".join(f"{name}: {words}" for name, words in headers.items()), page=page)

    def add_plain(self, words: str, page: int | None = None) -> None:
        """Add a body in plain text: its paragraphs, those that quote another message, and the addresses in them."""
        for start, end in paragraphs(words):
            piece = words[start:end]
            quoted = all(line.lstrip().startswith(">") for line in piece.split("\n"))
            self.builder.add("quote" if quoted else "paragraph", piece, page=page)
            addresses = (match[0].rstrip(".,;:") for match in _URL.finditer(piece))
            self.links += [Link(address, address) for address in addresses][: max(0, MAX_LINKS - len(self.links))]

    def add_html(self, written: str, page: int | None = None) -> None:
        """Add a body that is a page."""
        before = len(self.builder.blocks)
        self.links += Page(parse_html(written), self.builder).links
        if page is not None:
            self.builder.blocks[before:] = [replace(each, page=page) for each in self.builder.blocks[before:]]

    def add_aside(self, lines: str, page: int | None = None) -> None:
        """Add what only another form of the message says: its words are found, and it means nothing by itself."""
        self.builder.add("meta", lines, page=page)

    def add_attached(self, name: str, raw: bytes, level: int = 1, page: int | None = None) -> str:
        """Add what a file that hangs on the message says, under its name; returns why nothing was added, or ""."""
        try:
            document = self._attached.read(name, raw)
        except SourceError as error:
            return error.reason
        title = document.title if document.title_written and document.title not in document.text else ""
        if document.text.strip() or title:
            self.builder.heading(f"{self._source.display_name} › {name}", level, page)
            self.builder.add("meta", title, page=page)
        if document.text.strip():
            self._append(document, level, page)
        return ""

    def _append(self, document: Document, level: int, page: int | None) -> None:
        offset = self.builder.open_piece(document.text)
        self.builder.blocks += [
            replace(
                block,
                start=block.start + offset,
                end=block.end + offset,
                level=block.level + level if block.level else 0,
                page=block.page if page is None else page,
            )
            for block in document.blocks
        ]
        self.links += document.links[: max(0, MAX_LINKS - len(self.links))]

    def list_attached(self, names: Mapping[str, str], page: int | None = None) -> None:
        """Name the files that hang on the message, each with the reason why it was not read, if it was not."""
        lines = [f"- Attachment: {name}" + (f" ({why})" if why else "") for name, why in names.items()]
        self.builder.add("list", "\n".join(lines), page=page)

    def finish(self, source: Source, kind: str, headers: Mapping[str, str]) -> Document:
        """Return the document of one message; its title is the subject."""
        text, blocks = self.builder.finish()
        metadata = {name.lower(): words for name, words in headers.items()}
        return source.document(kind, text, blocks, headers.get("Subject", ""), links=self.links, metadata=metadata)
