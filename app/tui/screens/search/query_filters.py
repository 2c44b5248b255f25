"""The filters of the query line: chips to take away, and a picker of what to filter by and of the values there are."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from textual.content import Content

from app.tui.background import in_background
from app.tui.browser import Browser
from app.tui.screens.chooser import Choice, ChoiceScreen
from app.tui.screens.closing_keys import closed_again
from app.tui.screens.search.actions import FILTERS
from app.tui.screens.search.chip_line import ChipLine
from app.tui.screens.search.filter_completion import NO_FACETS, candidates, days, unfinished
from app.tui.screens.search.query_line import QueryLine
from app.tui.screens.search.query_text import Chip, chips, with_filter, with_word, without
from app.tui.theme import BRIGHT, QUIET
from app.tui.threads import in_thread
from app.wording.safe_text import one_line
from engine.figures import count, counted
from engine.records import Facets, Query, WordReading
from engine.retrieval.query_pieces import Piece

_log = logging.getLogger("carrel")

FIELDS: tuple[tuple[str, str, str], ...] = (
    ("path", "in a folder", "path:"),
    ("type", "of a type", "type:"),
    ("tag", "with a tag", "tag:"),
    ("title", "with a word in the title", "title:"),
    ("author", "by an author, or a mail from one", "author:"),
    ("to", "sent to somebody", "to:"),
    ("after", "changed on or after a day", "after:"),
    ("before", "changed before a day", "before:"),
    ("-path", "not in a folder", "-path:"),
    ("-type", "not of a type", "-type:"),
    ("-tag", "not with a tag", "-tag:"),
)
UNLISTED = ("title", "author", "to")  # fields of which there are too many values to list
LISTED = ("path", "type", "tag", "after", "before", "date")  # fields whose values are known
_DAY_WORDS = {"7d": "a week ago", "30d": "a month ago", "6m": "half a year ago", "1y": "a year ago"}


class QueryFilters:
    """Shows the filters of the query line as chips, and knows the values that further ones can take."""

    def __init__(self, browser: Browser, line: QueryLine, chip_line: ChipLine) -> None:
        self._browser = browser
        self._line = line
        self._chip_line = chip_line
        self._facets: Facets | None = None  # None: to be read once they are needed
        self._changes = 0  # of the library, so that values read before one are not kept after it
        line.completions.titles = self._titles
        line.completions.values = self._values

    def show(self, query: Query | None = None) -> None:
        """Show what the query line restricts, as far as its form tells, or as the answered `query` was read."""
        found = chips(self._line.value)
        if query is not None and query.text == self._line.value:
            words = {remark.piece for remark in query.remarks if remark.kind in ("alone", "written so")}
            found = tuple(chip for chip in found if query.text[chip.start : chip.end] not in words)
        self._chip_line.show(found)

    def searched(self) -> str:
        """Return what is to be searched: the query without a filter whose value is half typed."""
        piece = self._half_typed()
        return self._line.value[: piece.start] if piece is not None else self._line.value

    def _half_typed(self) -> Piece | None:
        """Return the filter that is being typed, unless its value is one that there is, or the beginning of none."""
        piece = unfinished(self._line.value) if self._line.unfinished and self._line.cursor_at_end else None
        if piece is None or piece.field is None or piece.field not in LISTED:
            return None
        known = [value.lower() for value in self._candidates(piece)]
        typed = piece.value.lower()
        begins = any(value.startswith(typed) for value in known) or self._facets is None
        return piece if begins and typed not in known else None

    def offers(self) -> Callable[[int], Content] | None:
        """Return the line that lists the values of the filter that is being typed; None where none is."""
        piece = self._half_typed()
        if piece is None or self._facets is None:
            return None
        fitting = [value for value in self._candidates(piece) if value.lower().startswith(piece.value.lower())]
        return partial(values_line, piece, fitting, self._facets)

    def _candidates(self, piece: Piece) -> list[str]:
        return list(candidates(piece.field or "", self._facets or NO_FACETS, self._browser.ports.clock()))

    @property
    def knows_values(self) -> bool:
        """Whether the values are read."""
        return self._facets is not None

    async def read_values(self) -> bool:
        """Read the values; False where they cannot be read."""
        await self._values()
        return self.knows_values

    def forget_values(self) -> None:
        """Take note that the library has changed, so that its values are read anew before they are shown again."""
        self._facets = None
        self._changes += 1

    def drop(self, chip: Chip) -> None:
        """Take a filter away."""
        self._line.write(without(self._line.value, chip))

    def drop_last(self) -> None:
        """Take the last filter away."""
        there = chips(self._line.value)
        if there:
            self.drop(there[-1])

    def correct(self, word: WordReading | None) -> None:
        """Put the word that is offered for an unknown one in its place."""
        if word is not None:
            self._line.write(with_word(self._line.value, word.term, word.nearest))

    def pick(self) -> None:
        """Let the person pick a filter."""
        in_background(self._line, self._pick, "filters", exclusive=True)

    async def _values(self) -> Facets:
        """Return the values, read in a thread where the library has changed since."""
        opened = self._browser.opened
        if self._facets is not None or opened is None:
            return self._facets or NO_FACETS
        changes = self._changes
        try:
            found = await in_thread(opened.library.facets)
        except Exception:
            _log.exception("The values of filters could not be read")
            return NO_FACETS
        if changes == self._changes:
            self._facets = found
        return found

    async def _titles(self, fragment: str) -> list[str]:
        """Return titles and other names of the documents that are called as was typed, for the completion."""
        if self._browser.opened is None:
            return []
        try:
            named = partial(self._browser.opened.library.documents_named, fragment, 20)
            found = await in_thread(named)
            aliases = [document.metadata.get("aliases", "").split("\n") for document in found]
            return [document.title for document in found] + [name for names in aliases for name in names if name]
        except Exception:
            _log.exception("Titles could not be read")
            return []

    async def _pick(self) -> None:
        """Let the person pick a field and then a value."""
        choices = [Choice(field, label, note) for field, label, note in FIELDS]

        with self._browser.opening():
            facets, now = await self._values(), self._browser.ports.clock()

            def picked(field: str | None) -> None:
                if field is not None:
                    self._pick_value(field, facets, now)

            self._browser.push_screen(closed_again(ChoiceScreen("Only notes …", choices), FILTERS), picked)

    def _pick_value(self, field: str, facets: Facets, now: float) -> None:
        label = next(label for name, label, _ in FIELDS if name == field)

        def picked(value: str | None) -> None:
            if value:
                self._line.write(with_filter(self._line.value, field, value))

        screen = ChoiceScreen(
            f"Only notes {label}",
            values(field.removeprefix("-"), facets, now),
            placeholder="type to narrow the list, or any value",
            nothing="Type the value." if field in UNLISTED else "No note here has one; type a value all the same.",
            own=lambda typed: Choice(typed, typed, "as typed"),
        )
        self._browser.push_screen(closed_again(screen, FILTERS), picked)


def values_line(piece: Piece, fitting: Sequence[str], facets: Facets, width: int) -> Content:
    """Return the values that a filter may still become, with the documents that each leaves."""
    known = {"path": facets.folders, "type": facets.kinds, "tag": facets.tags}.get(piece.field or "", {})
    listed = [
        Content.assemble((one_line(value), BRIGHT), (f" {count(known[value])}" if value in known else "", QUIET))
        for value in fitting
    ]
    line = Content.assemble((f"{piece.field}:  ", QUIET), Content("   ").join(listed))
    hint = Content.styled("tab takes the first", QUIET)
    line = line.truncate(max(1, width - hint.cell_length - 3), ellipsis=True)
    return Content.assemble(line, " " * max(1, width - line.cell_length - hint.cell_length), hint)


def values(field: str, facets: Facets, now: float) -> Sequence[Choice[str]]:
    """Return the values of a field with the documents that each leaves."""
    known: Mapping[str, Mapping[str, int]] = {"path": facets.folders, "type": facets.kinds, "tag": facets.tags}
    if field in known:
        return [Choice(value, value, counted(number, "document")) for value, number in known[field].items()]
    if field in UNLISTED:
        return []
    return [Choice(day, day, _DAY_WORDS.get(day, "")) for day in days(now)]
