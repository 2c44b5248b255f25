"""Dialogs that ask for one line of text, or for one key; over whatever screen asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Input, Static

from app.tui.screens.dialog import Dialog
from app.tui.theme import ALARM, BRIGHT, QUIET
from app.tui.widgets.text_line import TextLine

_BOX_CSS = """
    width: 76; max-width: 96%; height: auto; margin-top: 2; background: $panel; padding: 1 2;
"""


KEYS = (("enter", "keeps it"), ("esc", "goes back"))


class AskScreen(Dialog[str | None]):
    """Gives the text that was typed once `check` finds nothing wrong with it, or None."""

    BINDINGS = [Binding("escape", "leave", show=False)]
    DEFAULT_CSS = f"""
    AskScreen {{ align: center top; background: $background 60%; }}
    AskScreen > Vertical {{ {_BOX_CSS} }}
    AskScreen Input, AskScreen Input:focus {{
        height: 1; border: none; padding: 0; margin: 1 0; background: $panel; background-tint: $background 0%;
        color: $bright;
    }}
    AskScreen Input > .input--placeholder {{ color: $quiet; }}
    """

    line = query_one(Input)

    def __init__(
        self,
        title: str,
        explained: str,
        *,
        value: str = "",
        placeholder: str = "",
        check: Callable[[str], str] = lambda text: "",
    ) -> None:
        super().__init__()
        self._title = title
        self._explained = explained
        self._value = value
        self._placeholder = placeholder
        self._check = check

    def compose(self) -> ComposeResult:
        """Lay out the title, what is asked for, the line, and what is wrong with it."""
        with Vertical():
            yield Static(Content.styled(self._title, f"bold {BRIGHT}"))
            yield Static(Content.styled(self._explained, QUIET))
            yield TextLine(self._value, placeholder=self._placeholder, compact=True, select_on_focus=False)
            yield Static(_keys(), id="said")

    @property
    def keys(self) -> Sequence[tuple[str, str]]:
        """What ends the question."""
        return KEYS

    @on(Input.Changed)
    def _changed(self) -> None:
        self.query_one("#said", Static).update(_keys())

    @on(Input.Submitted)
    def _submitted(self) -> None:
        text = self.line.value.strip()
        if trouble := self._check(text):
            self.query_one("#said", Static).update(Content.styled(trouble, ALARM))
        else:
            self.dismiss(text)

    def action_leave(self) -> None:
        """Give nothing."""
        self.dismiss(None)


def _keys() -> Content:
    return Content.styled(", ".join(f"{key} {what}" for key, what in KEYS), QUIET)


class KeyScreen(Dialog[str | None]):
    """Gives the name of the next key that is pressed; None for escape."""

    DEFAULT_CSS = f"""
    KeyScreen {{ align: center top; background: $background 60%; }}
    KeyScreen > Vertical {{ {_BOX_CSS} }}
    """

    def __init__(self, title: str, explained: str) -> None:
        super().__init__()
        self._title = title
        self._explained = explained

    def compose(self) -> ComposeResult:
        """Lay out what the key is for."""
        with Vertical():
            yield Static(Content.styled(self._title, f"bold {BRIGHT}"))
            yield Static(Content.styled(self._explained, QUIET))

    def on_key(self, event: events.Key) -> None:
        """Take the key, whichever it is."""
        event.stop()
        event.prevent_default()
        self.dismiss(None if event.key == "escape" else event.key)
