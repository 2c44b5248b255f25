"""The query language: what a person types, understood as words, phrases, exclusions and filters.

words         any of them counts; the more and the rarer, the better
"a phrase"    must stand in the passage, word for word; also “so”, „so“, «so» and 「so」
-word         must not stand in the passage; also -"a phrase"
prefix*       any word that begins so
path:x  type:x  tag:x  title:x  author:x  from:x  to:x  subject:x      each with - before it turns round
after:date  before:date   by the day of the file; with date:own by the date that the document gives itself

No text is refused. What cannot be an operator is searched as it was typed, and a remark says so: options (--all, -t),
numbers (-5), a filter without a value, a quotation mark that nothing closes. AND, OR and NOT are plain words, because
capitals are pasted (`NOT NULL constraint failed`) more often than meant, and to leave out what was pasted hides it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from engine.records import Filters, Query, Remark, RemarkKind, Term, TermKind
from engine.retrieval.query_pieces import Piece, opens_a_phrase, pieces
from engine.store.row_mapping import storable

TELLING_LETTERS = 3
MOST_PIECES = 300  # each takes a millisecond to look for; a longer line was pasted, and its first words tell the most
OPERATORS = frozenset({"AND", "OR", "NOT"})

_CALENDAR = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_AGO = re.compile(r"(\d{1,4})([dwmy])", re.IGNORECASE)
_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
_FILTER_NAMES = {
    "path": "paths",
    "type": "kinds",
    "tag": "tags",
    "title": "titles",
    "author": "authors",
    "from": "senders",
    "to": "recipients",
    "subject": "subjects",
}
_OWN = {"own": True, "file": False}  # which date date: takes
_TURNED = {"after": "before", "before": "after"}  # not after a day is before it


def parse(text: str, *, typing: bool = False, now: float | None = None) -> Query:
    """Understand a query line.

    With `typing` the last piece is unfinished: a word may grow, one of a letter or two is not asked for beside others,
    and an open quote, an exclusion or a filter is passed over until it has its value. What an argument of a program
    held that is no UTF-8 comes as U+FFFD. Of a long line the first MOST_PIECES are understood.
    """
    text = storable(text)
    reading = _Reading(text, typing, time.time() if now is None else now)
    written = list(pieces(text))
    found, others = written[:MOST_PIECES], len(written) - MOST_PIECES
    unfinished = None if others > 0 else found[-1] if found and typing and not text[-1:].isspace() else None
    for piece in found:
        if piece is not unfinished:
            reading.take(piece)
    if unfinished is not None:
        reading.take_unfinished(unfinished)
    reading.settle(len(found))
    if others > 0:
        reading.remarks.append(Remark(found[-1].value, "long", str(others)))
    meaning = " ".join(term.text for term in reading.terms if not term.excluded and term.kind != "signs")
    return Query(text, meaning, tuple(reading.terms), reading.filters, tuple(reading.remarks))


def plain(text: str) -> Query:
    """Take a text as words only, whatever signs it holds: a question from a file, not from a query line."""
    return Query(text=text, meaning=text, terms=tuple(Term(word) for word in text.split()))


def says_nothing_yet(text: str) -> bool:
    """Whether the last word is passed over while it grows, because it is short and others stand before it."""
    found = list(pieces(text))
    return len(found) > 1 and _is_short(found[-1])


def _is_short(piece: Piece) -> bool:
    """Whether the beginning of a word is so short that most passages hold a word like it, which costs most to rank."""
    return len(piece.value) < TELLING_LETTERS and piece.value.isascii() and not piece.quoted and not piece.field


@dataclass(slots=True)
class _Reading:
    """What was understood so far of a query line."""

    text: str
    typing: bool
    now: float
    terms: list[Term] = field(default_factory=list)
    filters: Filters = field(default_factory=Filters)
    remarks: list[Remark] = field(default_factory=list)

    def take(self, piece: Piece) -> None:
        """Understand a finished piece."""
        if piece.field:
            self._take_filter(piece)
        elif piece.quoted:
            kind: TermKind = "signs" if piece.is_sign else "phrase"
            written = piece.value.strip() or self.text[piece.start + piece.minus : piece.end]  # "" is a sign, too
            self.terms.append(Term(written, kind, excluded=piece.minus))
        else:
            self._take_word(piece)

    def take_unfinished(self, piece: Piece) -> None:
        """Understand the last piece while it is being typed."""
        if piece.field:
            if self._fault(piece) is None:
                self._take_filter(piece)
        elif piece.quoted or piece.is_sign or piece.value.endswith("*"):
            self.take(piece)
        elif _is_short(piece) and any(not term.excluded and term.kind != "signs" for term in self.terms):
            return
        elif piece.minus or len(piece.value) < TELLING_LETTERS - 1:
            self.terms.append(Term(piece.value, "word", excluded=piece.minus))
        else:
            self.terms.append(Term(piece.value, "prefix"))

    def settle(self, count: int) -> None:
        """Decide what can only be decided of the whole line, of `count` pieces."""
        asked = [term for term in self.terms if not term.excluded]
        if not asked and not self.filters:  # nothing is left that it could be left out of
            self._remark_all("alone", [f"-{_as_typed(term)}" for term in self.terms])
            self.terms = [replace(term, excluded=False) for term in self.terms]
        if any(term.kind != "signs" for term in asked):
            self._drop_signs(self.terms)
        else:
            self._drop_signs([term for term in self.terms if term.excluded])
        if count > 1:
            written = [term.text for term in self.terms if term.kind == "word" and term.text in OPERATORS]
            self._remark_all("operator", list(dict.fromkeys(written)))

    def _take_word(self, piece: Piece) -> None:
        typed = self.text[piece.start : piece.end]
        if opens_a_phrase(piece, self.text) and not self.typing:  # else it may be closed yet
            self._remark_all("open quote", [typed])
        elif typed[0] == "-" and not piece.minus and not piece.is_sign:
            self._remark_all("option", [typed])
        if piece.is_sign:
            self.terms.append(Term(piece.value, "signs", excluded=piece.minus))
        elif piece.value.endswith("*"):
            self.terms.append(Term(piece.value.rstrip("*"), "prefix", excluded=piece.minus))
        else:
            self.terms.append(Term(piece.value, "word", excluded=piece.minus))

    def _take_filter(self, piece: Piece) -> None:
        """Add a filter; where it has no value, or no date, its text is searched as it stands."""
        typed = self.text[piece.start : piece.end]
        value, name = piece.value.strip(), piece.field or ""
        fault = self._fault(piece)
        if fault is not None:
            self._remark_all(fault, [typed])
            self.terms.append(Term(typed.lstrip("-")))
            return
        if not piece.closed and not self.typing:
            self._remark_all("open quote", [typed])
        if name == "date":
            self.filters = replace(self.filters, own_dates=_OWN[value.lower()] != piece.minus)
            return
        bounds = day_bounds(value, self.now) if name in _TURNED else None
        if bounds is not None:
            day: dict[str, Any] = {_TURNED[name] if piece.minus else name: bounds[0]}
            self.filters = replace(self.filters, **day)
            return
        name = f"{'not_' if piece.minus else ''}{_FILTER_NAMES[name]}"
        widened: dict[str, Any] = {name: (*getattr(self.filters, name), value.lower())}
        self.filters = replace(self.filters, **widened)

    def _fault(self, piece: Piece) -> RemarkKind | None:
        """Return why a filter's text is no filter; None where it is one."""
        value = piece.value.strip()
        if not value:
            return "no value"
        if piece.field in _TURNED:
            return None if day_bounds(value, self.now) else "no date"
        return "neither" if piece.field == "date" and value.lower() not in _OWN else None

    def _drop_signs(self, terms: Sequence[Term]) -> None:
        """Search for no signs among these terms: no index holds them. Only of punctuation nothing is said."""
        dropped = [term for term in terms if term.kind == "signs"]
        self._remark_all("signs", [term.text for term in dropped if not term.text.isascii()])
        self.terms = [term for term in self.terms if term not in dropped]

    def _remark_all(self, kind: RemarkKind, typed: Sequence[str]) -> None:
        self.remarks += [Remark(each, kind) for each in typed]


def _as_typed(term: Term) -> str:
    """Return a term as it stands in a query line."""
    return f'"{term.text}"' if term.kind == "phrase" else f"{term.text}{'*' if term.kind == 'prefix' else ''}"


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
