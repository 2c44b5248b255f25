"""Plain text in paragraphs, and the lines and the line scanner that the readers of all text formats stand on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from itertools import accumulate

from engine.records import Block, BlockKind, Document
from engine.sources.encodings import decode
from engine.sources.readers.source_file import Source
from engine.sources.readers.terminal_text import as_printed, with_returns


class Lines:
    """The lines of a text without their ends, and where they start. Only `\\n` ends a line, as in an editor."""

    __slots__ = ("starts", "text", "texts")

    def __init__(self, text: str) -> None:
        """Split `text`."""
        self.text = text
        self.texts = text.split("\n")
        self.starts = list(accumulate((len(line) + 1 for line in self.texts), initial=0))

    def __len__(self) -> int:
        """Count the lines; what follows the last line end is one more."""
        return len(self.texts)

    def span(self, first: int, after: int) -> tuple[int, int]:
        """Return where the lines from `first` up to, but not with, `after` start and end; blank ends fall away."""
        while after > first + 1 and not self.texts[after - 1].strip():
            after -= 1
        return self.starts[first], self.starts[after] - 1

    def is_blank(self, number: int) -> bool:
        """Whether a line has no visible character; so have lines beyond the end."""
        return number >= len(self.texts) or not self.texts[number].strip()


def paragraphs(text: str) -> Iterator[tuple[int, int]]:
    """Give the span of every run of lines that are not blank."""
    lines = Lines(text)
    first: int | None = None
    for number, line in enumerate(lines.texts):
        if line.strip():
            first = number if first is None else first
        elif first is not None:
            yield lines.span(first, number)
            first = None
    if first is not None:
        yield lines.span(first, len(lines))


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

    def _after_run(self, ends: Callable[[str], bool] = lambda _: False) -> int:
        """Return the line after those that follow `at` without a blank line or one that `ends` the run."""
        number = self.at + 1
        while not self.lines.is_blank(number) and not ends(self.texts[number]):
            number += 1
        return number

    def _after_all(self, belongs: Callable[[str], bool]) -> int:
        """Return the line after the last that belongs to the block at `at`; blank lines may stand in between."""
        number = after = self.at + 1
        while number < len(self.texts):
            line = self.texts[number]
            if line and not line.isspace():
                if not belongs(line):
                    break
                after = number + 1
            number += 1
        return after

    def _emit(self, kind: BlockKind, after: int, level: int = 0, label: str = "") -> None:
        """Add the lines from `at` up to, but not with, `after` as a block; `after` comes next."""
        start, end = self.lines.span(self.at, after)
        self.blocks.append(Block(kind, start, end, level, label))
        self.at = after


def read(source: Source) -> Document:
    """Read a plain text file; its title is its name."""
    text = as_printed(decode(with_returns(source.raw)))
    return source.document("text", text, (Block("paragraph", start, end) for start, end in paragraphs(text)), "")
