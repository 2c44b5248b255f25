"""Source code: the file's own text, cut where a blank line stands before something at the left margin."""

from __future__ import annotations

from engine.records import Block, Document
from engine.sources.readers.file_types import language_of
from engine.sources.readers.source_file import Source
from engine.sources.readers.text import Lines

LONG_BLOCK = 40  # lines: a longer definition, as a class, is also cut at the blank lines inside it
_CLOSERS = ("}", ")", "]", "end", "else", "elif", "except", "finally")


def read(source: Source) -> Document:
    """Read a source file; its title is its name, suffix included, for that is what people call it."""
    text = source.text()
    language = language_of(source.name) or "unknown"
    return Document(text, source.display_name, False, "code", tuple(blocks_of(text)), metadata={"language": language})


def blocks_of(text: str) -> list[Block]:
    """Cut code into its top-level pieces."""
    lines = Lines(text)
    blocks: list[Block] = []
    first = 0
    after_blank = True
    for number, line in enumerate(lines.texts):
        if not line or line.isspace():
            after_blank = True
            continue
        at_margin = line[0] not in " \t" and not line.startswith(_CLOSERS)
        if after_blank and (at_margin or number - first >= LONG_BLOCK):
            _close(blocks, lines, first, number)
            first = number
        after_blank = False
    _close(blocks, lines, first, len(lines))
    return blocks


def _close(blocks: list[Block], lines: Lines, first: int, after: int) -> None:
    while first < after and lines.is_blank(first):
        first += 1
    if first < after:
        blocks.append(Block("code", *lines.span(first, after)))
