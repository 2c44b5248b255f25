"""The line that a person types into."""

from __future__ import annotations

from textual.widgets import Input


class QueryLine(Input):
    """One line without a border; leaves up, down, tab, escape and the page keys to the screen."""

    def __init__(self, *, id: str | None = None, blink: bool = True) -> None:
        super().__init__(placeholder="Search by meaning and by words", compact=True, select_on_focus=False, id=id)
        self.cursor_blink = blink

    @property
    def unfinished(self) -> bool:
        """Whether the person may still be typing the last word."""
        return self.has_focus and bool(self.value) and not self.value[-1].isspace()
