"""Plain text: paragraphs parted by blank lines, nothing else assumed."""

from __future__ import annotations

from engine.records import Block, Document
from engine.sources.readers.source_file import Source
from engine.sources.readers.text_lines import paragraphs


def read(source: Source) -> Document:
    """Read a plain text file; its title is its name."""
    text = source.text()
    blocks = tuple(Block("paragraph", start, end) for start, end in paragraphs(text))
    return Document(text, source.spoken_name, False, "text", blocks)
