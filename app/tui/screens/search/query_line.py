"""The line that a person types into, with the completion of filters grey behind the cursor."""

from __future__ import annotations

from textual.timer import Timer
from textual.widgets import Input

from app.tui.screens.search.filter_completion import QuerySuggester, unfinished
from app.wording.safe_text import one_line

BLINKING_SECONDS = 10.0  # after a key: drawing a cursor twice a second takes more of a core than all else at rest


class QueryLine(Input):
    """One line without a border; leaves up, down, tab, escape and the page keys to the screen."""

    def __init__(self, *, id: str | None = None, blink: bool = True) -> None:
        self.completions = QuerySuggester()
        super().__init__(
            placeholder="Search by meaning and by words",
            compact=True,
            select_on_focus=False,
            suggester=self.completions,
            id=id,
        )
        self.cursor_blink = self._blinks = blink
        self._resting: Timer | None = None

    def on_mount(self) -> None:
        """Blink for a while."""
        self.watch_selection()

    def watch_selection(self) -> None:
        """Blink while somebody types or moves, and stand still after that."""
        if not self._blinks or not self.is_attached:
            return
        if self._resting is not None:
            self._resting.stop()
        self.cursor_blink = True
        self._resting = self.set_timer(BLINKING_SECONDS, self._stand_still)

    def _stand_still(self) -> None:
        self.cursor_blink = False

    @property
    def unfinished(self) -> bool:
        """Whether the person may still be typing the last word."""
        return self.has_focus and bool(self.value) and not self.value[-1].isspace()

    @property
    def offered(self) -> str:
        """What stands grey behind the cursor."""
        whole = self._suggestion
        return whole[len(self.value) :] if self.cursor_at_end and whole.startswith(self.value) else ""

    @property
    def offers_value(self) -> bool:
        """Whether a value of a filter is offered, rather than the name of one."""
        piece = unfinished(self.value)
        return bool(self.offered) and piece is not None and piece.field is not None

    def take_offered(self) -> None:
        """Take what is offered into the line."""
        self.value += self.offered
        self.cursor_position = len(self.value)

    def write(self, text: str) -> None:
        """Put another query into the line, without signs that a terminal would obey."""
        self.value = one_line(text)
        self.cursor_position = len(self.value)
