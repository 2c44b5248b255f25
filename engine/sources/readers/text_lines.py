"""Text by its lines, with the offset where each begins: what every scanner of a hand-written format stands on."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate


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
