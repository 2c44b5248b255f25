"""The filter picker: first what to filter by, then one of the values that the library holds, with their counts."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from textual.screen import Screen

from app.tui.ports import Opened
from app.tui.screens.chooser import Choice, ChoiceScreen
from app.tui.screens.search.filter_completion import NO_FACETS, days
from app.tui.screens.search.query_line import QueryLine
from app.tui.screens.search.query_text import with_filter
from app.tui.threads import in_thread
from app.wording.figures import counted
from engine.records import Facets

_log = logging.getLogger("carrel")

FIELDS: tuple[tuple[str, str, str], ...] = (
    ("path", "in a folder", "path:"),
    ("type", "of a type", "type:"),
    ("tag", "with a tag", "tag:"),
    ("title", "with a word in the title", "title:"),
    ("after", "changed on or after a day", "after:"),
    ("before", "changed before a day", "before:"),
    ("-path", "not in a folder", "-path:"),
    ("-type", "not of a type", "-type:"),
    ("-tag", "not with a tag", "-tag:"),
)
_DAY_WORDS = {"7d": "a week ago", "30d": "a month ago", "6m": "half a year ago", "1y": "a year ago"}


class Filtering:
    """Knows the values that filters can take, and lets a person pick one for the query line."""

    def __init__(self, screen: Screen[None], line: QueryLine) -> None:
        self._screen = screen
        self._line = line
        self._opened: Opened | None = None
        self._facets: Facets | None = None  # None: to be read once they are needed
        self._changes = 0  # of the library, so that values read before one are not kept after it

    def forget(self, opened: Opened | None) -> None:
        """Take note that the library has changed, so that its values are read anew before they are shown again."""
        self._opened, self._facets = opened, None
        self._changes += 1

    async def values(self) -> Facets:
        """Return the values, read in a thread where the library has changed since."""
        if self._facets is not None or self._opened is None:
            return self._facets or NO_FACETS
        changes = self._changes
        try:
            found = await in_thread(self._opened.library.facets)
        except Exception:
            _log.exception("The values of filters could not be read")
            return NO_FACETS
        if changes == self._changes:
            self._facets = found
        return found

    def pick(self, facets: Facets, now: float) -> None:
        """Let the person pick a field and then a value."""
        choices = [Choice(field, label, note) for field, label, note in FIELDS]

        def picked(field: str | None) -> None:
            if field is not None:
                self._pick_value(field, facets, now)

        self._screen.app.push_screen(ChoiceScreen("Only notes …", choices), picked)

    def _pick_value(self, field: str, facets: Facets, now: float) -> None:
        label = next(label for name, label, _ in FIELDS if name == field)

        def picked(value: str | None) -> None:
            if value:
                self._line.write(with_filter(self._line.value, field, value))

        self._screen.app.push_screen(
            ChoiceScreen(
                f"Only notes {label}",
                values(field.removeprefix("-"), facets, now),
                placeholder="type to narrow the list, or any value",
                nothing="Type the value." if field == "title" else "No note here has one; type a value all the same.",
                own=lambda typed: Choice(typed, typed, "as typed"),
            ),
            picked,
        )


def values(field: str, facets: Facets, now: float) -> Sequence[Choice[str]]:
    """Return the values of a field with the documents that each leaves."""
    known: Mapping[str, Mapping[str, int]] = {"path": facets.folders, "type": facets.kinds, "tag": facets.tags}
    if field in known:
        return [Choice(value, value, counted(number, "document")) for value, number in known[field].items()]
    if field == "title":
        return []
    return [Choice(day, day, _DAY_WORDS.get(day, "")) for day in days(now)]
