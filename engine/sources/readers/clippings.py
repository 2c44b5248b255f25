"""Kindle's `My Clippings.txt`: each highlight and note stands under the book that it was taken from."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.records import Block, Document
from engine.sources.readers.source_file import Source
from engine.sources.readers.text import Lines

HEAD_BYTES = 4096
_BORDER = "=========="
_TAKEN = re.compile(rb"[^\n]*+\n- [^\n]{0,300}\d[^\n]*+\n\r?\n")  # "- Your Highlight on page 12 | Location 123"


def is_clippings(raw: bytes) -> bool:
    """Whether a text is a file of clippings: a book, where and when, a blank line, the words, a border."""
    return _TAKEN.match(raw[:HEAD_BYTES]) is not None and f"\n{_BORDER}".encode() in raw


def read(source: Source) -> Document:
    """Read a file of clippings; its title is its name."""
    text = source.text()
    return source.document("text", text, _blocks(text), "")


def _blocks(text: str) -> Iterator[Block]:
    """Give the book of each clipping as a heading, and its words; where and when it was taken is kept beside."""
    lines = Lines(text)
    first = 0
    borders = [number for number, line in enumerate(lines.texts) if line == _BORDER]
    for border in [*borders, len(lines)]:
        while first < border and lines.is_blank(first):
            first += 1
        if first < border:
            yield Block("heading", *lines.span(first, first + 1), 1, lines.texts[first].strip("\ufeff \t"))
            words = min(first + 2, border)
            if first + 1 < words:
                yield Block("meta", *lines.span(first + 1, words))
            while words < border and lines.is_blank(words):
                words += 1
            if words < border:
                yield Block("quote", *lines.span(words, border))
        if border < len(lines):
            yield Block("meta", *lines.span(border, border + 1))
        first = border + 1
