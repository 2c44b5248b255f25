"""The line that finds words in the text that is read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.getters import query_one
from textual.message import Message
from textual.widgets import Input

from app.tui.background import in_background
from app.tui.screens.reader.bar_lines import found_words
from app.tui.screens.reader.highlights import Span
from app.tui.screens.reader.text_find import MOST_FOUND, find_all
from app.tui.theme import ACCENT
from app.tui.threads import in_thread
from app.tui.widgets.built_line import BuiltLine
from app.tui.widgets.text_line import TextLine


class FindRow(Horizontal):
    """Finds what is written into it, in a thread, whenever that changes."""

    @dataclass
    class Found(Message):
        """Something was looked for; `found` says where it stands. `again`: the same as before, in another text."""

        again: bool = False

    line = query_one("#find", Input)

    def __init__(self, *, blink: bool, id: str | None = None) -> None:
        super().__init__(id=id)
        self.text: str | None = None  # what is looked through; None: no document is open
        self.found: list[Span] = []
        self._blink = blink

    def compose(self) -> ComposeResult:
        """Lay out the sign and the line."""
        yield BuiltLine(id="find-bar")
        yield TextLine(placeholder="Find in this text", compact=True, select_on_focus=True, id="find")

    def on_mount(self) -> None:
        """Draw the sign."""
        self.query_one("#find-bar", BuiltLine).show(lambda width: Content.styled("/", ACCENT))
        self.line.cursor_blink = self._blink

    def words(self, current: Span | None) -> Content:
        """Return which of the places found is looked at; empty where nothing is looked for."""
        if not self.line.value.strip() or not (self.found or self.line.has_focus):
            return Content()
        place = self.found.index(current) + 1 if current in self.found else 0
        return found_words(place, len(self.found), MOST_FOUND, typing=self.line.has_focus)

    def clear(self) -> None:
        """Look for nothing."""
        self.line.value = ""

    @on(Input.Changed)
    def _changed(self, message: Input.Changed) -> None:
        if self.text is not None:
            in_background(self, partial(self._find, self.text, message.value), "find", exclusive=True)

    @property
    def sought(self) -> bool:
        """Whether the person looks for something, or at what was found."""
        return bool(self.line.value.strip()) and (bool(self.found) or self.line.has_focus)

    def look_again(self, *, again: bool) -> None:
        """Look for the same in the text as it is now: one that was still being opened, or has changed."""
        if self.text is not None:
            in_background(self, partial(self._find, self.text, self.line.value, again), "find", exclusive=True)

    async def _find(self, text: str, wanted: str, again: bool = False) -> None:
        found = await in_thread(partial(find_all, text, wanted))
        if self.text is text:
            self.found = found
            self.post_message(self.Found(again))
