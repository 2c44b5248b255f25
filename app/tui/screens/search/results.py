"""The list of results: fixed rows drawn line by line, with a selection that stays on its passage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from app.tui.screens.search.row import ROW_LINES, RowContext, row_lines
from app.tui.theme import ACCENT
from app.tui.widgets.lines import paint
from engine.records import Hit

MAX_ROWS = 100
STEP_LINES = ROW_LINES + 1  # a row and the blank line after it
MARGIN_CELLS = 2  # the bar of the selected row and a space
Foreword = Callable[[int], Sequence[Content]]


class ResultList(ScrollView, can_focus=True):
    """Rows of three lines and a blank one, below a foreword of any length, which may stand alone."""

    COMPONENT_CLASSES = {"results--chosen"}

    selected: reactive[int] = reactive(0, init=False)

    @dataclass
    class Selected(Message):
        """Another row is selected, or the same row shows another passage; None where there is none."""

        hit: Hit | None

    @dataclass
    class Opened(Message):
        """A row was asked to open."""

        hit: Hit

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.hits: tuple[Hit, ...] = ()
        self._row_context: RowContext | None = None
        self._foreword: Foreword = _nothing
        self._foreword_lines: Sequence[Content] = ()
        self._rows: dict[int, tuple[Content, ...]] = {}
        self._strips: dict[tuple[int, bool], Strip] = {}
        self._announced: Hit | None = None

    @property
    def hit(self) -> Hit | None:
        """The selected hit."""
        return self.hits[self.selected] if 0 <= self.selected < len(self.hits) else None

    def show(
        self, hits: Sequence[Hit], context: RowContext | None, foreword: Foreword | None = None, *, stay: bool = True
    ) -> None:
        """Show other rows.

        With `stay` the selection stays on its passage where that is still listed; else it goes to the top.
        """
        before = self.hit if stay else None
        self.hits = tuple(hits[:MAX_ROWS])
        self._row_context = context
        self._foreword = foreword or _nothing
        places = {hit.passage_id: place for place, hit in enumerate(self.hits)}
        place = places.get(before.passage_id) if before else None
        self.set_reactive(ResultList.selected, place or 0)
        self._lay_out()
        if place is None:
            self.scroll_to(y=0, animate=False)
        else:
            self._reveal()
        self._announce()

    def choose(self, place: int) -> None:
        """Select the row at `place`, or the nearest there is."""
        self.selected = max(0, min(place, len(self.hits) - 1))

    @property
    def page(self) -> int:
        """How many rows are in sight."""
        return max(1, self.size.height // STEP_LINES)

    def watch_selected(self) -> None:
        """Paint the selection, bring it into sight and tell it."""
        self._strips.clear()
        self._reveal()
        self.refresh()
        self._announce()

    def _announce(self) -> None:
        """Tell the selected hit where it is another record than the last one told."""
        if self.hit is not self._announced:
            self._announced = self.hit
            self.post_message(self.Selected(self.hit))

    def _lay_out(self) -> None:
        width = self.scrollable_content_region.width
        self._foreword_lines = self._foreword(max(1, width - MARGIN_CELLS)) if width > 0 else ()
        self._rows.clear()
        self._strips.clear()
        self.virtual_size = Size(width, len(self._foreword_lines) + STEP_LINES * len(self.hits))
        self.refresh()

    def _reveal(self) -> None:
        """Scroll by whole rows, as little as shows the selected one."""
        if not self.hits:
            return
        top = len(self._foreword_lines) + self.selected * STEP_LINES
        height = self.size.height
        at = self.scroll_offset.y
        if self.selected == 0:
            self.scroll_to(y=0, animate=False)
        elif top < at:
            self.scroll_to(y=top, animate=False)
        elif top + ROW_LINES > at + height:
            self.scroll_to(y=top + ROW_LINES - height, animate=False)

    def on_resize(self) -> None:
        """Lay the rows out for the new width and keep the selected one in sight."""
        self._lay_out()
        self._reveal()

    def notify_style_update(self) -> None:
        """Paint anew after a change of theme or focus."""
        self._strips.clear()
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        """Return one line of the screen."""
        index = y + self.scroll_offset.y
        width = self.scrollable_content_region.width
        place = (index - len(self._foreword_lines)) // STEP_LINES
        chosen = place == self.selected and index >= len(self._foreword_lines)
        key = (index, chosen)
        if key not in self._strips:
            self._strips[key] = self._paint(index, width, chosen)
        return self._strips[key]

    def _paint(self, index: int, width: int, chosen: bool) -> Strip:
        inside = index - len(self._foreword_lines)
        if inside < 0:
            return paint(self, Content.assemble(" " * MARGIN_CELLS, self._foreword_lines[index]), width)
        place, part = divmod(inside, STEP_LINES)
        if place >= len(self.hits) or self._row_context is None:
            return Strip.blank(width, self.rich_style)
        if place not in self._rows:
            room = width - MARGIN_CELLS
            self._rows[place] = row_lines(self.hits[place], room, self._row_context)
        if part == ROW_LINES:
            return Strip.blank(width, self.rich_style)
        margin = Content.assemble(("▌", ACCENT), " ") if chosen else Content(" " * MARGIN_CELLS)
        line = Content.assemble(margin, self._rows[place][part])
        return paint(self, line, width, "results--chosen" if chosen else "")

    def on_click(self, event: events.Click) -> None:
        """Select the row that was clicked; a second click opens it."""
        place = (event.y + self.scroll_offset.y - len(self._foreword_lines)) // STEP_LINES
        if not 0 <= place < len(self.hits):
            return
        self.choose(place)
        if event.chain == 2:
            self.post_message(self.Opened(self.hits[place]))


def _nothing(width: int) -> Sequence[Content]:
    return ()
