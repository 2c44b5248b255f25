"""The line of text that every screen types into: what is pasted over several lines becomes one, and nothing is lost."""

from __future__ import annotations

from textual import events
from textual.binding import Binding
from textual.geometry import Size
from textual.reactive import reactive
from textual.widgets import Input

from app.tui.list_keys import DELETE_TO_END
from app.wording.safe_text import one_line


class TextLine(Input):
    """An Input that keeps all lines of what is pasted; Textual's own keeps the first."""

    BINDINGS = [Binding("ctrl+k", "delete_right_all", show=False, id=DELETE_TO_END)]  # a preset moves with ctrl+k

    virtual_size = reactive(Size(0, 0), layout=False)  # as wide as the text: Textual's own lays out the screen each key

    def on_paste(self, event: events.Paste) -> None:
        """Take pasted text in place of what is selected."""
        event.prevent_default()
        event.stop()
        self._take(event.text)

    def action_paste(self) -> None:
        """Paste what was copied in the program itself."""
        self._take(self.app.clipboard)

    def _take(self, text: str) -> None:
        self.replace(one_line(_joined(text)), *self.selection)


def _joined(text: str) -> str:
    """Return pasted text as one line: of several lines the indentation is no part of what is searched."""
    lines = [line.strip() for line in text.splitlines()]
    return " ".join(filter(None, lines)) if len(lines) > 1 else text
