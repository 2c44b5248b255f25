"""The line that a person types into, with the completion of filters grey behind the cursor."""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding
from textual.message import Message
from textual.timer import Timer

from app.tui.screens.search.filter_completion import QuerySuggester, unfinished
from app.tui.widgets.text_line import TextLine
from app.wording.safe_text import one_line

BLINKING_SECONDS = 10.0  # after a key: drawing a cursor twice a second takes more of a core than all else at rest


class QueryLine(TextLine):
    """One line without a border; leaves up, down, tab, escape and the page keys to the screen.

    Its last word grows until a blank, Enter or a move of the caret ends it, or until it was put there whole. However
    long the keys rest, a word that grows is not taken for finished.
    """

    BINDINGS = [Binding("ctrl+z", "screen.bring_back", show=False)]  # where there is nothing, it suspends as elsewhere

    @dataclass
    class Finished(Message):
        """The last word is finished, though no character was typed."""

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
        self._whole = ""  # the text whose last word is finished

    def on_mount(self) -> None:
        """Blink for a while."""
        self.watch_selection()

    def watch_selection(self) -> None:
        """Blink while somebody types or moves, and stand still after that; who moves away has finished the word."""
        if self.value and not self.cursor_at_end:
            self.finish()
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
        return self.has_focus and self._grows

    @property
    def _grows(self) -> bool:
        return bool(self.value) and self.value != self._whole and not self.value[-1].isspace()

    async def action_submit(self) -> None:
        """Finish the line."""
        await super().action_submit()
        self.finish()

    def finish(self) -> None:
        """Take the last word for finished."""
        if self._grows:
            self._whole = self.value
            self.post_message(self.Finished())

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

    def go_on(self, character: str) -> None:
        """Take the focus and write a character behind the query."""
        self.focus()
        self.cursor_position = len(self.value)
        self.insert_text_at_cursor(character)

    def write(self, text: str) -> None:
        """Put another query into the line, without signs that a terminal would obey."""
        self._whole = one_line(text)
        self.value = self._whole
        self.cursor_position = len(self.value)
