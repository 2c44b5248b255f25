"""Completion of filters and their values behind the cursor, from what is in the library."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable

from textual.suggester import Suggester

from engine.records import Facets
from engine.retrieval.query_pieces import FILTERS, Piece, opens_a_phrase, pieces

LEAST_LETTERS = 3  # of a filter's name before it is offered: shorter ones begin too many words
NO_FACETS = Facets({}, {}, {})

Titles = Callable[[str], Awaitable[Iterable[str]]]
Values = Callable[[], Awaitable[Facets]]


async def _no_titles(fragment: str) -> Iterable[str]:
    return ()


async def _no_values() -> Facets:
    return NO_FACETS


class QuerySuggester(Suggester):
    """Completes the last piece of a query line; what gives `values` and `titles` comes with the library."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self.values: Values = _no_values
        self.titles: Titles = _no_titles
        self._clock = clock

    async def get_suggestion(self, value: str) -> str | None:
        """Return the whole line as it would be, or None."""
        piece = unfinished(value)
        if piece is None:
            return None
        if piece.field is None:
            return completed_name(value, piece)
        if piece.field == "title":
            titles = await self.titles(piece.value) if piece.value else ()
            return completed(value, piece, words_of_titles(titles))
        return completed(value, piece, candidates(piece.field, await self.values(), self._clock()))


def unfinished(text: str) -> Piece | None:
    """Return the piece that the person is typing: the last one, where nothing ends it."""
    found = list(pieces(text))
    last = found[-1] if found else None
    if last is None or last.end != len(text) or (last.quoted and last.closed):
        return None
    return last


def completed_name(text: str, piece: Piece) -> str | None:
    """Return the line with the name of a filter finished, where a word begins like one."""
    if piece.quoted or opens_a_phrase(piece, text) or len(piece.value) < LEAST_LETTERS:
        return None
    for name in FILTERS:
        if name.startswith(piece.value.lower()) and not (piece.minus and name in ("after", "before")):
            return text + name[len(piece.value) :] + ":"
    return None


def completed(text: str, piece: Piece, values: Iterable[str]) -> str | None:
    """Return the line with the first of `values` that begins like the piece; what was typed stays as it was typed.

    A piece that is a value already is left as it is.
    """
    typed, values = piece.value.lower(), tuple(values)
    if typed in map(str.lower, values):
        return None
    for value in values:
        spaced = any(sign.isspace() or sign == '"' for sign in value)
        if not value.isprintable():  # it would be drawn as it is
            continue
        if value.lower().startswith(typed) and len(value) > len(typed) and (piece.quoted or not spaced):
            return text + value[len(typed) :] + ('"' if piece.quoted else "")
    return None


def candidates(field: str, facets: Facets, now: float) -> Iterable[str]:
    """Return the values of a filter, the likeliest first."""
    if field == "type":
        return facets.kinds
    if field == "tag":
        return facets.tags
    if field == "path":
        names = (name for path in facets.folders for name in path.split("/"))
        return dict.fromkeys((*facets.folders, *names))
    if field == "date":
        return ("own", "file")
    return days(now) if field in ("after", "before") else ()


def days(now: float) -> tuple[str, ...]:
    """Return dates as people write them in a filter: how long ago, then this month and the years."""
    today = time.localtime(now)
    years = (str(today.tm_year - back) for back in range(10))
    return ("7d", "today", "yesterday", "30d", "6m", "1y", time.strftime("%Y-%m", today), *years)


def words_of_titles(titles: Iterable[str]) -> Iterable[str]:
    """Return the titles, then the words that they hold."""
    titles = tuple(titles)
    return dict.fromkeys((*titles, *(word for title in titles for word in title.split())))
