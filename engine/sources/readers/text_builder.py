"""Builds the text of a document piece by piece, for formats that a person does not edit as text."""

from __future__ import annotations

from engine.errors import SourceError
from engine.records import Block, BlockKind
from engine.sources.encodings import storable
from engine.sources.readers.source_file import MAX_CHARACTERS

SEPARATOR = "\n\n"
_INVISIBLE = {ord(character): None for character in "\u200b\u2060\ufeff\u00ad"}  # they would split or hide words


class TextBuilder:
    """Grows a document's text piece by piece, a blank line between them, with one block for each piece."""

    def __init__(self) -> None:
        """Start with no text."""
        self.blocks: list[Block] = []
        self._pieces: list[str] = []
        self._length = 0

    def add(self, kind: BlockKind, text: str, *, level: int = 0, label: str = "", page: int | None = None) -> None:
        """Append one piece as one block; a piece without a visible character is passed over."""
        text = storable(text).translate(_INVISIBLE).strip("\n")
        if not text.strip():
            return
        start = self.open_piece(text)
        self.blocks.append(Block(kind, start, start + len(text), level, label, page))

    def heading(self, text: str, level: int, page: int | None = None) -> None:
        """Append a heading on one line."""
        words = " ".join(storable(text).translate(_INVISIBLE).split())
        self.add("heading", words, level=max(1, level), label=words, page=page)

    def open_piece(self, text: str) -> int:
        """Append a piece whose blocks the caller adds; returns the offset where it starts."""
        if self._pieces:
            self._pieces.append(SEPARATOR)
            self._length += len(SEPARATOR)
        start = self._length
        self._pieces.append(text)
        self._length += len(text)
        if self._length > MAX_CHARACTERS:
            raise SourceError(f"too much text (over {MAX_CHARACTERS // 10**6} million characters)")
        return start

    def finish(self) -> tuple[str, tuple[Block, ...]]:
        """Return the text and its blocks."""
        return "".join(self._pieces), tuple(self.blocks)
