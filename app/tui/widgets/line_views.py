"""Scrollable views of painted lines: what all of them share, and the one of the preview, the explanation, the help."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from textual.content import Content
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

LineBuilder = Callable[[int], Sequence[Content]]


class PaintedView(ScrollView):
    """A scrollable view that keeps the lines it has painted, by whatever tells them apart, until its style changes."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.strips: dict[Hashable, Strip] = {}

    def notify_style_update(self) -> None:
        """Paint anew after a change of theme or focus."""
        self.strips.clear()
        super().notify_style_update()


class LineView(PaintedView):
    """Shows what a builder makes for the present width; builds anew when the width changes."""

    DEFAULT_CSS = """
    LineView { overflow-x: hidden; scrollbar-size-vertical: 1; scrollbar-gutter: stable; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._build: LineBuilder = _nothing
        self._lines: Sequence[Content] = ()
        self._built_width = -1

    @property
    def shown_lines(self) -> list[str]:
        """The lines as plain text, for tests and for copying."""
        return [line.plain for line in self._lines]

    def show(self, build: LineBuilder, *, keep_place: bool = False) -> None:
        """Show what `build` makes of a width in cells; from its top, or from where the view stands."""
        self._build = build
        self.rebuild()
        if not keep_place:
            self.scroll_to(y=0, animate=False)

    def on_resize(self) -> None:
        """Build anew where the width has changed."""
        if self._built_width != self.scrollable_content_region.width:
            self.rebuild()

    def rebuild(self) -> None:
        """Build the lines anew, for the present width."""
        width = self.scrollable_content_region.width
        self._built_width = width
        self._lines = self._build(width) if width > 0 else ()
        self.strips.clear()
        self.virtual_size = Size(width, len(self._lines))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return one line of the screen."""
        index = y + self.scroll_offset.y
        width = self.scrollable_content_region.width
        if index >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        if index not in self.strips:
            self.strips[index] = paint(self, self._lines[index], width)
        return self.strips[index]


def paint(widget: ScrollView, line: Content, width: int, style_name: str = "") -> Strip:
    """Return a line as a strip of exactly `width` cells in the widget's style, or in one of its component styles."""
    style = widget.get_visual_style(style_name) if style_name else widget.visual_style
    strips = Visual.to_strips(widget, line, width, 1, style, pad=True)
    return strips[0] if strips else Strip.blank(width, style.rich_style)


def wrapped(line: Content, width: int, prefix: Content) -> list[Content]:
    """Return a line folded to `width` cells with `prefix` before each part."""
    room = max(2, width - prefix.cell_length)
    if not line:
        return [prefix]
    return [Content.assemble(prefix, part) for part in line.wrap(room)]


def _nothing(width: int) -> Sequence[Content]:
    return ()
