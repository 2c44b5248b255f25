"""Cuts one document into passages: its structure, its split points and the cheapest of them put together."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import pairwise, takewhile

from engine.chunking.document_structure import Section, sections, tile
from engine.chunking.line_counter import LineCounter
from engine.chunking.passage_heads import PassageHeads
from engine.chunking.passage_rules import DEFAULT_RULES, PassageRules, TokenStarts
from engine.chunking.split_points import SplitPointFinder, partition
from engine.chunking.syntax_characters import markers, without
from engine.chunking.token_counts import TokenPositions, encodable, sizes
from engine.chunking.wordless_text import is_words
from engine.records import HELD_BACK, Block, Document, Passage, passage_hash

APART = frozenset(["mbox", "enex"])  # kinds whose pages, messages and notes, are never joined in a passage
STRETCH = 1.6  # a passage may hold this times the target where its structure asks for it
RAW_CHARACTERS = 8  # of markup are tokenised for each token that fits, where markup is all there is
SMALL_WINDOW_SHARE = 0.7  # where the window is small, the target leaves this slack below what fits


def cut(
    document: Document, token_starts: TokenStarts, rules: PassageRules = DEFAULT_RULES, prefix: str = ""
) -> list[Passage]:
    """Cut a document into passages that tile its text and each fit the encoder's window.

    `token_starts` is called once per 2**16 characters of text and once for title and headings together. `prefix` is
    what the model wants before every passage. There is always one passage at least: a document without visible text
    gives one that carries its title, so that an empty note is found by its name.
    """
    return list(_Chunker(document, token_starts, rules, prefix).passages())


class _Chunker:
    """The state of one cut: the document, its structure, and what of it is markup."""

    def __init__(self, document: Document, token_starts: TokenStarts, rules: PassageRules, prefix: str) -> None:
        self._document = document
        self._text = document.text
        self._token_starts = token_starts
        self._blocks = tile(document)
        self._sections = sections(self._blocks)
        self._section_starts = [section.start for section in self._sections]
        self._block_starts = [block.start for block in self._blocks]
        self._heads = PassageHeads(document, self._blocks, token_starts, rules, prefix)
        self._maximum = min(self._heads.room, int(rules.target * STRETCH))
        self._target = max(min(rules.target, int(self._maximum * SMALL_WINDOW_SHARE)), 1)
        self._meta = [(block.start, block.end) for block in self._blocks if block.kind == "meta"]
        self._dropped = list(merge(markers(self._text, self._blocks, document.kind), self._meta))

    def passages(self) -> Iterator[Passage]:
        """Give the passages in order; each knows its lines, its page, and the headings that stand over it."""
        lines = LineCounter(self._document)
        for ordinal, (start, end) in enumerate(pairwise(self._cuts())):
            line_start, line_end = lines.of(*self._visible(start, end))
            path = self._path(start, end)
            headings = self._heads.headings(path)
            embedded = self._embedded(start, end, path, headings)
            if not is_words(self._text[start:end]):
                embedded = HELD_BACK + embedded
            yield Passage(
                ordinal=ordinal,
                text=self._text[start:end],
                headings=headings,
                start=start,
                end=end,
                line_start=line_start,
                line_end=line_end,
                page=self._page(start, end),
                embedded=embedded,
                hash=passage_hash(embedded),
            )

    def _cuts(self) -> list[int]:
        if not self._blocks:
            return [0, len(self._text)]
        line = TokenPositions(self._text, self._token_starts, self._uncounted())
        apart = self._document.kind in APART
        points = SplitPointFinder(self._text, line, self._target, apart).find(self._blocks, self._sections)
        return [points.positions[index] for index in partition(points, self._target, self._maximum)]

    def _uncounted(self) -> list[tuple[int, int]]:
        """Give what is not embedded; only long front matter counts, so that it too is cut."""
        if self._document.kind == "code":
            return []
        longest = self._target * 4  # characters; about as many as a passage has
        meta = set(self._meta)
        return [span for span in self._dropped if span not in meta or span[1] - span[0] <= longest]

    def _visible(self, start: int, end: int) -> tuple[int, int]:
        """Give the first and the last visible character of a span; both are its start where all is blank."""
        body = self._text[start:end]
        first = len(body) - len(body.lstrip())
        return (start + first, start + len(body.rstrip()) - 1) if first < len(body) else (start, start)

    def _path(self, start: int, end: int) -> tuple[int, ...]:
        """Give the heading blocks that stand over all of a span, outermost first.

        Sections that are nothing but a heading have no say where others have, so that the headings in front of a
        text all belong to its path.
        """
        first = max(bisect_right(self._section_starts, start) - 1, 0)
        own = self._sections[first : bisect_left(self._section_starts, end)]
        speaking: Sequence[Section] = [section for section in own if section.has_body] or own
        return _shared([section.path for section in speaking])

    def _page(self, start: int, end: int) -> int | None:
        return next((block.page for _, block in self._blocks_in(start, end) if block.page is not None), None)

    def _blocks_in(self, start: int, end: int) -> Iterator[tuple[int, Block]]:
        """Yield the blocks that a span touches, with their indexes."""
        first = max(bisect_right(self._block_starts, start) - 1, 0)
        for index in range(first, bisect_left(self._block_starts, end)):
            yield index, self._blocks[index]

    def _embedded(self, start: int, end: int, path: Sequence[int], headings: Sequence[str]) -> str:
        body = self._body(start, end, path)
        if not (body or headings or self._heads.title):
            body = self._raw(start, end) or self._heads.last_resort
        return self._heads.embedded(headings, body)

    def _body(self, start: int, end: int, path: Sequence[int]) -> str:
        """Give the words of a span, without front matter, markup, and the headings that its path names."""
        if self._document.kind == "code":
            return encodable(self._text[start:end]).strip("\n").rstrip()
        named = {*path, self._heads.title_heading}
        headings = [
            (block.start, block.end)
            for index, block in self._blocks_in(start, end)
            if index in named and block.label and start <= block.start and block.end <= end
        ]
        low = max(bisect_left(self._dropped, (start, start)) - 1, 0)
        high = bisect_left(self._dropped, (end, end))
        return encodable(without(self._text, start, end, sorted(self._dropped[low:high] + headings)))

    def _raw(self, start: int, end: int) -> str:
        """Give the text of a span that is nothing but markup, as much of it as fits."""
        raw = " ".join(self._text[start : min(end, start + self._maximum * RAW_CHARACTERS)].split())
        found = sizes([raw], self._token_starts)[0]
        return encodable(raw if len(found) <= self._maximum else raw[: found[self._maximum]])


def _shared(paths: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Give what all the paths begin with."""
    if not paths:
        return ()
    levels = takewhile(lambda level: len(set(level)) == 1, zip(*paths, strict=False))
    return tuple(level[0] for level in levels)
