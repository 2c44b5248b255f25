"""What a document says of itself beside its text: who wrote it, to whom, about what, and when."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime

# The properties that each filter looks into, as readers name them. Who sent a letter has written it.
PROPERTIES: Mapping[str, tuple[str, ...]] = {
    "author": ("author", "from", "sender"),
    "from": ("from", "sender"),
    "to": ("to", "cc", "bcc"),
    "subject": ("subject",),
}
_INDEXED = ("author", "from", "sender", "to", "cc", "subject", "keywords")
_DATES = ("date", "published", "article:published_time", "created", "creation-date", "revdate")
LONGEST_PROPERTY = 300  # code points of a property that are indexed, with every passage: a letter may go to hundreds
LONGEST_DATE = 60  # code points: what is longer is no date, whatever digits it holds
_DAY = re.compile(r"(?<!\d)(\d{4})[-/.](\d{1,2})(?:[-/.](\d{1,2}))?(?!\d)")
_YEAR = re.compile(r"\d{4}")


def own_words(metadata: Mapping[str, str], title: str) -> str:
    """Return what a document says of itself for the word index, a property a line; its title is there already."""
    words = (metadata.get(name, "")[:LONGEST_PROPERTY] for name in _INDEXED)
    return "\n".join(dict.fromkeys(said for each in words if (said := " ".join(each.split())) and said != title))


def own_date(metadata: Mapping[str, str]) -> float | None:
    """Return when a document says that it was written, in seconds since the epoch; None where it names no day.

    A date without a clock is its first moment, and one without a zone is local.
    """
    return next((found for name in _DATES if (found := _moment(metadata.get(name, "").strip())) is not None), None)


def _moment(written: str) -> float | None:
    if not written or len(written) > LONGEST_DATE:
        return None
    from email.utils import parsedate_to_datetime  # 10 ms, for who writes documents

    for read in (datetime.fromisoformat, parsedate_to_datetime, _day):
        try:
            moment = read(written).timestamp()
        except (ValueError, OverflowError, OSError, IndexError, TypeError):
            continue
        return moment if math.isfinite(moment) else None
    return None


def _day(written: str) -> datetime:
    """Return the first day that a text names with its year in front, or the year that it is. Raises ValueError."""
    if _YEAR.fullmatch(written):
        return datetime(int(written), 1, 1)
    found = _DAY.search(written)
    if found is None:
        raise ValueError(written)
    return datetime(int(found[1]), int(found[2]), int(found[3] or 1))
