"""Where a document may be cut, what each cut costs, and which cuts are cheapest together.

A split point costs more the more it tears apart: nothing between sections, much inside a word. The costs are weighed
against the sizes of the passages that they make, on the same scale: 1 is what a passage costs that is empty, or twice
the target. A passage costs the square of its distance from the target, so that a long section falls into pieces of
equal size and not into full ones and a rest. Dynamic programming finds the cheapest way from the start to the end, in
time linear in the split points, since a passage spans a bounded number of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from zlib import crc32

from engine.chunking.document_structure import Section
from engine.chunking.token_counts import TokenPositions
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
INTO_OTHER_PAGE = 50.0  # where pages are things of their own: more than any size of a passage costs
JITTER = 0.2  # from the text itself: an edit then changes 3 passages on average, where without it as many as 26 change
JITTER_CHARACTERS = 24

_PARAGRAPH = (re.compile(r"\n[^\S\n]*\n\s*"), 0.05)
_SENTENCE = (re.compile(r"[.!?…][\"'”’)\]*_]*\s+(?=[^\sa-z])|[。！？｡][」』”’）]*\s*"), 0.25)
_LINE = (re.compile(r"\n\s*"), 0.4)
_CLAUSE = (re.compile(r"[,;:—]\s+|[，、；：]\s*"), 0.8)
_ITEM = (re.compile(r"\n(?=[ \t]*(?:[-*+•]|\d{1,3}[.)])[ \t])"), 0.12)
_TOP_LEVEL = (
    re.compile(r"\n[^\S\n]*+\n\s*+(?:(?<=\n)()|)"),
    0.05,
)  # its group tells that the next line begins at the margin
_BLANK_LINE = (re.compile(r"\n(?:[^\S\n]*+\n)++"), 0.2)
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
AIM = 0.9  # of the target, since the price of split points favours fewer of them: the mean then comes out at the target
TINY_SHARE = 4  # below a quarter of the target a passage is too short to say what it is about ...
TINY_COST = 2.0  # ... and joins a neighbour, even of another section


@dataclass(frozen=True, slots=True)
class SplitPoints:
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


class SplitPointFinder:
    """Finds the split points of one document."""

    def __init__(self, text: str, line: TokenPositions, target: int, pages_apart: bool = False) -> None:
        """Prepare for passages of `target` tokens: nothing up to half of that is cut inside.

        With `pages_apart` no passage holds parts of two pages: they have nothing to do with each other.
        """
        self._text = text
        self._pages_apart = pages_apart
        self._line = line
        self._whole = max(target // 2, 1)
        self._grain = max(target // 16, 1)
        self._points = SplitPoints()

    def find(self, blocks: Sequence[Block], sections: Sequence[Section]) -> SplitPoints:
        """Give the split points between the tiled blocks and inside those that are large."""
        marks = [*self._line.before(block.start for block in blocks), len(self._line.starts)]
        borders = {right.start: (left, right) for left, right in pairwise(sections)}
        for index, block in enumerate(blocks):
            if index:
                cost, crossing = self._between(blocks[index - 1], block, borders)
                self._add(block.start, marks[index], cost, crossing)
            else:
                self._points.add(0, 0, 0.0)
            self._split(block.start, block.end, marks[index], marks[index + 1], _LADDERS.get(block.kind, _PROSE))
        self._put(len(self._text), marks[-1], 0.0)
        return self._points

    def _add(self, position: int, tokens: int, cost: float, crossing: float = 0.0) -> None:
        beginning = self._text[position : position + JITTER_CHARACTERS].encode("utf-8", "surrogatepass")
        self._put(position, tokens, cost + JITTER * crc32(beginning) / 2**32, crossing)

    def _put(self, position: int, tokens: int, cost: float, crossing: float = 0.0) -> None:
        """Add a place. It takes that of one with only blanks in between: an empty line stays with what is before it."""
        if self._blank(self._points.positions[-1], position):
            if len(self._points.positions) == 1:
                return
            cost = min(cost, self._points.drop())
        self._points.add(position, tokens, cost, crossing)

    def _blank(self, start: int, end: int) -> bool:
        return self._text[start:end].isspace()

    def _between(self, left: Block, right: Block, borders: dict[int, tuple[Section, Section]]) -> tuple[float, float]:
        """Give the cost of a cut between two blocks, and of none."""
        if self._pages_apart and left.page != right.page:
            return 0.0, INTO_OTHER_PAGE
        if right.kind == "heading":
            return _between_sections(*borders[right.start])
        if left.kind == "heading" or self._ends_page(right):
            return GLUED, 0.0
        if left.kind == "meta" and not self._ends_page(left):
            return GLUED, 0.0
        if left.kind == "paragraph" and self._text[max(left.start, left.end - 8) : left.end].rstrip().endswith(":"):
            return AFTER_COLON, 0.0
        return BETWEEN_BLOCKS, 0.0

    def _ends_page(self, block: Block) -> bool:
        """Whether a block says where the links of its page lead, and belongs to what stands before it."""
        return block.kind == "meta" and block.page is not None and not self._pages_apart

    def _split(self, start: int, end: int, first: int, last: int, rungs: _Rungs) -> None:
        """Add the split points inside a span that holds the tokens `first` to `last`, the coarsest kind first."""
        if last - first <= self._whole:
            return
        if not rungs:
            self._split_words(first, last)
            return
        pattern, cost = rungs[0]
        found = pattern.finditer(self._text, start, end)
        cuts = [match.end() for match in found if match.end() < end and (not match.re.groups or match.lastindex)]
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
        """Add split points before words every few tokens, and before a token where a word goes on for too long."""
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


def partition(points: SplitPoints, target: int, maximum: int) -> list[int]:
    """Give the indexes of the split points to cut at, the first and the last split point included.

    Passages hold at most `maximum` tokens, except where two neighbouring split points are further apart than that.
    """
    tokens, point_costs = points.tokens, points.costs
    largest = max((right - left for left, right in pairwise(tokens)), default=0)
    prices = [_price(size, target) for size in range(max(maximum, largest) + 1)]
    count = len(points.positions)
    came_from = [0] * count
    entry = [0.0] * count  # the cheapest way to each split point, less all crossings up to it
    crossed = 0.0  # the crossings of all split points before the one looked at, summed
    widest = 2 * maximum  # split points in one passage: as many as tokens, and room for those with no token between
    low = 0
    for end in range(1, count):
        here = tokens[end]
        while (here - tokens[low] > maximum or end - low > widest) and low < end - 1:
            low += 1
        costs = [entry[start] + prices[here - tokens[start]] for start in range(low, end)]
        best = min(costs)
        came_from[end] = low + costs.index(best)
        cheapest = best + crossed + point_costs[end]
        crossed += points.crossings[end]
        entry[end] = cheapest - crossed
    return _walk_back(came_from)


def _price(tokens: int, target: int) -> float:
    distance = tokens / (AIM * target) - 1
    return distance * distance + (TINY_COST if tokens * TINY_SHARE < target else 0.0)


def _walk_back(came_from: list[int]) -> list[int]:
    """Follow the way from the last split point back to the first."""
    cuts = [len(came_from) - 1]
    while cuts[-1]:
        cuts.append(came_from[cuts[-1]])
    cuts.reverse()
    return cuts
