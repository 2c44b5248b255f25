"""One line of a document as it stands on the screen, and where each piece of it comes from.

Rendering hides markup and expands tabs, so a place in the text is another place on the screen; what is marked (words,
sentences, found text, links) is known by its place in the text and asked for here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import field
from functools import cached_property

from textual.content import Content, Span

from app.tui.pages.line_wrap import ONE_ROW, row_of, row_starts
from app.tui.theme import QUIET
from app.wording.safe_text import TAB_CELLS, one_line
from engine.lazy_dataclass import dataclass

# where a line was folded, a quote's sign before the next with it, or a tab
_GAP = re.compile(r"(?<![ \t])[ \t]*+\n[ \t>]*+|\n[ \t>]*+|\t")
CUT_OFF = ("›", QUIET)  # where a line goes on outside the screen
Style = tuple[int, int, str]
Piece = tuple[int, int, int, int]  # start and end in the line, start and end on the screen


@dataclass(frozen=True, slots=True)
class LinkSpan:
    """A link in a line: where in the line it stands, where it leads as written, and what kind of link it is."""

    start: int
    end: int
    target: str
    wiki: bool = False
    picture: bool = False


@dataclass(frozen=True)
class ShownLine:
    """A line fit for the screen. `hang` is by how many cells the rows after its first are moved in.

    `edge` is what stands there, as a bar beside code; a line that is `clipped` is cut off where the screen ends.
    """

    text: str
    styles: tuple[Style, ...] = ()
    pieces: tuple[Piece, ...] = ()
    links: tuple[LinkSpan, ...] = ()
    hang: int = 0
    edge: Content = Content()
    clipped: bool = False
    cells: tuple[Content, ...] = ()  # rows that show the picture which the line names

    @property
    def picture(self) -> str:
        """Where the picture lies that the line shows, as written; "" where it shows more than one picture, or none."""
        alone = len(self.links) == 1 and self.links[0].picture
        first, last = (self.links[0].start, self.links[0].end) if alone else (0, 0)
        outside = (piece for piece in self.pieces if piece[1] <= first or piece[0] >= last)
        bare = alone and not any(self.text[shown:end].strip() for _, _, shown, end in outside)
        return self.links[0].target if bare else ""

    def starts(self, width: int) -> tuple[int, ...]:
        """Return where its rows of at most `width` cells begin."""
        if self.cells:
            return (0, *[len(self.text) + 1] * len(self.cells))
        return ONE_ROW if self.clipped else row_starts(self.text, width, self.hang)

    def row(self, line: Content, starts: Sequence[int], row: int, width: int) -> Content:
        """Return one of the rows of the line, which is painted as `line` is."""
        if self.cells:
            return self.cells[row - 1].truncate(width) if row else line.truncate(width, ellipsis=True)
        if self.clipped and line.cell_length > width:
            return Content.assemble(line.truncate(max(1, width - 1)), CUT_OFF)
        return row_of(line, starts, row, width, self.hang, self.edge)

    @cached_property
    def content(self) -> Content:
        """The line painted."""
        spans = [Span(start, end, style) for start, end, style in self.styles]
        return Content(self.text, spans=spans, strip_control_codes=False)

    def on_screen(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield where a span of the line stands on the screen; a hidden part stands nowhere."""
        for first, last, shown, shown_end in self.pieces:
            if first >= end:
                return
            if last <= start:
                continue
            if last - first == shown_end - shown:
                yield shown + max(start, first) - first, shown + min(end, last) - first
            elif shown < shown_end:
                yield shown, shown_end

    def words_on_screen(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield where a span stands, without the blanks that begin the line: they are no part of a sentence."""
        lead = len(self.text) - len(self.text.lstrip())
        return ((max(first, lead), last) for first, last in self.on_screen(start, end) if last > lead)

    def in_line(self, column: int) -> int:
        """Return which place of the line stands at a code point of the screen's text, or next before it."""
        place = 0
        for first, last, shown, shown_end in self.pieces:
            if shown > column:
                break
            place = min(first + column - shown, last - 1) if last - first == shown_end - shown else first
        return max(0, place)


@dataclass(slots=True)
class LineMaker:
    """Puts a shown line together from left to right. `text` is the line as it is in the document."""

    text: str
    _parts: list[str] = field(default_factory=list)
    _styles: list[Style] = field(default_factory=list)
    _pieces: list[Piece] = field(default_factory=list)
    _links: list[LinkSpan] = field(default_factory=list)
    _length: int = 0

    @property
    def length(self) -> int:
        """How many code points are on the screen so far."""
        return self._length

    def keep(self, start: int, end: int, style: str = "") -> None:
        """Show a part of the line as it is, fit for the screen; where a paragraph was folded stands one blank."""
        while start < end:
            gap = _GAP.search(self.text, start, end)
            stop, after = gap.span() if gap else (end, end)
            if stop > start:
                self._add(one_line(self.text[start:stop]), start, stop, style)
            if gap:
                blanks = TAB_CELLS - self._length % TAB_CELLS if gap[0] == "\t" else 1
                self._add(" " * blanks, stop, after, style)
            start = after

    def put(self, shown: str, start: int, end: int, style: str = "") -> None:
        """Show something else in place of a part of the line."""
        self._add(shown, start, end, style)

    def style(self, start: int, style: str) -> None:
        """Paint everything on the screen from `start` on."""
        if style and self._length > start:
            self._styles.append((start, self._length, style))

    def link(self, start: int, end: int, target: str, wiki: bool = False, picture: bool = False) -> None:
        """Remember a link."""
        self._links.append(LinkSpan(start, end, target, wiki, picture))

    def make(self, hang: int = 0, edge: Content = Content(), clipped: bool = False) -> ShownLine:  # noqa: B008
        """Return the line."""
        text, styles, pieces = "".join(self._parts), tuple(self._styles), tuple(self._pieces)
        return ShownLine(text, styles, pieces, tuple(self._links), hang, edge, clipped)

    def _add(self, shown: str, start: int, end: int, style: str) -> None:
        after = self._length + len(shown)
        self._parts.append(shown)
        self._pieces.append((start, end, self._length, after))
        if style and shown:
            self._styles.append((self._length, after, style))
        self._length = after


def plain_line(text: str, style: str = "", hang: int = 0) -> ShownLine:
    """Return a line as it is, fit for the screen."""
    maker = LineMaker(text)
    maker.keep(0, len(text), style)
    return maker.make(hang)
