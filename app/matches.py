"""Which rows of a result match its query, where something has to be decided without a person who looks at them."""

from __future__ import annotations

from collections.abc import Sequence

from engine.records import Hit, SearchResult


def matching_rows(result: SearchResult) -> Sequence[Hit]:
    """Return the strong and likely rows; the weak ones where there is none better, unless nothing is relevant.

    Where no words were asked, whatever passes the filters matches.
    """
    if not result.query.meaning:
        return result.hits
    better = [hit for hit in result.hits if hit.tier != "weak"]
    return () if result.verdict == "none" else better or result.hits
