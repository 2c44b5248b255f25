"""The query language: what a person types, understood as words, phrases, exclusions and filters.

words         any of them counts; the more and the rarer, the better
"a phrase"    must stand in the passage, word for word
-word         must not stand in the passage; also -"a phrase"
prefix*       any word that begins so
path:x  type:x  tag:x  title:x  after:date  before:date      and each but the dates with - before it
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from engine.errors import QueryError
from engine.records import Filters, Query, Term

FILTERS = ("path", "type", "tag", "title", "after", "before")

_TOKEN = re.compile(
    r"""(?P<minus>-)?
        (?:(?P<field>path|type|tag|title|after|before):)?
        (?:"(?P<quoted>[^"]*)(?P<close>"?)|(?P<bare>[^\s"]+))?""",
    re.VERBOSE | re.IGNORECASE,
)
_CALENDAR = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_AGO = re.compile(r"(\d{1,4})([dwmy])", re.IGNORECASE)
_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
_WORDLIKE = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of the query line: its span, and what stands there."""

    start: int
    end: int
    minus: bool
    field: str | None
    value: str
    quoted: bool
    closed: bool


def pieces(text: str) -> Iterator[Piece]:
    """Split a query line into its pieces, in order; what is blank between them is left out."""
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        match = _TOKEN.match(text, position)
        if match is None or match.end() == position:  # a lone minus before nothing, say
            position += 1
            continue
        quoted = match["quoted"] is not None
        yield Piece(
            start=position,
            end=match.end(),
            minus=match["minus"] is not None,
            field=match["field"].lower() if match["field"] else None,
            value=match["quoted"] if quoted else match["bare"] or "",
            quoted=quoted,
            closed=not quoted or match["close"] == '"',
        )
        position = match.end()


def parse(text: str, *, typing: bool = False, now: float | None = None) -> Query:
    """Understand a query line.

    With `typing` the last piece is unfinished: a word may grow, one of a letter or two is not asked for beside others,
    and an open quote or a filter without a value is passed over instead of refused. Raises QueryError, with the
    position, for what cannot be understood.
    """
    now = time.time() if now is None else now
    terms: list[Term] = []
    filters = Filters()
    found = list(pieces(text))
    for piece in found:
        unfinished = typing and piece is found[-1] and not text[-1:].isspace()
        try:
            _refuse_broken(piece)
            if piece.field:
                filters = _with_filter(filters, piece, now)
            elif not (unfinished and terms and _says_nothing_yet(piece)):
                terms.extend(_terms(piece, unfinished))
        except QueryError:
            if not (typing and piece is found[-1]):
                raise
            if not piece.field:
                terms.extend(Term(word, "word", excluded=piece.minus) for word in piece.value.split())
    meaning = " ".join(term.text for term in terms if not term.excluded)
    if any(term.excluded for term in terms) and not meaning and not filters and not typing:
        raise QueryError(
            "The search only says what to leave out.",
            position=0,
            fix="Put at least one word to find before it.",
        )
    return Query(text=text, meaning=meaning, terms=tuple(terms), filters=filters)


def plain(text: str) -> Query:
    """Take a text as words only, whatever signs it holds: a question from a file, not from a query line."""
    return Query(text=text, meaning=text, terms=tuple(Term(word) for word in text.split()))


def _refuse_broken(piece: Piece) -> None:
    if not piece.closed:
        raise QueryError(
            "A quotation mark is not closed.", position=piece.start, fix='Close it: "like this", or leave it out.'
        )
    if piece.field and not piece.value.strip():
        raise QueryError(
            f"The filter {piece.field}: has no value.",
            position=piece.start,
            fix=f"Write {_EXAMPLES[piece.field]}, for example, with no space after the colon.",
        )


TELLING_LETTERS = 3
_EXAMPLES = {
    "path": "path:recipes",
    "type": "type:pdf",
    "tag": "tag:garden",
    "title": 'title:"to do"',
    "after": "after:2024-03",
    "before": "before:2024-03-15",
}


def _says_nothing_yet(piece: Piece) -> bool:
    """Whether the beginning of a word is so short that most passages hold a word like it, which costs most to rank."""
    return len(piece.value) < TELLING_LETTERS and piece.value.isascii() and not piece.quoted


def _terms(piece: Piece, unfinished: bool) -> Iterator[Term]:
    """Give the term of a piece without a field. A piece without a letter or digit asks for nothing."""
    if not _WORDLIKE.search(piece.value):
        return
    if piece.quoted:
        yield Term(piece.value.strip(), "phrase", excluded=piece.minus)
    elif piece.value.endswith("*"):
        yield Term(piece.value.rstrip("*"), "prefix", excluded=piece.minus)
    elif unfinished and not piece.minus and len(piece.value) >= 2:
        yield Term(piece.value, "prefix")
    else:
        yield Term(piece.value, "word", excluded=piece.minus)


def _with_filter(filters: Filters, piece: Piece, now: float) -> Filters:
    value = piece.value.strip()
    if piece.field in ("after", "before"):
        if piece.minus:
            other = "before" if piece.field == "after" else "after"
            raise QueryError(
                f"-{piece.field}: cannot be turned round.", position=piece.start, fix=f"Use {other}: instead."
            )
        bounds = day_bounds(value, now)
        if bounds is None:
            raise QueryError(
                f"“{value}” is no date.",
                position=piece.start,
                fix="Write a year, a month or a day (2024, 2024-03, 2024-03-15), today, yesterday, or 7d, 3w, 6m, 2y.",
            )
        if piece.field == "after":
            return replace(filters, after=bounds[0])
        return replace(filters, before=bounds[0])
    name = _FILTER_NAMES[piece.field or ""]
    if piece.minus:
        name = f"not_{name}"
    widened: dict[str, Any] = {name: (*getattr(filters, name), value.lower())}
    return replace(filters, **widened)


_FILTER_NAMES = {"path": "paths", "type": "kinds", "tag": "tags", "title": "titles"}


# --- dates as people write them: a year, a month, a day, or how long ago -------------------------------------------


def day_bounds(text: str, now: float) -> tuple[float, float] | None:
    """Return the first moment of what `text` names and the first after it, local time, in seconds since the epoch.

    None where it names no date. `7d` is the day a week before `now`; months count 30 days and years 365.
    """
    today = datetime.fromtimestamp(now).replace(hour=0, minute=0, second=0, microsecond=0)
    text = text.strip().lower()
    named = {"today": 0, "yesterday": 1}.get(text)
    ago = _AGO.fullmatch(text)
    try:
        if named is not None or ago:
            days = named if named is not None else int(ago[1]) * _DAYS[ago[2]] if ago else 0
            start = today - timedelta(days=days)
            return start.timestamp(), (start + timedelta(days=1)).timestamp()
        match = _CALENDAR.fullmatch(text)
        return _calendar(match) if match else None
    except (ValueError, OverflowError, OSError):
        return None


def _calendar(match: re.Match[str]) -> tuple[float, float]:
    year, month, day = int(match[1]), int(match[2] or 1), int(match[3] or 1)
    start = datetime(year, month, day)
    if match[3]:
        end = start + timedelta(days=1)
    elif match[2]:
        end = datetime(year + month // 12, month % 12 + 1, 1)
    else:
        end = datetime(year + 1, 1, 1)
    return start.timestamp(), end.timestamp()
