r"""BibTeX: the file's own lines, with its accents as letters, and each entry below its title.

`Schr{\"o}dinger` is read as Schrödinger and `{U}ndulatory` as Undulatory; nothing else is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.records import Block, Document
from engine.sources.readers.latex_symbols import with_letters
from engine.sources.readers.source_file import MAX_LABEL, Source
from engine.sources.readers.text import Lines, paragraphs

_ENTRY = re.compile(r"[ \t]*+@(\w+)[ \t]*+[{(]", re.MULTILINE)
_SILENT_KINDS = frozenset(("comment", "preamble", "string"))
_SIGN = re.compile(r"[^\\{}\"\n]++|\\.|\n|[{}\"]|\\", re.DOTALL)
_TITLE = re.compile(r"(?:^|[,{(])[ \t]*+title[ \t]*+=", re.IGNORECASE)
_VALUE = re.compile(r'\{([^{}]*+)|"([^"]*+)|([^,]*+)')
TITLE_LINES = 5  # that a title may take
_DEEPEST_STRUCTURE = 2  # braces further in, or inside quotes, only guard capitals


def read(source: Source) -> Document:
    """Read a bibliography; its title is its name."""
    lines = Lines("\n".join(_plain_lines(source.text())))
    blocks = tuple(_blocks(lines))
    return source.document("bibtex", lines.text, blocks, "")


def _plain_lines(written: str) -> Iterator[str]:
    """Give each line without the braces inside values, its commands as letters."""
    depth, quoted = 0, False
    for line in with_letters(written).split("\n"):
        if _ENTRY.match(line):
            depth, quoted = 0, False  # an entry that is never closed ends at the next
        pieces: list[str] = []
        for piece in _SIGN.findall(line):
            if piece == "{":
                depth += 1
                piece = piece if depth <= _DEEPEST_STRUCTURE and not quoted else ""
            elif piece == "}":
                piece = piece if depth <= _DEEPEST_STRUCTURE and not quoted else ""
                depth = max(depth - 1, 0)
            elif piece == '"' and depth == 1:
                quoted = not quoted
            pieces.append(piece)
        yield "".join(pieces)


def _blocks(lines: Lines) -> Iterator[Block]:
    """Cut the file at its entries; the first line of each is a heading that says its title."""
    starts = [
        number
        for number, line in enumerate(lines.texts)
        if (entry := _ENTRY.match(line)) and entry[1].lower() not in _SILENT_KINDS
    ]
    bounds = [*starts, len(lines)]
    yield from _paragraphs(lines, 0, bounds[0])
    for first, after in zip(starts, bounds[1:], strict=True):
        label = _title(lines.texts[first:after]) or lines.texts[first].strip(" \t,")
        yield Block("heading", *lines.span(first, first + 1), 1, label[:MAX_LABEL])
        yield from _paragraphs(lines, first + 1, after)


def _title(entry: list[str]) -> str:
    """Return the title of an entry, which may run over a few lines."""
    for at, line in enumerate(entry):
        if title := _TITLE.search(line):
            value = _VALUE.match(" ".join([line[title.end() :], *entry[at + 1 : at + TITLE_LINES]]).lstrip())
            return " ".join((value[1] or value[2] or value[3] or "").split()) if value else ""
    return ""


def _paragraphs(lines: Lines, first: int, after: int) -> Iterator[Block]:
    if first < after:
        base = lines.starts[first]
        for start, end in paragraphs(lines.text[base : lines.starts[after] - 1]):
            yield Block("paragraph", base + start, base + end)
