"""Pages saved with all that belongs to them in one file: as MIME messages (MHTML)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from email.message import Message

from engine.errors import SourceError
from engine.records import Document
from engine.sources.readers.html import page_document
from engine.sources.readers.mail_headers import header
from engine.sources.readers.mime_parts import MAX_PARTS, parse_message, text_of
from engine.sources.readers.source_file import Source

_BETWEEN_PAGES = "\n<hr>\n"


def read(source: Source) -> Document:
    """Read a saved page, and the pages in its frames after it; pictures and scripts are no part of it."""
    if not source.raw.strip():
        raise SourceError("empty")
    message = parse_message(source.raw)
    pages = list(_pages(message))
    if not pages:
        raise SourceError("no page inside")
    document = page_document(
        source, "mhtml", _BETWEEN_PAGES.join(pages), title=header(message, "Subject"), with_lines=False
    )
    address = header(message, "Snapshot-Content-Location") or header(message, "Content-Location")
    return replace(document, metadata={**document.metadata, "address": address}) if address else document


def _pages(message: Message) -> Iterator[str]:
    """Give the pages, the one that is the root first; where there is none, what is plain text."""
    parts = [part for _, part in zip(range(MAX_PARTS), message.walk(), strict=False) if not part.is_multipart()]
    found = [part for part in parts if part.get_content_type() in ("text/html", "application/xhtml+xml")]
    start = str(message.get_param("start") or "")
    found.sort(key=lambda part: not (start and header(part, "Content-ID") == start))
    for part in found:
        yield text_of(part)
    if not found:
        for part in parts:
            if part.get_content_type() == "text/plain" and (text := text_of(part)).strip():
                yield f"<pre>{text.replace('&', '&amp;').replace('<', '&lt;')}</pre>"
