"""Scrollable views of painted lines: what all of them share, and the one of the preview, the explanation, the help.

What stands on the screen is not painted again: every cell is written to a terminal that may be far away, and a key
would otherwise cost a whole screen.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import overload

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.content import Content
from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.style import Style

from app.tui.list_keys import LIST_BINDINGS, MovesByLines
from app.tui.pages.line_wrap import going_on
from app.tui.widgets.selected_text import selected_text, with_selection, without_ground

LineBuilder = Callable[[int], Sequence[Content]]
LineOfWidth = Callable[[int], int]  # from a width in cells to a line
MOST_PAINTED = 500  # lines kept: those of several screens, in some 2 KB each


class PaintedView(ScrollView):
    """A scrollable view that keeps the lines it has painted, by whatever tells them apart, until its style changes.

    A view says what stands on each of its lines (`strip_at`); `paint_changes` writes those that are others than before.
    """

    virtual_size = reactive(Size(0, 0), layout=False, repaint=False)  # Textual's own lays out the whole screen anew

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.strips: dict[Hashable, Strip] = {}
        self.painted: dict[Hashable, Strip] = {}  # by text, style and width: what comes back need not be painted anew
        self._painting = False
        self._written: dict[int, Strip] = {}  # what stands on the screen, by the line of the view

    def strip_at(self, y: int) -> Strip:
        """Return what is to stand on a line of the view, `y` lines below its top."""
        return Strip.blank(self.scrollable_content_region.width, self.rich_style)

    def render_line(self, y: int) -> Strip:
        """Return one line of the screen; who asks where its text stands, for the mouse, gets that with it."""
        strip = self._written[y] = self.strip_at(y)
        line, selection = y + self.scroll_offset.y, self.text_selection
        if selection is not None:
            style = without_ground(self.screen.get_component_rich_style("screen--selection"))
            strip = with_selection(strip, selection.get_span(line), style)
        strip = strip.adjust_cell_length(self.size.width, self._ground)  # Textual fills the bar's room in two ways
        return strip if self._painting else strip.apply_offsets(0, line)  # which costs more than all else of a line

    @property
    def _ground(self) -> RichStyle:
        return RichStyle(bgcolor=self.rich_style.bgcolor)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return lines to be painted."""
        self._painting = True
        try:
            return super().render_lines(crop)
        finally:
            self._painting = False

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the text under a selection, and what ends it."""
        top = self.scroll_offset.y
        return selected_text(selection, self.virtual_size.height, lambda line: self.strip_at(line - top)), "\n"

    def paint_changes(self) -> None:
        """Paint the cells that are others than those that stand on the screen."""
        if not self.display or not self.size:
            self.refresh()
            return
        changed = [
            Region(first, y, last - first, 1)
            for y in range(self.scrollable_content_region.height)
            for first, last in changed_cells(self._written.get(y), self.strip_at(y))
        ]
        if changed:
            self.refresh(*changed)

    def watch_virtual_size(self, size: Size) -> None:
        """Bring the scroll bar up to date; only where it comes or goes is the screen laid out anew."""
        overflows = size.height > self.container_size.height
        if self.styles.auto_dimensions or (overflows != self.show_vertical_scrollbar and self._bar_comes_and_goes):
            self._refresh_scrollbars()  # a layout does so only for a view whose size it changes
            self.refresh(layout=True)
        elif self.show_vertical_scrollbar:
            self.vertical_scrollbar.window_virtual_size = size.height
        self.scroll_y = self.validate_scroll_y(self.scroll_y)

    @property
    def _bar_comes_and_goes(self) -> bool:
        return bool(self.styles.overflow_y == "auto")

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Move the scroll bar, and paint what came into sight."""
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.position = new_value
        if round(old_value) != round(new_value):
            self.paint_changes()

    def notify_style_update(self) -> None:
        """Paint anew after a change of theme or focus."""
        self.strips.clear()
        self.painted.clear()
        super().notify_style_update()


def _first_line(width: int) -> int:
    return 0


class LineView(MovesByLines, PaintedView):
    """Shows what a builder makes for the present width; builds anew when the size changes: some fill their height."""

    BINDINGS = LIST_BINDINGS

    DEFAULT_CSS = """
    LineView { overflow-x: hidden; scrollbar-size-vertical: 1; scrollbar-gutter: stable; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._build: LineBuilder = _nothing
        self._lines: Sequence[Content] = ()
        self._built_width = -1
        self._built_height = -1
        self._top: LineOfWidth = _first_line

    @property
    def shown_lines(self) -> list[str]:
        """The lines as plain text, for tests and for copying."""
        return [line.plain for line in self._lines]

    def show(self, build: LineBuilder, *, keep_place: bool = False, top: LineOfWidth = _first_line) -> None:
        """Show what `build` makes of a width in cells; from the line `top` on, or from where the view stands.

        A view that is hidden, and so has no width, goes there once it has one.
        """
        self._build = build
        self._take()
        if not keep_place or self._built_width <= 0:
            self._top = top
            self._go_to_top()
        self.paint_changes()

    def _go_to_top(self) -> None:
        if self._built_width > 0:  # the scroll bar comes with the next layout only
            self.scroll_to(y=self._top(self._built_width), animate=False, force=True)

    @property
    def lines_in_sight(self) -> int:
        """How many lines are in sight."""
        return self.size.height

    def action_move(self, by: int) -> None:
        """Scroll so many lines."""
        self.scroll_to(y=self.scroll_offset.y + by, animate=False)

    def on_resize(self) -> None:
        """Build anew where the size has changed."""
        was_hidden = self._built_width <= 0
        if self._built_for_another_size:
            self.rebuild()
            if was_hidden:
                self._go_to_top()
        self.watch_virtual_size(self.virtual_size)  # as many lines may need a scroll bar now, or none any more

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return lines to be painted.

        Textual tells no size to a view that is shown while something asks where another one lies; it is taken then.
        """
        if self._built_for_another_size:
            self.call_later(self.on_resize)
        return super().render_lines(crop)

    @property
    def _built_for_another_size(self) -> bool:
        return (self._built_width, self._built_height) != self.scrollable_content_region.size

    def rebuild(self) -> None:
        """Build the lines anew, for the present size."""
        self._take()
        self.paint_changes()

    def _take(self) -> None:
        width, self._built_height = self.scrollable_content_region.size
        self._built_width = width
        self._lines = self._build(width) if width > 0 else ()
        self.strips.clear()
        self.virtual_size = Size(width, len(self._lines))

    def strip_at(self, y: int) -> Strip:
        """Return what stands on a line of the view."""
        index = y + self.scroll_offset.y
        width = self.scrollable_content_region.width
        if index >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        strip = self.strips.get(index)
        if strip is None or strip.cell_length != width:  # asked for while the screen was laid out, at another width
            strip = self.strips[index] = paint(self, self._lines[index], width)
        return strip


class LinesOnDemand(Sequence[Content]):
    """Lines of which each is made when it is first asked for: most of a preview is never scrolled to."""

    def __init__(self, makers: Sequence[Callable[[], Content]]) -> None:
        self._makers = makers
        self._made: dict[int, Content] = {}

    def __len__(self) -> int:
        return len(self._makers)

    @overload
    def __getitem__(self, place: int) -> Content: ...
    @overload
    def __getitem__(self, place: slice) -> list[Content]: ...
    def __getitem__(self, place: int | slice) -> Content | list[Content]:
        """Return a line, or some."""
        if isinstance(place, slice):
            return [self[each] for each in range(len(self))[place]]
        if place not in self._made:
            self._made[place] = self._makers[place]()
        return self._made[place]


def changed_cells(before: Strip | None, now: Strip) -> list[tuple[int, int]]:
    """Return the spans of cells in which a line differs from what stands there, by whole segments."""
    if before is now:
        return []
    if before is None or before.cell_length != now.cell_length:
        return [(0, now.cell_length)]
    standing = dict(_placed(before))
    spans: list[tuple[int, int]] = []
    for first, segment in _placed(now):
        if standing.get(first) != segment:
            last = first + segment.cell_length
            joined = spans.pop()[0] if spans and spans[-1][1] == first else first
            spans.append((joined, last))
    return spans


def _placed(strip: Strip) -> Iterator[tuple[int, Segment]]:
    """Yield the segments of a line, each with the cell that it begins at."""
    cell = 0
    for segment in strip:
        yield cell, segment
        cell += segment.cell_length


def paint(widget: PaintedView, line: Content, width: int, style_name: str = "") -> Strip:
    """Return a line as a strip of exactly `width` cells in the widget's style, or in one of its component styles."""
    key = line.plain, tuple(line.spans), width, style_name
    if key not in widget.painted:
        if len(widget.painted) >= MOST_PAINTED:
            widget.painted.clear()
        style = widget.get_visual_style(style_name) if style_name else widget.visual_style
        pieces = line.render(style, end="", parse_style=_parsed)
        strip = Strip([Segment(text, piece.rich_style) for text, piece in pieces])
        widget.painted[key] = strip.adjust_cell_length(width, style.rich_style).simplify()
    return widget.painted[key]


def _parsed(style: str | Style) -> Style:
    return style if isinstance(style, Style) else Style.parse(style)


def wrapped(line: Content, width: int, prefix: Content) -> list[Content]:
    """Return a line folded to `width` cells with `prefix` before each part."""
    room = max(2, width - prefix.cell_length)
    if not line:
        return [prefix]
    return [Content.assemble(prefix, part) for part in _joinable(line.plain, line.wrap(room))]


def _joinable(text: str, parts: Sequence[Content]) -> Iterator[Content]:
    """Yield the parts of a folded text, each telling the blanks at which it was folded."""
    at = 0
    for place, part in enumerate(parts):
        begin = max(at, text.find(part.plain, at))
        yield going_on(part, text[at:begin]) if place and "\n" not in text[at:begin] else part
        at = begin + len(part.plain)


def _nothing(width: int) -> Sequence[Content]:
    return ()
