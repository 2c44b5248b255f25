"""Puts text on the clipboard of the person's own terminal (OSC 52), also through ssh, and says so."""

from __future__ import annotations

import re
from typing import Any

from textual.app import App

from app.wording.figures import count

MOST_BYTES = 74_000  # xterm takes 100,000 signs of base64 and drops what is longer
# What would act on the terminal that the text is pasted into: all controls but line ends and tabs, half surrogates.
_ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def copy(app: App[Any], text: str, what: str) -> None:
    """Copy `text`; `what` names it in the message that says so."""
    safe = _ACTING.sub("\ufffd", text)
    app.copy_to_clipboard(safe)
    said = f"Copied {what}."
    if len(safe.encode()) > MOST_BYTES:
        said += f" It has {count(len(safe))} signs; some terminals take no more than 74,000."
    app.notify(said, timeout=3, markup=False)
