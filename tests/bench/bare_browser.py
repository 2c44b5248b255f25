"""The least that Textual can draw: an input and a line of text. Carrel's first paint is held against it."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Input, Static

GREETING = "Nothing but Textual"


class BareBrowser(App[None]):
    """Two widgets, no style of its own; ctrl+q leaves."""

    def compose(self) -> ComposeResult:
        """Give the two."""
        yield Static(GREETING)
        yield Input()


if __name__ == "__main__":
    BareBrowser().run()
