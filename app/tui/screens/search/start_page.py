"""What an empty query line shows to a person who was here before: searches of before, saved ones, what was opened last.

A beginner has nothing of it yet, and is told the first keys instead.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from textual.content import Content
from textual.style import Style
from textual.widget import Widget

from app.tui.actions import Action
from app.tui.background import in_background
from app.tui.browser import Browser
from app.tui.screens.chooser import Choice, ChoiceScreen
from app.tui.screens.closing_keys import closed_again
from app.tui.screens.search.actions import HISTORY, OPENED_BEFORE, SAVED
from app.tui.screens.search.query_line import QueryLine
from app.tui.screens.search.row import place_of
from app.tui.theme import BRIGHT, KEY, QUIET
from app.tui.threads import in_thread
from app.wording.safe_text import one_line
from engine.lazy_dataclass import dataclass
from engine.paths import display

KNOWN_SEARCHES = 3  # searches of before from which on a person needs no first keys
SHOWN = 3  # of each kind
OPENED_KEPT = 50  # documents among which one that was opened before is picked
_log = logging.getLogger("carrel")


@dataclass(frozen=True, slots=True)
class Before:
    """What a person did here before, newest first; `saved` are the names and texts of the saved searches."""

    searches: tuple[str, ...] = ()
    saved: tuple[tuple[str, str], ...] = ()
    opened: tuple[bytes, ...] = ()

    @property
    def known(self) -> bool:
        """Whether it is worth a page: to a person who knows the first keys, they are of no use."""
        return len(self.searches) >= KNOWN_SEARCHES or bool(self.saved)


class StartPage:
    """Knows what was done before, and does it again."""

    def __init__(self, browser: Browser, line: QueryLine, rows: Widget) -> None:
        self._browser = browser
        self._line = line
        self._rows = rows  # the work ends with them
        self.before: Before | None = None  # None: not known yet, so that no page gives way to another

    def look(self, changed: Callable[[], None]) -> None:
        """Find out, beside the keys, what was done before; `changed` is called where that is something else now."""

        async def look() -> None:
            before = await in_thread(self._read)
            if before != self.before:
                self.before = before
                changed()

        in_background(self._rows, look, "start page", exclusive=True)

    def _read(self) -> Before:
        opened, config = self._browser.opened, self._browser.config
        searches = self._browser.ports.history.entries() if config.history else ()
        before = Before(searches, tuple(sorted(config.saved.items(), key=lambda each: each[0].lower())))
        if opened is None or not config.memory or not before.known:
            return before
        try:
            return replace(before, opened=opened.library.last_opened(OPENED_KEPT))
        except Exception:
            _log.exception("What was opened before could not be read")
            return before

    def search_again(self, place: int) -> None:
        """Make the search of before that stands at a place of the page; the saved ones come behind the others."""
        before = self.before or Before()
        found = [*before.searches[:SHOWN], *(text for _, text in before.saved[:SHOWN])]
        if place < len(found):
            self._line.write(found[place])
            self._line.focus()

    def read_again(self, place: int) -> None:
        """Read the document that was opened so many before the last one."""
        opened = self.before.opened if self.before else ()
        if place < len(opened):
            self._read_document(opened[place])

    def pick_opened(self) -> None:
        """Let the person pick one of the documents that were opened before."""
        choices = [Choice(path, *_named(path, self._browser.roots)) for path in (self.before or Before()).opened]
        nothing = "Nothing yet. A document is remembered once it is opened from a search, while memory is on."
        screen = ChoiceScreen("Opened before", choices, nothing=nothing)
        self._browser.push_screen(closed_again(screen, OPENED_BEFORE), self._picked)

    def _picked(self, path: bytes | None) -> None:
        if path is not None:
            self._read_document(path)

    def _read_document(self, path: bytes) -> None:
        from app.tui.screens.reader.screen import ReaderScreen  # not needed before the first paint
        from app.tui.screens.reader.trail import Reading

        self._browser.push_screen(ReaderScreen(Reading(path)))


def before_lines(
    before: Before | None, roots: Sequence[bytes], key: Callable[[Action], str], width: int
) -> list[Content]:
    """Return what was done before, a line each that a click does again: nothing for a beginner.

    `key` tells by which key all of something is listed.
    """
    if before is None:
        return [Content()]
    if not before.known:
        return []
    searches = [(one_line(text), "") for text in before.searches[:SHOWN]]
    saved = [(one_line(name), one_line(text)) for name, text in before.saved[:SHOWN]]
    opened = [_named(path, roots) for path in before.opened[:SHOWN]]
    return [
        *_section("Searched before", key(HISTORY), searches, "search_again", 0, width),
        *_section("Saved", key(SAVED), saved, "search_again", len(searches), width),
        *_section("Opened last", key(OPENED_BEFORE), opened, "read_again", 0, width),
    ]


def _named(path: bytes, roots: Sequence[bytes]) -> tuple[str, str]:
    """Return the name of a document's file, and where it lies."""
    return one_line(display(os.path.basename(path))), place_of(path, roots)


def _section(
    name: str, key: str, entries: Sequence[tuple[str, str]], run: str, first: int, width: int
) -> Iterator[Content]:
    """Yield a heading with the key that has all of it, and its entries."""
    if not entries:
        return
    gap = " " * max(1, width - len(name) - len(key))
    yield Content()
    yield Content.assemble((name, f"bold {BRIGHT}"), gap, (key, KEY)).truncate(width)
    for place, (label, note) in enumerate(entries, first):
        line = Content.assemble(label, ("   " if note else "", ""), (note, QUIET)).truncate(width, ellipsis=True)
        yield line.stylize(Style.from_meta({"@click": f"screen.{run}({place})"}))
