"""Puts text on the clipboard of the person's own terminal (OSC 52), also through ssh, and says so."""

from __future__ import annotations

import re
from typing import Any

from textual.app import App
from textual.widgets import Input

from engine.figures import count

MOST_BYTES = 74_000  # xterm takes 100,000 signs of base64 and drops what is longer
# What would act on the terminal that the text is pasted into: all controls but line ends and tabs, half surrogates.
_ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def copy_selected(app: App[Any]) -> bool:
    """Copy what is selected in the line that is typed into, or else by the mouse; False where nothing is.

    Nothing is selected after that, so that the same key does its other work the next time.
    """
    focused = app.focused
    line = focused if isinstance(focused, Input) and focused.selected_text else None
    text = line.selected_text if line else app.screen.get_selected_text()
    if not text:
        return False
    copy(app, text, "the selected text")
    if line:
        line.cursor_position = line.cursor_position  # which takes the selection away
    else:
        app.screen.clear_selection()
    return True


def copy(app: App[Any], text: str, what: str) -> None:
    """Copy `text`; `what` names it in the message that says so."""
    safe = _ACTING.sub("\ufffd", text)
    app.copy_to_clipboard(safe)
    said = f"Copied {what}."
    if len(safe.encode()) > MOST_BYTES:
        said += f" It has {count(len(safe))} signs; some terminals take no more than 74,000."
    app.notify(said, timeout=3, markup=False)
