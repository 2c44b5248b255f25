"""The structure of a document for chunking: blocks that tile the text, and the sections that its headings make."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from engine.records import Block, BlockKind, Document

DEEPEST_LEVEL = 12  # deeper headings count as this deep, which bounds the length of every heading path

_SPACE = re.compile(r"\s*")


@dataclass(frozen=True, slots=True)
class Section:
    """The blocks under one heading, up to the next heading of any level.

    `path` holds the indexes of the heading blocks above, outermost first, its own last; it is empty before the first
    heading. `has_body` is false where nothing but the heading (or front matter) stands in the section.
    """

    start: int
    end: int
    path: tuple[int, ...]
    has_body: bool


def tile(document: Document) -> list[Block]:
    """Give blocks that cover the text from its first character to its last, in order and without gaps.

    Text outside the reader's blocks becomes blocks of its own, white space goes to the block before it, and blocks
    that are empty, out of range or overlapping are mended. A blank text gives no block.
    """
    found = list(_visible(document))
    text_end = len(document.text)
    ends = [block.start for block in found[1:]] + [text_end]
    starts = [0, *(block.start for block in found[1:])]
    return [
        Block(block.kind, start, end, block.level, block.label, block.page)  # `replace` takes three times as long
        for block, start, end in zip(found, starts, ends, strict=False)
    ]


def sections(blocks: list[Block]) -> list[Section]:
    """Give the sections of tiled blocks, in order; they cover the same text."""
    result: list[Section] = []
    path: list[int] = []
    first = 0
    for index in range(1, len(blocks) + 1):
        if index < len(blocks) and blocks[index].kind != "heading":
            continue
        own = blocks[first:index]
        if own[0].kind == "heading":
            while path and blocks[path[-1]].level >= own[0].level:
                path.pop()
            path.append(first)
        body = any(block.kind not in ("heading", "meta") for block in own)
        result.append(Section(own[0].start, own[-1].end, tuple(path), body))
        first = index
    return result if blocks else []


def _visible(document: Document) -> Iterator[Block]:
    """Yield the reader's blocks, clamped and made disjoint, and the text between them; all hold something visible."""
    text = document.text
    loose: BlockKind = "code" if document.kind == "code" else "paragraph"
    position = 0
    for block in sorted(document.blocks, key=lambda block: (block.start, block.end)):
        start, end = max(block.start, position), min(block.end, len(text))
        visible = _content_start(text, start, end, block.kind)
        if visible is None:
            continue
        gap = _content_start(text, position, start, loose)
        if gap is not None:
            yield Block(loose, gap, start, page=block.page)
        level = min(max(block.level, 1), DEEPEST_LEVEL)
        yield Block(block.kind, visible, end, level, block.label, block.page)
        position = end
    gap = _content_start(text, position, len(text), loose)
    if gap is not None:
        yield Block(loose, gap, len(text))


def _content_start(text: str, start: int, end: int, kind: str) -> int | None:
    """Give where the span's visible text starts, or None; lines of code, lists and tables keep their indentation."""
    if start >= end:
        return None
    space = _SPACE.match(text, start, end)
    visible = space.end() if space else start
    if visible >= end:
        return None
    if kind in ("code", "list", "table"):
        return max(text.rfind("\n", start, visible) + 1, start)
    return visible
