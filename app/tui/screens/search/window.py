"""The part of a document around a hit: which lines are shown, how they are cut, and what is marked in them.

A preview shows a window, never the whole text: laying out a large document would hold up the keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain

from textual.content import Content

from app.tui.pages.painted_line import LineMaker, ShownLine
from app.tui.pages.painter import Painter
from app.tui.pages.units import Units
from app.wording.bars import rarity
from engine.lazy_dataclass import dataclass
from engine.records import Hit, SearchResult, StoredDocument
from engine.store.folding import IGNORED, MARKS, fold

LINES_EACH_WAY = 60
WINDOW_CHARACTERS = 8 * 1024
LONG_LINE = 1_200  # code points of a line that are laid out; minified files have lines of 100,000
SMALL_WORD = 3  # letters: a, to, the
_WORD = rf"[\w{MARKS}{IGNORED}]+"  # 3 ms to compile, for who reads a preview
_ENDINGS = ("ations", "ation", "ings", "ing", "edly", "ies", "ied", "ers", "ed", "es", "er", "ly", "s", "e", "y")


@dataclass(frozen=True, slots=True)
class WindowLine:
    """One line of a document, fit for the screen.

    `start` is where in the document it begins, `inside` whether it belongs to the passage, `marks` the spans of its
    shown text that hold a query word.
    """

    number: int
    start: int
    shown: ShownLine
    inside: bool
    marks: tuple[tuple[int, int], ...]

    @property
    def text(self) -> str:
        """The line as it is shown."""
        return self.shown.text


@dataclass(frozen=True, slots=True)
class Window:
    """The lines around a passage. `hit_index` is where in `lines` it begins; `numbered`: lines show their numbers."""

    lines: tuple[WindowLine, ...]
    hit_index: int
    lines_in_document: int
    cut_before: bool
    cut_after: bool
    numbered: bool = False


def window_of(document: StoredDocument, hit: Hit, words: frozenset[str]) -> Window:
    """Return the window of `document` around `hit`, with `words` (from words_of) marked inside the passage."""
    text = document.text
    start = min(max(0, hit.start), len(text))
    end = min(max(start, hit.end), len(text))
    last = text.find("\n", min(len(text), end + WINDOW_CHARACTERS))
    units = Units(text if last < 0 else text[:last], document.kind)
    painter = Painter(units, language=str(document.metadata.get("language", "")), headings=hit.headings)
    first = units.at(start)
    before = list(_before(units, first))
    inside = list(_inside(units, first, end))
    after = list(_after(units, inside[-1]))
    lines = [_outside(painter, unit) for unit in reversed(before)]
    lines += [_in_passage(painter, unit, start, words) for unit in inside]
    lines += [_outside(painter, unit) for unit in after]
    return Window(
        tuple(lines),
        len(before),
        max(1, text.count("\n") + (not text.endswith("\n"))) if text else 1,
        lines[0].start > 0,
        (after or inside)[-1] < len(units) - 1 or last >= 0,
        painter.numbered,
    )


def with_pictures(window: Window, cells: Mapping[str, tuple[Content, ...]]) -> Window:
    """Return a window with the cells of its pictures below the lines that name them."""

    def shown(line: WindowLine) -> WindowLine:
        found = cells.get(line.shown.picture)
        return replace(line, shown=replace(line.shown, cells=found)) if found else line

    return replace(window, lines=tuple(map(shown, window.lines)))


def _before(units: Units, first: int) -> Iterator[int]:
    """Yield the beginnings of the lines before the unit `first`, nearest first, within the budget."""
    spent, taken, line = 0, 0, units.line(first)
    for unit in range(first - 1, -1, -1):
        if units.line(unit) == line or (unit and units.line(unit - 1) == units.line(unit)):
            continue
        spent += min(LONG_LINE, units.ends[unit] - units.starts[unit])
        taken += 1
        if taken > LINES_EACH_WAY or spent > WINDOW_CHARACTERS:
            return
        yield unit


def _inside(units: Units, first: int, end: int) -> Iterator[int]:
    """Yield the units of the passage; a passage is short, but a damaged span is not shown whole."""
    yield first
    for unit in range(first + 1, min(len(units), first + 4 * LINES_EACH_WAY)):
        if units.starts[unit] >= end:
            return
        yield unit


def _after(units: Units, last: int) -> Iterator[int]:
    """Yield the beginnings of the lines behind the unit `last`, within the budget."""
    spent, taken, line = 0, 0, units.line(last)
    for unit in range(last + 1, len(units)):
        if units.line(unit) == line:
            continue
        line = units.line(unit)
        spent += min(LONG_LINE, units.ends[unit] - units.starts[unit])
        taken += 1
        if taken > LINES_EACH_WAY or spent > WINDOW_CHARACTERS:
            return
        yield unit


def _outside(painter: Painter, unit: int) -> WindowLine:
    """Return a line outside the passage; of a long one its beginning."""
    units = painter.units
    length = units.ends[unit] - units.starts[unit]
    folded = "\n" in units.raw(unit)  # a paragraph of several lines, which has a greatest length of its own
    shown = painter.line(unit) if length <= LONG_LINE // 2 or folded else _part(units.raw(unit), 0, LONG_LINE // 4)
    return WindowLine(units.line(unit), units.starts[unit], shown, False, ())


def _in_passage(painter: Painter, unit: int, start: int, words: frozenset[str]) -> WindowLine:
    """Return a line of the passage, which begins at `start`; of a long one what stands around its beginning."""
    units = painter.units
    raw, at = units.raw(unit), max(0, start - units.starts[unit])
    shown = painter.line(unit) if len(raw) <= LONG_LINE else _part(raw, at, LONG_LINE)
    return WindowLine(units.line(unit), units.starts[unit], shown, True, marks_in(shown.text, words))


def _part(raw: str, at: int, room: int) -> ShownLine:
    """Return at most `room` code points of a line around the place `at`, with ellipses where it is cut."""
    first = max(0, min(at - room // 3, len(raw) - room))
    last = min(len(raw), first + room)
    maker = LineMaker(raw)
    if first:
        maker.put("…", 0, first)
    maker.keep(first, last)
    if last < len(raw):
        maker.put("…", last, len(raw))
    return maker.make()


def words_of(result: SearchResult) -> frozenset[str]:
    """Return the forms of the words that found the rows: those asked for, and those marked in the snippets.

    Short words that stand nearly everywhere (`a`, `to`) are left out: to mark them would hide the others.
    """
    asked = (word for term in result.query.terms if not term.excluded for word in re.findall(_WORD, term.text))
    found = (hit.snippet[start:end] for hit in result.hits for start, end in hit.marks)
    return frozenset(form(word) for word in chain(asked, found) if word) - small_words(result)


def small_words(result: SearchResult) -> frozenset[str]:
    """Return the forms of the query's words that are short and common here."""
    return frozenset(
        form(word.term)
        for word in result.words
        if len(word.term) <= SMALL_WORD and rarity(word.documents, word.idf, result.passages)[0] == "common"
    )


def marks_in(text: str, words: frozenset[str]) -> tuple[tuple[int, int], ...]:
    """Return the spans of the words of `text` that are forms of `words`."""
    if not words:
        return ()
    return tuple(match.span() for match in re.finditer(_WORD, text) if form(match[0]) in words)


def form(word: str) -> str:
    """Return a word without case, accents and its commonest endings: enough to mark `starters` for `starter`."""
    folded = fold(word)
    for ending in _ENDINGS:
        if folded.endswith(ending) and len(folded) - len(ending) >= 3:
            return folded[: -len(ending)]
    return folded
