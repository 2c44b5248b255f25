"""How a search says that passages still wait for their vectors, and how much of the meaning is there by now."""

from __future__ import annotations

from engine.figures import percent
from engine.records import Hit, SearchResult

NOT_YET = "not yet"  # stands where rank and distance by meaning will stand
WAITS = "not embedded yet: ranked by its words so far"


def words_so_far(result: SearchResult, *, briefly: bool = False) -> str:
    """Return what is said beside a verdict that mostly the words gave; "" where the meaning has its say."""
    share = f"meaning {percent(result.embedded)}" if result.so_far else ""
    return f"by words so far: {share}" if share and not briefly else share


def by_words_alone(hit: Hit) -> str:
    """Return what the tier of a row was read from that has no vector yet."""
    share = percent(hit.explanation.coverage)
    return f"by {share} of the query's words by weight, until its vector is there"
