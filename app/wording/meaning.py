"""How far a library is found by its words and by its meaning, in a person's words."""

from __future__ import annotations

from app.wording.times import estimate
from engine.figures import percent


def how_far(words: float, meaning: float, seconds_left: float | None = None) -> str:
    """Return the shares, 0 to 1, that are found by words and by meaning: words 100 %, meaning 34 %, 12 min left."""
    left = f", {estimate(seconds_left)} left" if seconds_left is not None else ""
    return f"words {percent(words)}, meaning {percent(meaning)}{left}"
