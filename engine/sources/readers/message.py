"""The text of a message from any mail program: who and when at the head, then the body and the attachments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from engine.records import Document, Link
from engine.sources.readers.prose import Prose
from engine.sources.readers.source_file import Source
from engine.sources.readers.text import paragraphs

_URL = re.compile(r"https?://[^\s<>\"')\]]+")


class MessageText:
    """The text of a message while it is put together; `headers` are From, To, Cc, Date and Subject, where known."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self.headers = headers
        self.prose = Prose()
        self.links: list[Link] = []
        self.prose.add("paragraph", "\n".join(f"{name}: {words}" for name, words in headers.items()))

    def add_plain(self, words: str) -> None:
        """Add a body in plain text: its paragraphs, those that quote another message, and the addresses in them."""
        for start, end in paragraphs(words):
            piece = words[start:end]
            quoted = all(line.lstrip().startswith(">") for line in piece.split("\n"))
            self.prose.add("quote" if quoted else "paragraph", piece)
            addresses = (match[0].rstrip(".,;:") for match in _URL.finditer(piece))
            self.links += [Link(address, address) for address in addresses]

    def finish(self, source: Source, kind: str, attachments: Iterable[str]) -> Document:
        """Return the document, with the names of what is attached; its title is the subject."""
        self.prose.add("list", "\n".join(f"- Attachment: {name}" for name in attachments))
        text, blocks = self.prose.finish()
        title = self.headers.get("Subject", "")
        return source.document(
            kind,
            text,
            blocks,
            title,
            links=self.links,
            metadata={name.lower(): words for name, words in self.headers.items() if name != "Subject"},
        )
