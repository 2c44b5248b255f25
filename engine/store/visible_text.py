"""What a reader sees of a text with markup: signs that only shape it are filled in, at the same length.

So a phrase is found across a link, and `un**believ**able` is one word, while every offset stays that of the text. What
is not seen but told, the target of a link, is given as spans of its own, to be found behind the text.
"""

from __future__ import annotations

Span = tuple[int, int]


def visible(text: str, kind: str) -> tuple[str, list[Span]]:
    """Return the text as it is seen, of the same length, and the spans of what is told but not seen."""
    return text, []
