"""What a finished search leaves behind: what was opened counts for the like, and it stands in the log, if wanted.

Each is one small write in a thread; searching and opening never wait for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual.widget import Widget

from app.tui.background import in_background
from app.tui.browser import Browser
from app.tui.screens.search.live_comparison import LiveComparison
from app.tui.screens.search.live_search import Answered
from app.tui.threads import in_thread
from engine.lazy_dataclass import dataclass
from engine.records import Hit, SearchResult

if TYPE_CHECKING:
    from app.tui.library_port import LibraryPort

_log = logging.getLogger("carrel")


@dataclass(frozen=True, slots=True)
class _Entry:
    """The number that a search has in the log, and the turn of the query line that it answered."""

    turn: int
    number: int


class ImplicitFeedback:
    """Remembers opened rows, and writes each search down once: when it is finished, or a row of it is opened."""

    def __init__(self, browser: Browser, worker_of: Widget) -> None:
        self._browser = browser
        self._worker_of = worker_of  # the writing ends with it
        self._entry: _Entry | None = None  # the newest of the log
        self._comparison = LiveComparison(browser, worker_of)
        self._writing = asyncio.Lock()  # a row opened meanwhile waits for the number of its search

    def answered(self, answer: Answered) -> None:
        """Write a finished search down, where the person wants a log."""
        asked = answer.asked
        rested = asked.resting or not asked.typing
        self._comparison.answered(answer)
        if self._browser.config.search_log and answer.finished and rested and answer.result.query.meaning:
            in_background(self._worker_of, partial(self._write_down, asked.turn, answer.result), "judging")

    def opened(self, hits: Sequence[Hit], turn: int, result: SearchResult) -> None:
        """Remember rows that were opened of the result that answered a turn of the query line."""
        self._comparison.opened(turn, result.query.text)
        in_background(self._worker_of, partial(self._remember, tuple(hits), turn, result), "judging")

    def key_pressed(self) -> None:
        """Give up what is still compared of the question before."""
        self._comparison.key_pressed()

    def disturbed(self) -> None:
        """Let what is compared give way to a key, whatever that is for."""
        self._comparison.disturbed()

    async def _write_down(self, turn: int, result: SearchResult) -> None:
        library = self._library()
        if library is None:
            return
        try:
            await self._number(library, turn, result)
        except Exception:
            _log.exception("A search could not be written down")

    async def _remember(self, hits: Sequence[Hit], turn: int, result: SearchResult) -> None:
        library = self._library()
        if library is None:
            return
        try:
            if self._browser.config.memory:
                for hit in hits:
                    await in_thread(partial(library.opened, result.query.text, hit.passage_id))
            if self._browser.config.search_log:
                number = await self._number(library, turn, result)
                if number is not None:
                    for hit in hits:
                        await in_thread(partial(library.log_opened, number, hit))
        except Exception:
            _log.exception("That a result was opened could not be kept")

    async def _number(self, library: LibraryPort, turn: int, result: SearchResult) -> int | None:
        """Return the number of a turn's search in the log; it is written down where it is not there yet.

        None where another terminal has turned the log off.
        """
        async with self._writing:
            if not await in_thread(partial(self._browser.ports.settings.still, "search_log")):
                return None
            if self._entry is None or self._entry.turn != turn:
                self._entry = _Entry(turn, await in_thread(partial(library.log_search, result)))
            return self._entry.number

    def _library(self) -> LibraryPort | None:
        """Return the library where it can be written to."""
        opened = self._browser.opened
        return opened.library if opened is not None and not opened.library.read_only else None
