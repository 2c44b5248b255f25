"""The list of results: fixed rows drawn line by line, with a selection that stays on its passage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.message import Message
from textual.strip import Strip

from app.tui.screens.search.row import FULL, RowContext, RowShape, folded_cells, judged_line, row_lines
from app.tui.theme import ACCENT, BAR, FAINT, QUIET
from app.tui.widgets.line_views import paint
from app.tui.widgets.row_list import RowList
from engine.records import Hit

MAX_ROWS = 100  # asked for at once; the next ones on demand
MARGIN_CELLS = 3  # the bar of the selected row, the row's number, and a mark or a space
NUMBERED = 9  # rows: alt and the number opens one
RULE = "weak"
Foreword = Callable[[int], Sequence[Content]]


class ResultList(RowList):
    """Rows of as many lines as their shape has, below a foreword of any length, which may stand alone.

    After the last row a line may tell that there is more.
    """

    COMPONENT_CLASSES = {"results--chosen"}

    @dataclass
    class Selected(Message):
        """Another row is selected, or the same row shows another passage; None where there is none."""

        hit: Hit | None

    @dataclass
    class Clicked(Message):
        """A row was clicked."""

        place: int

    @dataclass
    class Opened(Message):
        """A row was asked to open."""

        hit: Hit

    @dataclass
    class Typed(Message):
        """A character was typed that no key of the rows is."""

        character: str

    @dataclass
    class Unfolded(Message):
        """What tells of further passages was clicked; its row is selected."""

    @dataclass
    class MoreWanted(Message):
        """The line that tells of more rows was clicked."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.hits: tuple[Hit, ...] = ()
        self._row_context: RowContext | None = None
        self._shape = FULL
        self._foreword: Foreword = _nothing
        self._foreword_lines: Sequence[Content] = ()
        self._afterword = Content()
        self._rows: dict[int, tuple[Content, ...]] = {}
        self._announced: Hit | None = None
        self.marked: set[int] = set()  # passage ids of the rows that are opened or copied together

    @property
    def hit(self) -> Hit | None:
        """The selected hit."""
        return self.hits[self.selected] if 0 <= self.selected < len(self.hits) else None

    def show(
        self,
        hits: Sequence[Hit],
        context: RowContext | None,
        foreword: Foreword | None = None,
        *,
        afterword: Content | None = None,
        stay: bool = True,
    ) -> None:
        """Show other rows.

        With `stay` the selection follows its passage to the row that holds it now, and stays where it is where none
        does; else it goes to the top.
        """
        before = self.hit if stay else None
        self.hits = tuple(hits)
        self._afterword = afterword or Content()
        self._row_context = context
        self._foreword = foreword or _nothing
        place = min(place_of(before, self.hits, self.selected), max(0, len(self.hits) - 1)) if before else 0
        self.set_reactive(ResultList.selected, place)
        self.lay_out()
        if before is None:
            self.scroll_to(y=0, animate=False)
        else:
            self.reveal()
        self.paint_changes()
        self.announce()

    def end_with(self, afterword: Content) -> None:
        """Say something else after the last row, where something is said there."""
        if self._afterword and self._afterword != afterword:
            self._afterword = afterword
            self.strips.clear()
            self.paint_changes()

    def choose(self, place: int) -> None:
        """Select the row at `place`, or the nearest there is."""
        self.selected = max(0, min(place, len(self.hits) - 1))

    def shape_rows(self, shape: RowShape) -> None:
        """Give the rows another number of lines; the selected one stays in sight."""
        if shape != self._shape:
            self._shape = shape
            self.lay_out()
            self.reveal()
            self.paint_changes()

    def mark(self) -> None:
        """Mark the selected row, or take its mark away."""
        if self.hit is not None:
            self.marked ^= {self.hit.passage_id}
            self.strips.clear()
            self.paint_changes()

    def unmark(self) -> None:
        """Take all marks away."""
        self.marked.clear()
        self.strips.clear()
        self.paint_changes()

    def select_passage(self, passage_id: int) -> None:
        """Select the row of a passage, where it is listed."""
        place = next((place for place, hit in enumerate(self.hits) if hit.passage_id == passage_id), None)
        if place is not None:
            self.choose(place)

    def is_unfolded(self, place: int) -> bool:
        """Whether further passages of the row's note stand below it."""
        further = self._row_context.further if self._row_context else frozenset()
        here, below = self.hits[place], self.hits[place + 1] if place + 1 < len(self.hits) else None
        return below is not None and below.passage_id in further and here.passage_id not in further

    @property
    def page(self) -> int:
        """How many rows are in sight."""
        return max(1, self.size.height // self._shape.step)

    def announce(self) -> None:
        """Tell the selected hit where it is another record than the last one told."""
        if self.hit is not self._announced:
            self._announced = self.hit
            self.post_message(self.Selected(self.hit))

    def lay_out(self) -> None:
        """Take the rows, the foreword and the width as they are now."""
        width = self.scrollable_content_region.width
        self._foreword_lines = self._foreword(max(1, width - MARGIN_CELLS)) if width > 0 else ()
        self._rows.clear()
        super().lay_out()

    def count_lines(self) -> int:
        """Return how many lines foreword, rows and afterword take."""
        return self._top(len(self.hits)) + bool(self._afterword)

    @property
    def _rule(self) -> int | None:
        return self._row_context.rule if self._row_context else None

    def _top(self, place: int) -> int:
        """Return the first line of a row; a rule stands before those that are weak."""
        return len(self._foreword_lines) + place * self._shape.step + (self._rule is not None and place >= self._rule)

    def _at(self, line: int) -> tuple[int, int]:
        """Return the row that a line belongs to, and which of its lines it is: -1 is the rule before it."""
        inside = line - len(self._foreword_lines)
        if self._rule is not None and inside >= self._rule * self._shape.step:
            if inside == self._rule * self._shape.step:
                return self._rule, -1
            inside -= 1
        return divmod(inside, self._shape.step)

    def reveal(self) -> None:
        """Scroll by whole rows, as little as shows the selected one."""
        if not self.hits:
            return
        top = self._top(self.selected)
        height = self.size.height
        at = self.scroll_offset.y
        if self.selected == 0:
            self.scroll_to(y=0, animate=False)
            return
        if top < at:
            self.scroll_to(y=top, animate=False)
            return
        below = 2 if self._afterword and self.selected == len(self.hits) - 1 else 0
        bottom = top + self._shape.lines + below
        if bottom > at + height:
            self.scroll_to(y=bottom - height, animate=False)

    def look(self, line: int) -> str:
        """Return whether a line belongs to the selected row."""
        place, part = self._at(line)
        return "chosen" if place == self.selected and 0 <= part < self._shape.lines else ""

    def paint_line(self, line: int, look: str, width: int) -> Strip:
        """Return a line of the foreword, of a row, or behind them."""
        inside = line - len(self._foreword_lines)
        if inside < 0:
            return paint(self, Content.assemble(" " * MARGIN_CELLS, self._foreword_lines[line]), width)
        place, part = self._at(line)
        if part < 0:
            return paint(self, _rule_line(width), width)
        if place == len(self.hits) and part == 0 and self._afterword:
            return paint(self, Content.assemble(" " * MARGIN_CELLS, self._afterword), width)
        if place >= len(self.hits) or self._row_context is None:
            return Strip.blank(width, self.rich_style)
        if part == self._shape.lines:
            return paint(self, Content.assemble(" " * MARGIN_CELLS, judged_line(self.hits[place])), width)
        if place not in self._rows:
            room = width - MARGIN_CELLS
            unfolded = self.is_unfolded(place)
            self._rows[place] = row_lines(self.hits[place], room, self._row_context, self._shape, unfolded)
        built = Content.assemble(self._margin(place, part, look), self._rows[place][part])
        return paint(self, built, width, "results--chosen" if look else "")

    def _margin(self, place: int, part: int, look: str) -> Content:
        """Return what stands left of a row's line: on the first one its number, and whether it is marked."""
        number = str(place + 1) if part == 0 and place < NUMBERED else " "
        sign = "✓" if part == 0 and self.hits[place].passage_id in self.marked else " "
        return Content.assemble((BAR if look else " ", ACCENT), (number, QUIET), (sign, f"bold {ACCENT}"))

    def on_key(self, event: events.Key) -> None:
        """Tell a character that does nothing here: the person types on."""
        if event.is_printable and event.character and event.key not in self.screen.active_bindings:
            event.stop()
            self.post_message(self.Typed(event.character))

    def on_click(self, event: events.Click) -> None:
        """Select the row that was clicked; a second click opens it. What tells of more brings it."""
        place, part = self._at(event.y + self.scroll_offset.y)
        if place == len(self.hits) and self._afterword:
            self.post_message(self.MoreWanted())
        if not 0 <= place < len(self.hits) or part < 0 or self._row_context is None:
            return
        self.post_message(self.Clicked(place))
        folded = folded_cells(self.hits[place], self._row_context, self.is_unfolded(place))
        if folded and part == self._shape.lines - 1 and event.x >= self.scrollable_content_region.width - folded - 1:
            self.post_message(self.Unfolded())
        elif event.chain == 2:
            self.post_message(self.Opened(self.hits[place]))


def place_of(hit: Hit, rows: Sequence[Hit], otherwise: int) -> int:
    """Return the row that has a passage, else the one that it is folded into, else another one of its document."""
    holds: tuple[Callable[[Hit], bool], ...] = (
        lambda row: row.passage_id == hit.passage_id,
        lambda row: hit.passage_id in row.more_in_document or hit.passage_id in row.duplicates,
        lambda row: row.document_id == hit.document_id,
    )
    found = (place for test in holds for place, row in enumerate(rows) if test(row))
    return next(found, otherwise)


def _rule_line(width: int) -> Content:
    """Return the rule before the weak rows, which says so."""
    lead = f"{'──':>{MARGIN_CELLS}} "
    return Content.assemble((lead, FAINT), (RULE, QUIET), (" ".ljust(width - len(lead) - len(RULE), "─"), FAINT))


def _nothing(width: int) -> Sequence[Content]:
    return ()
