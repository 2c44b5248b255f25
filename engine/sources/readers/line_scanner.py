"""One pass over the lines of a hand-written format: the part that is the same whatever the marks mean."""

from __future__ import annotations

from abc import ABC, abstractmethod

from engine.records import Block, BlockKind
from engine.sources.readers.text_lines import Lines


class LineScanner(ABC):
    """Finds the blocks of a text. `at` is the line that comes next; a format says in `_block` what begins there."""

    def __init__(self, text: str) -> None:
        self.lines = Lines(text)
        self.texts = self.lines.texts
        self.at = 0
        self.blocks: list[Block] = []

    def run(self) -> list[Block]:
        """Return the blocks from line `at` to the end, in order."""
        while self.at < len(self.texts):
            line = self.texts[self.at]
            if not line or line.isspace():
                self.at += 1
            else:
                self._block(line)
        return self.blocks

    @abstractmethod
    def _block(self, line: str) -> None:
        """Take the block that begins with the next line, which is not blank, and move `at` behind it."""

    def _emit(self, kind: BlockKind, after: int, level: int = 0, label: str = "") -> None:
        """Add the lines from `at` up to, but not with, `after` as a block; `after` comes next."""
        start, end = self.lines.span(self.at, after)
        self.blocks.append(Block(kind, start, end, level, label))
        self.at = after
