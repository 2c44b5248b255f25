"""Tells the mark of a note, a number behind a word as in `retreated¹`, from what belongs to the word, as in `m²`."""

from __future__ import annotations

import re
from collections.abc import Sequence

SHORTEST_WORD = 4  # letters before a raised number that are no unit or symbol
NOTE_MARK = re.compile(r"\W{0,3}(?:\d{1,3}|[*†‡§])\W{0,3}")


def follows_word(mark: str, before: Sequence[str]) -> bool:
    """Whether a raised sign is the mark of a note behind the word that the last of these pieces end with."""
    if not NOTE_MARK.fullmatch(mark):
        return False
    last = "".join(before[-SHORTEST_WORD:])[-SHORTEST_WORD:]
    return len(last) == SHORTEST_WORD and last.isalpha()
