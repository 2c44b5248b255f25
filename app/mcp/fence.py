"""Marks the text of notes in an answer, so that a program that reads it can tell data from what Carrel says.

What a note holds may be written by anybody, to a model too: "ignore what you were told". The marks are drawn by chance
for each call, so no note can hold the one that ends it.
"""

from __future__ import annotations

import secrets

from app.wording.safe_text import cleaned, one_line

MARK_BYTES = 8
MOST_LINE = 300  # characters of a title, a heading, a piece of advice


class Fence:
    """The marks of one call."""

    def __init__(self) -> None:
        self.mark = f"note-{secrets.token_hex(MARK_BYTES)}"

    def text(self, text: str) -> str:
        """Return text of a note between the marks, without characters that steer or hide."""
        return text and f"<{self.mark}>{cleaned(text)}</{self.mark}>"

    def line(self, text: str) -> str:
        """Return the same as one line, cut where it is no line that anybody reads."""
        return self.text(one_line(text if len(text) <= MOST_LINE else f"{text[:MOST_LINE]}…"))
