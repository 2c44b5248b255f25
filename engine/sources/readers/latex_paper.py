"""The text that a LaTeX file puts on paper, while it is written, and the blocks in it that are no plain paragraph."""

from __future__ import annotations

import re

from engine.records import Block, BlockKind
from engine.sources.encodings import storable
from engine.sources.readers.text import paragraphs

_BLANK = re.compile(r"\s")


class PaperText:
    """A text that only grows. Offsets count its code points."""

    def __init__(self) -> None:
        self.length = 0
        """How many code points were written."""
        self.blocks: list[Block] = []
        """What is no plain paragraph."""
        self._pieces: list[str] = []
        self._owed = 0  # line ends that stood inside a word

    def write(self, words: str) -> None:
        """Write words behind what is there; line ends that are owed come with the first blank."""
        if self._owed and (blank := _BLANK.search(words)):
            words = words[: blank.start()] + "\n" * self._owed + words[blank.start() :]
            self._owed = 0
        self._pieces.append(words)
        self.length += len(words)

    def owe_line_end(self) -> None:
        """Write a line end once the word that is being written has ended."""
        self._owed += 1

    @property
    def ends_in_word(self) -> bool:
        """Whether the last code point is no blank."""
        return bool(self.written_since(max(self.length - 1, 0)))

    def written_since(self, start: int) -> str:
        """Return what was written since an offset, on one line."""
        tail: list[str] = []
        left = self.length - start
        for piece in reversed(self._pieces):
            if left <= 0:
                break
            tail.append(piece)
            left -= len(piece)
        return " ".join("".join(reversed(tail)).split())

    def add_block(self, kind: BlockKind, start: int, level: int = 0, label: str = "") -> None:
        """Make a block of what was written since an offset, unless another one ends in it."""
        if not self.blocks or self.blocks[-1].end <= start:
            self.blocks.append(Block(kind, start, self.length, level, label))

    def finish(self) -> tuple[str, tuple[Block, ...]]:
        """Return the text, and its blocks with the paragraphs between the others."""
        text = storable("".join(self._pieces))
        blocks: list[Block] = []
        position = 0
        for block in [*self.blocks, Block("meta", len(text), len(text))]:
            for start, end in paragraphs(text[position : block.start]):
                first = text[position + start : position + end].lstrip()[:2]
                kind: BlockKind = "list" if first == "- " else "paragraph"
                blocks.append(Block(kind, position + start, position + end))
            if text[block.start : block.end].strip():
                blocks.append(block)
            position = block.end
        return text, tuple(blocks)
