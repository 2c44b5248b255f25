"""One line of the screen that is made for whatever width it has."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content
from textual.widget import Widget


class BuiltLine(Widget):
    """Shows what a builder makes of the present width in cells; what reads and looks the same is not painted again."""

    DEFAULT_CSS = """
    BuiltLine { width: 1fr; height: 1; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._build: Callable[[int], Content] = _nothing
        self._shown: Content | None = None

    @property
    def text(self) -> str:
        """The line as plain text."""
        return self._build(self.content_size.width).plain

    def show(self, build: Callable[[int], Content]) -> None:
        """Show what `build` makes of the width."""
        self._build = build
        if self._shown is None or not self._shown.is_same(build(self.content_size.width)):
            self.refresh()

    def render(self) -> Content:
        """Return the line."""
        self._shown = self._build(self.content_size.width)
        return self._shown


def _nothing(width: int) -> Content:
    return Content()
