"""Builds the text of a document piece by piece, for formats that a person does not edit as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from engine.errors import SourceError
from engine.records import Block, BlockKind, Document
from engine.sources.encodings import storable
from engine.sources.readers.source_file import MAX_CHARACTERS

SEPARATOR = "\n\n"
Place = tuple[int, int]  # an offset in a piece, and the line of the file on which it stands, from 1
INVISIBLE = {ord(character): None for character in "\u200b\u2060\ufeff\u00ad"}  # they would split or hide words


def line_by_line(text: str, lines: Sequence[int]) -> list[Place]:
    """Return the places of a text whose lines stand on these lines of the file."""
    starts = accumulate((len(line) + 1 for line in text.split("\n")), initial=0)
    return list(zip(starts, lines, strict=False))


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

    def __len__(self) -> int:
        """Return how long the text is by now, in code points."""
        return self._length

    def add(
        self,
        kind: BlockKind,
        text: str,
        *,
        level: int = 0,
        label: str = "",
        page: int | None = None,
        places: Sequence[Place] = (),
    ) -> None:
        """Append one piece as one block; a piece without a visible character is passed over.

        `places` say from which offset in the piece on its text stands on which line of the file.
        """
        text = storable(text).translate(INVISIBLE).strip("\n")
        if not text.strip():
            return
        start = self.open_piece(text, places)
        self.blocks.append(Block(kind, start, start + len(text), level, label, page))

    def heading(self, text: str, level: int, page: int | None = None, line: int = 0) -> None:
        """Append a heading on one line."""
        words = " ".join(storable(text).translate(INVISIBLE).split())
        self.add("heading", words, level=max(1, level), label=words, page=page, places=[(0, line)] if line else ())

    def include(self, document: Document) -> None:
        """Append the text of another document with its blocks, one that this one holds."""
        if document.text.strip():
            start = self.open_piece(document.text)
            self.blocks += [
                replace(block, start=block.start + start, end=block.end + start, page=None) for block in document.blocks
            ]

    def open_piece(self, text: str, places: Sequence[Place] = ()) -> int:
        """Append a piece whose blocks the caller adds; returns the offset where it starts. `places` as in `add`."""
        if self._pieces:
            self._pieces.append(SEPARATOR)
            self._length += len(SEPARATOR)
        start = self._length
        self._pieces.append(text)
        self._length += len(text)
        self._map(start, places)
        if self._length > MAX_CHARACTERS:
            raise SourceError(f"too much text (over {MAX_CHARACTERS // 10**6} million characters)")
        return start

    def _map(self, start: int, places: Sequence[Place]) -> None:
        """Note where a piece stands; one that does not say it stands where the builder does, if that is known."""
        for offset, line in places or [(0, self.line)]:
            if line != (self.line_map[-1][1] if self.line_map else 0):
                self.line_map.append((start + offset, line))

    def finish(self) -> tuple[str, tuple[Block, ...]]:
        """Return the text and its blocks."""
        return "".join(self._pieces), tuple(self.blocks)
