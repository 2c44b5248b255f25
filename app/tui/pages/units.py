"""A document cut into the units that are painted one by one: its lines, the longest in parts, and its page breaks.

The lines of a paragraph that was folded for its length are one unit, and those that a link or an emphasis runs over;
their line ends stay in its text.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Literal

from app.tui.pages.inline_markup import LINK_SHAPE
from app.tui.pages.paragraphs import LONGEST, SHORTEST_MEASURE, continued, one_paragraph
from app.tui.pages.tables import RULE, Table, tables_in
from engine.lazy_dataclass import dataclass
from engine.records import StoredDocument, StoredPassage

LONGEST_UNIT = 4_000  # code points: what is laid out and painted in one go
State = Literal["prose", "opening", "code", "closing", "front", "page", "table"]
STATES: tuple[State, ...] = ("prose", "opening", "code", "closing", "front", "page", "table")
_FENCE = re.compile(r"^[ \t>]*(`{3,}(?=[^`\n]*$)|~{3,})[ \t]*([^\s`{]*)", re.MULTILINE)
_FRONT = re.compile(r"---[ \t]*\n(?:.*\n)*?(?:---|\.\.\.)[ \t]*(?:\n|$)")
_LINK_UNCLOSED = re.compile(r"\[[^\[\]\n]*(?:\]\([^()\n]*)?(?=\n)")  # where its line ends
# Strong, emphasised or struck words, or code, that one to three line ends stand in
_EMPHASIS_OPEN = re.compile(
    "|".join(
        rf"(?<![\w\\{sign}])(?P<s{place}>{signs})(?=[^\s{sign}])[^{sign}\n]*(?:\n[^{sign}\n]*){{1,3}}"
        rf"(?<=[^\s{sign}])(?P=s{place})(?![\w{sign}])"
        for place, (sign, signs) in enumerate((("*", r"\*{1,2}"), ("_", "_{1,2}"), ("~", "~~"), ("`", "`{1,2}")))
    )
)
FRONT_LONGEST = 64 * 1024  # code points searched for the end of the front matter


@dataclass(frozen=True, slots=True)
class Fence:
    """A block of code in Markdown: the units between its edges, `last` not included, and its language."""

    first: int
    last: int
    language: str


class Units:
    """The units of a text, in order; several may share a line, and a page break stands before the first of a page."""

    def __init__(self, text: str, kind: str, *, pages: Iterable[tuple[int, int]] = (), first_line: int = 1) -> None:
        self.text = text
        self.kind = kind
        self.starts = array("Q")
        self.ends = array("Q")
        self.lines = array("L")  # the line that a unit belongs to, counted from 1
        self.fences: list[Fence] = []
        self.tables: list[Table] = []
        self.pages = sorted(dict(reversed(list(pages))).items())
        self.first_line = first_line
        self._page_units: dict[int, int] = {}
        self._cut()
        self._states = bytearray(len(self.starts))
        for unit in self._page_units:
            self._states[unit] = STATES.index("page")
        if kind == "markdown":
            self._find_front_matter()
            self._find_fences()
            self._find_tables()
        if kind in SHORTEST_MEASURE:
            self._join_paragraphs()

    def __len__(self) -> int:
        return len(self.starts)

    def state(self, unit: int) -> State:
        """Return what a unit is."""
        return STATES[self._states[unit]]

    def raw(self, unit: int) -> str:
        """Return a unit's text as it is in the document."""
        return self.text[self.starts[unit] : self.ends[unit]]

    def at(self, offset: int) -> int:
        """Return the unit that holds an offset of the text."""
        return max(0, bisect_right(self.starts, offset) - 1)

    def line_at(self, offset: int) -> int:
        """Return the line, counted from 1, on which an offset of the text stands."""
        unit = self.at(offset)
        return self.lines[unit] + self.text.count("\n", self.starts[unit], max(self.starts[unit], offset))

    def line(self, unit: int) -> int:
        """Return the line, counted from 1, that a unit belongs to."""
        return self.lines[unit]

    @property
    def line_count(self) -> int:
        """How many lines there are; a line end at the very end begins no other."""
        return self.text.count("\n") + (0 if self.text.endswith("\n") else 1) if self.text else 1

    def page_of(self, unit: int) -> int | None:
        """Return the page on which a unit stands, where the document has pages."""
        found = [page for page, start in self.pages if start <= self.starts[unit]]
        return found[-1] if found else (self.pages[0][0] if self.pages else None)

    def page_at(self, unit: int) -> int:
        """Return which page a page break begins."""
        return self._page_units[unit]

    def fence_of(self, unit: int) -> Fence | None:
        """Return the block of code that a unit belongs to."""
        place = bisect_right(self.fences, unit, key=lambda fence: fence.first) - 1
        fence = self.fences[place] if place >= 0 else None
        return fence if fence and fence.first <= unit < fence.last else None

    def table_of(self, unit: int) -> Table | None:
        """Return the table that a unit belongs to."""
        place = bisect_right(self.tables, unit, key=lambda table: table.first) - 1
        table = self.tables[place] if place >= 0 else None
        return table if table and table.first <= unit < table.last else None

    def _cut(self) -> None:
        """Cut the text into lines, long lines into parts, and put the page breaks between them."""
        pages, start, number = list(self.pages), 0, self.first_line
        lines = self.text.split("\n")
        if len(lines) > 1 and not lines[-1]:
            lines.pop()
        for line in lines:
            end = start + len(line)
            while pages and pages[0][1] <= end:
                self._page_units[len(self.starts)] = pages.pop(0)[0]
                self._add(start, start, number)
            at = start
            while end - at > LONGEST_UNIT:
                space = self.text.rfind(" ", at + LONGEST_UNIT // 2, at + LONGEST_UNIT)
                cut = space + 1 if space >= 0 else at + LONGEST_UNIT
                self._add(at, cut, number)
                at = cut
            self._add(at, end, number)
            start, number = end + 1, number + 1

    def _add(self, start: int, end: int, number: int) -> None:
        self.starts.append(start)
        self.ends.append(end)
        self.lines.append(number)

    def _find_front_matter(self) -> None:
        if self.first_line == 1 and (match := _FRONT.match(self.text, 0, FRONT_LONGEST)):
            for unit in range(self.at(max(0, match.end() - 1)) + 1):
                self._states[unit] = self._states[unit] or STATES.index("front")

    def _find_fences(self) -> None:
        """Mark the blocks of code; one that is never closed reaches to the end."""
        opened: tuple[int, str, str] | None = None
        for match in _FENCE.finditer(self.text):
            unit = self.at(match.start())
            if self._states[unit]:
                continue
            if opened is None:
                opened = (unit, match[1], match[2])
                self._states[unit] = STATES.index("opening")
            elif match[1].startswith(opened[1]) and not match[2]:
                self._close(opened, unit)
                self._states[unit] = STATES.index("closing")
                opened = None
        if opened is not None:
            self._close(opened, len(self))

    def _find_tables(self) -> None:
        """Mark the lines of tables."""
        if not any("|" in match[0] for match in RULE.finditer(self.text)):
            return
        self.tables = list(tables_in([self._plain(unit) for unit in range(len(self))]))
        for table in self.tables:
            self._states[table.first : table.last] = bytes([STATES.index("table")]) * (table.last - table.first)

    def _plain(self, unit: int) -> str:
        """Return a unit's text where it is prose, else ""."""
        return self.raw(unit) if not self._states[unit] else ""

    def _close(self, opened: tuple[int, str, str], last: int) -> None:
        first = opened[0] + 1
        self.fences.append(Fence(first, last, opened[2]))
        self._states[first:last] = bytes([STATES.index("code")]) * (last - first)

    def _join_paragraphs(self) -> None:
        """Make one unit of the lines that are one paragraph."""
        plain = [self._plain(unit) for unit in range(len(self))]
        inside = self._inside_links(plain) | self._inside_emphasis(plain)
        kept: list[int] = []
        new_place = array("L")
        for unit, goes_on in enumerate(continued(plain, self.kind)):
            other_line = unit > 0 and self.lines[unit] > self.lines[unit - 1]
            if (goes_on or unit in inside) and other_line and self.ends[unit] - self.starts[kept[-1]] <= LONGEST:
                self.ends[kept[-1]] = self.ends[unit]
            else:
                kept.append(unit)
            new_place.append(len(kept) - 1)
        if len(kept) == len(self):
            return
        new_place.append(len(kept))
        self.starts, self.ends, self.lines = (
            array(old.typecode, (old[unit] for unit in kept)) for old in (self.starts, self.ends, self.lines)
        )
        self._states = bytearray(self._states[unit] for unit in kept)
        self._page_units = {new_place[unit]: page for unit, page in self._page_units.items()}
        self.fences = [
            replace(fence, first=new_place[fence.first], last=new_place[fence.last]) for fence in self.fences
        ]
        self.tables = [
            replace(table, first=new_place[table.first], last=new_place[table.last]) for table in self.tables
        ]

    def _inside_links(self, plain: Sequence[str]) -> set[int]:
        """Return the units that begin inside a link of Markdown."""
        if self.kind != "markdown" or "](" not in self.text:
            return set()
        opened = _LINK_UNCLOSED.finditer(self.text)
        return self._units_inside(plain, (LINK_SHAPE.match(self.text, each.start()) for each in opened))

    def _inside_emphasis(self, plain: Sequence[str]) -> set[int]:
        """Return the units that begin inside emphasis of Markdown."""
        if self.kind != "markdown":
            return set()
        return self._units_inside(plain, _EMPHASIS_OPEN.finditer(self.text))

    def _units_inside(self, plain: Sequence[str], spans: Iterable[re.Match[str] | None]) -> set[int]:
        """Return the units that begin inside one of the spans, where these lie in one paragraph."""
        found: set[int] = set()
        for span in filter(None, spans):
            first, last = self.at(span.start()), self.at(span.end() - 1)
            if last > first and one_paragraph(plain[first : last + 1]):
                found.update(range(first + 1, last + 1))
        return found


def page_count(document: StoredDocument, passages: Callable[[], Iterable[StoredPassage]]) -> int:
    """Return the pages that its reader counted, else the page of its last passage; 0 where it has none.

    `passages` fetches the document's passages, and is called only where the reader left no count.
    """
    counted = str(document.metadata.get("pages", ""))
    return int(counted) if counted.isdecimal() else max((each.page or 0 for each in passages()), default=0)
