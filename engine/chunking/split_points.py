"""Where a document may be cut, and what each cut costs: nothing between sections, much inside a word.

A seam costs more the more it tears apart. `engine.chunking.partition` weighs these costs against the sizes of the
passages that they make, on the same scale: 1 is what a passage costs that is empty, or twice the target.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from zlib import crc32

from engine.chunking.document_structure import Section
from engine.chunking.token_counts import TokenLine
from engine.records import Block

BETWEEN_BLOCKS = 0.05
AFTER_COLON = 1.0  # "as follows:" belongs to what follows
GLUED = 8.0  # after a heading or front matter: only where nothing else fits
AFTER_EMPTY_SECTION = 2.0  # between a heading and one that is not below it: items of an outline, where it is long
WORD = 2.0
INSIDE_WORD = 4.0
INTO_SUBSECTION = 0.8  # what it costs not to cut there: a passage that spans sections says less about each
INTO_SIBLING = 1.0
PER_LEVEL_UP = 0.25
JITTER = 0.2  # from the text itself: an edit then changes 3 passages on average, where without it as many as 26 change
JITTER_CHARACTERS = 24

_PARAGRAPH = (re.compile(r"\n[^\S\n]*\n\s*"), 0.05)
_SENTENCE = (re.compile(r"[.!?…][\"'”’)\]*_]*\s+(?=[^\sa-z])|[。！？｡][」』”’）]*\s*"), 0.25)
_LINE = (re.compile(r"\n\s*"), 0.4)
_CLAUSE = (re.compile(r"[,;:—]\s+|[，、；：]\s*"), 0.8)
_ITEM = (re.compile(r"\n(?=[ \t]*(?:[-*+•]|\d{1,3}[.)])[ \t])"), 0.12)
_TOP_LEVEL = (re.compile(r"\n(?:[^\S\n]*\n)+(?=\S)"), 0.05)
_BLANK_LINE = (re.compile(r"\n(?:[^\S\n]*\n)+"), 0.2)
_CODE_LINE = (re.compile(r"\n"), 0.5)
_ROW = (re.compile(r"\n"), 0.25)

_Rungs = Sequence[tuple[re.Pattern[str], float]]
_PROSE: _Rungs = (_PARAGRAPH, _SENTENCE, _LINE, _CLAUSE)
_LADDERS: dict[str, _Rungs] = {
    "list": (_ITEM, _PARAGRAPH, _SENTENCE, _LINE, _CLAUSE),
    "code": (_TOP_LEVEL, _BLANK_LINE, _CODE_LINE),
    "meta": (_CODE_LINE,),
    "table": (_ROW,),
}


@dataclass(frozen=True, slots=True)
class Seams:
    """Places where a text may be cut, ascending; the first is its start and the last its end, both free.

    `tokens` counts the tokens before each place, `costs` is what a cut there costs, and `crossings` what it costs to
    leave the place uncut.
    """

    positions: list[int] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    crossings: list[float] = field(default_factory=list)

    def add(self, position: int, tokens: int, cost: float, crossing: float = 0.0) -> None:
        """Add a place behind those that are there; one that is not behind them is left out."""
        if not self.positions or position > self.positions[-1]:
            self.positions.append(position)
            self.tokens.append(tokens)
            self.costs.append(cost)
            self.crossings.append(crossing)

    def drop(self) -> float:
        """Take the last place out and return what a cut there would have cost."""
        for column in (self.positions, self.tokens, self.crossings):
            column.pop()
        return self.costs.pop()


class SeamFinder:
    """Finds the seams of one document."""

    def __init__(self, text: str, line: TokenLine, target: int) -> None:
        """Prepare for passages of `target` tokens: nothing up to half of that is cut inside."""
        self._text = text
        self._line = line
        self._whole = max(target // 2, 1)
        self._grain = max(target // 16, 1)
        self._seams = Seams()

    def find(self, blocks: Sequence[Block], sections: Sequence[Section]) -> Seams:
        """Give the seams between the tiled blocks and inside those that are large."""
        marks = [*self._line.before(block.start for block in blocks), len(self._line.starts)]
        borders = {right.start: (left, right) for left, right in pairwise(sections)}
        for index, block in enumerate(blocks):
            if index:
                cost, crossing = self._between(blocks[index - 1], block, borders)
                self._add(block.start, marks[index], cost, crossing)
            else:
                self._seams.add(0, 0, 0.0)
            self._split(block.start, block.end, marks[index], marks[index + 1], _LADDERS.get(block.kind, _PROSE))
        self._put(len(self._text), marks[-1], 0.0)
        return self._seams

    def _add(self, position: int, tokens: int, cost: float, crossing: float = 0.0) -> None:
        beginning = self._text[position : position + JITTER_CHARACTERS].encode("utf-8", "surrogatepass")
        self._put(position, tokens, cost + JITTER * crc32(beginning) / 2**32, crossing)

    def _put(self, position: int, tokens: int, cost: float, crossing: float = 0.0) -> None:
        """Add a place. It takes that of one with only blanks in between: an empty line stays with what is before it."""
        if self._blank(self._seams.positions[-1], position):
            if len(self._seams.positions) == 1:
                return
            cost = min(cost, self._seams.drop())
        self._seams.add(position, tokens, cost, crossing)

    def _blank(self, start: int, end: int) -> bool:
        return self._text[start:end].isspace()

    def _between(self, left: Block, right: Block, borders: dict[int, tuple[Section, Section]]) -> tuple[float, float]:
        """Give the cost of a cut between two blocks, and of none."""
        if right.kind == "heading":
            return _between_sections(*borders[right.start])
        if left.kind in ("heading", "meta"):
            return GLUED, 0.0
        if left.kind == "paragraph" and self._text[max(left.start, left.end - 8) : left.end].rstrip().endswith(":"):
            return AFTER_COLON, 0.0
        return BETWEEN_BLOCKS, 0.0

    def _split(self, start: int, end: int, first: int, last: int, rungs: _Rungs) -> None:
        """Add the seams inside a span that holds the tokens `first` to `last`, the coarsest kind of seam first."""
        if last - first <= self._whole:
            return
        if not rungs:
            self._split_words(first, last)
            return
        pattern, cost = rungs[0]
        cuts = [match.end() for match in pattern.finditer(self._text, start, end) if match.end() < end]
        marks = [*self._line.before(cuts), last] if cuts else [last]
        for cut, mark in zip([*cuts, end], marks, strict=True):
            small = mark - first < self._grain and marks[-1] - mark > 0
            if cut < end and small and not self._blank(start, cut):
                continue
            self._split(start, cut, first, mark, rungs[1:])
            if cut < end:
                self._add(cut, mark, cost)
            start, first = cut, mark

    def _split_words(self, first: int, last: int) -> None:
        """Add seams before words every few tokens, and before a token where a word goes on for too long."""
        kept = first
        starts = self._line.starts[first:last].tolist()
        for index in range(first + 1, last):
            if index - kept < self._grain:
                continue
            position = starts[index - first]
            if self._text[position - 1].isspace():
                self._add(position, index, WORD)
                kept = index
            elif index - kept >= self._whole:
                self._add(position, index, INSIDE_WORD)
                kept = index


def _between_sections(left: Section, right: Section) -> tuple[float, float]:
    """Give the cost of a cut before a heading, and of none."""
    below = left.path == right.path[:-1]
    if not left.has_body:
        return GLUED if below else AFTER_EMPTY_SECTION, 0.0
    levels_up = max(len(left.path) - len(right.path), 0)
    return 0.0, INTO_SUBSECTION if below else INTO_SIBLING + PER_LEVEL_UP * levels_up
