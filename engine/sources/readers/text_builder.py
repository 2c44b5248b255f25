"""Builds the text of a document piece by piece, for formats that a person does not edit as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.errors import SourceError
from engine.records import Block, BlockKind, Document
from engine.sources.encodings import storable
from engine.sources.readers.source_file import MAX_CHARACTERS

SEPARATOR = "\n\n"
_INVISIBLE = {ord(character): None for character in "\u200b\u2060\ufeff\u00ad"}  # they would split or hide words


class TextBuilder:
    """Grows a document's text piece by piece, a blank line between them, with one block for each piece."""

    def __init__(self) -> None:
        """Start with no text."""
        self.blocks: list[Block] = []
        self.line_map: list[tuple[int, int]] = []
        self.line = 0
        """Where in the file the pieces stand that do not say it themselves, 0 where that is not known."""
        self._pieces: list[str] = []
        self._length = 0

    def add(
        self,
        kind: BlockKind,
        text: str,
        *,
        level: int = 0,
        label: str = "",
        page: int | None = None,
        lines: Sequence[int] = (),
    ) -> None:
        """Append one piece as one block; a piece without a visible character is passed over.

        `lines` are where the lines of the piece stand in the file, counted from 1, 0 where that is not known.
        """
        text = storable(text).translate(_INVISIBLE).strip("\n")
        if not text.strip():
            return
        start = self.open_piece(text, lines)
        self.blocks.append(Block(kind, start, start + len(text), level, label, page))

    def heading(self, text: str, level: int, page: int | None = None, line: int = 0) -> None:
        """Append a heading on one line."""
        words = " ".join(storable(text).translate(_INVISIBLE).split())
        self.add("heading", words, level=max(1, level), label=words, page=page, lines=(line,) if line else ())

    def include(self, document: Document) -> None:
        """Append the text of another document with its blocks, one that this one holds."""
        if document.text.strip():
            start = self.open_piece(document.text)
            self.blocks += [
                replace(block, start=block.start + start, end=block.end + start, page=None) for block in document.blocks
            ]

    def open_piece(self, text: str, lines: Sequence[int] = ()) -> int:
        """Append a piece whose blocks the caller adds; returns the offset where it starts. `lines` as in `add`."""
        if self._pieces:
            self._pieces.append(SEPARATOR)
            self._length += len(SEPARATOR)
        start = self._length
        self._pieces.append(text)
        self._length += len(text)
        self._map(text, start, lines)
        if self._length > MAX_CHARACTERS:
            raise SourceError(f"too much text (over {MAX_CHARACTERS // 10**6} million characters)")
        return start

    def _map(self, text: str, start: int, lines: Sequence[int]) -> None:
        """Note where the lines of a piece stand; one of which nothing is known ends what was known before it."""
        if not any(lines):
            if self.line != (self.line_map[-1][1] if self.line_map else 0):
                self.line_map.append((start, self.line))
            return
        at = start
        for line, number in zip(text.split("\n"), lines, strict=False):
            self.line_map.append((at, number))
            at += len(line) + 1

    def finish(self) -> tuple[str, tuple[Block, ...]]:
        """Return the text and its blocks."""
        return "".join(self._pieces), tuple(self.blocks)
