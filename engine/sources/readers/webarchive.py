"""Pages that Safari saved with all that belongs to them in one file: property lists."""

from __future__ import annotations

import plistlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from xml.parsers.expat import ExpatError

from engine.errors import SourceError
from engine.records import Document
from engine.sources.encodings import storable
from engine.sources.readers.html import page_document
from engine.sources.readers.html_parser import html_text
from engine.sources.readers.mail_headers import decoded_bytes
from engine.sources.readers.source_file import Source

DEEPEST_FRAME = 5
MAX_FRAMES = 200
_PAGES = ("text/html", "application/xhtml+xml", "text/plain", "")


def read(source: Source) -> Document:
    """Read a saved page, and the pages in its frames after it."""
    try:
        archive = plistlib.loads(source.raw)
    except (plistlib.InvalidFileException, ExpatError, ValueError, TypeError, KeyError, IndexError, OverflowError):
        raise SourceError("not a web archive, or damaged") from None
    if not isinstance(archive, dict) or not isinstance(archive.get("WebMainResource"), dict):
        raise SourceError("not a web archive")
    pages = [page for _, page in zip(range(MAX_FRAMES), _pages(archive, 0), strict=False)]
    document = page_document(source, "webarchive", "\n<hr>\n".join(pages), with_lines=False)
    address = archive["WebMainResource"].get("WebResourceURL")
    if isinstance(address, str) and address:
        document = replace(document, metadata={**document.metadata, "address": storable(address)})
    return document


def _pages(archive: Mapping[str, Any], depth: int) -> Iterator[str]:
    resource = archive.get("WebMainResource")
    if not isinstance(resource, dict):
        return
    content, kind = resource.get("WebResourceData"), str(resource.get("WebResourceMIMEType") or "").lower()
    if isinstance(content, bytes) and kind in _PAGES:
        label = str(resource.get("WebResourceTextEncodingName") or "")
        yield decoded_bytes(content, label) if label else html_text(content)
    frames = archive.get("WebSubframeArchives")
    if isinstance(frames, list) and depth < DEEPEST_FRAME:
        for frame in frames:
            if isinstance(frame, dict):
                yield from _pages(frame, depth + 1)
