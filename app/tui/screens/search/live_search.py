"""Searches while a person types: the words at once, every leg after a quiet moment, all rows last.

Passages that have no vector yet are found by their words; the best of them are embedded beside, and then the rows move
once. No search waits for that.

Each stage runs in a thread; a newer key cancels the stages of the older one. What comes back is posted as messages, so
that the screen alone decides what is shown.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from textual.message import Message
from textual.widget import Widget

from app.tui.background import Work, in_background
from app.tui.ports import Opened, Pace
from app.tui.screens.search.arrangement import FURTHER_LIMIT, STEP_ROWS, ungrouped
from app.tui.threads import in_thread
from engine.errors import CarrelError
from engine.lazy_dataclass import dataclass
from engine.records import Hit, SearchResult, SearchSettings
from engine.retrieval.query import says_nothing_yet

if TYPE_CHECKING:
    from app.tui.library_port import ExplorationPort

_log = logging.getLogger("carrel")
ON_SCREEN = 20  # passages embedded beside an answer: .4 s of two idle cores, NDCG@10 .732 on SciFact's train queries
FIRST_ROWS = 25  # while a word grows: more than a screen holds, and each further one costs .2 ms to read
AGAIN = "again"  # the group of the worker that repeats a search
_WORDS_ONLY = SearchSettings(fusion="keyword")
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked, and by which key: `turn` grows with every change of the query line.

    `at` is when it was asked first: it is repeated without what was opened since, so that no row moves under the eyes.
    `typing`: the last word may grow. `resting`: the keys have rested for so long that the query may be looked at.
    """

    turn: int
    text: str
    typing: bool
    at: float
    limit: int = STEP_ROWS
    resting: bool = False


@dataclass
class Answered(Message):
    """A search has come back; `finished` is false while only the words have answered.

    `embedded` tells that passages of the answer before have their vectors since, so that rows may move.
    """

    asked: Asked
    result: SearchResult
    finished: bool
    exploration: ExplorationPort | None = None  # of a finished answer, for "what if"
    embedded: bool = False


@dataclass
class Refused(Message):
    """A search could not be done."""

    asked: Asked
    error: CarrelError


class LiveSearch:
    """Runs the searches of one screen, and knows which question is the newest."""

    def __init__(self, worker_of: Widget, pace: Pace, clock: Callable[[], float]) -> None:
        self._worker_of = worker_of  # what comes back is posted from it; its end ends every search
        self._pace = pace
        self._clock = clock
        self._opened: Opened | None = None
        self.settings = SearchSettings()
        self._turn = 0
        self._newest: str | None = None  # what was asked last
        self._asked: Asked | None = None  # the last question with a finished answer
        self._finished_turn = -1
        self._rows_painted = asyncio.Event()  # those of the first search, or why there are none
        if not pace.words_at_once:
            self._rows_painted.set()  # there is no search that the others wait for

    def open(self, opened: Opened, settings: SearchSettings) -> None:
        """Search a library from now on."""
        self._opened, self.settings, self._asked, self._newest = opened, settings, None, None

    def use(self, settings: SearchSettings) -> None:
        """Search by other settings from now on."""
        if self.settings != settings:
            self.settings = settings
            self.ask_again()

    def ask(self, text: str, typing: bool) -> None:
        """Begin to search; what an older key asked is cancelled. Without a library it is only the newest question."""
        self._turn += 1
        self._asked, self._newest = None, text
        self._worker_of.workers.cancel_group(self._worker_of, AGAIN)
        if self._opened is None:
            return
        asked = Asked(self._turn, text, typing, self._clock())
        first = replace(asked, limit=min(asked.limit, FIRST_ROWS)) if typing and self._pace.settle else asked
        if self._pace.words_at_once:
            self._run("words", partial(self._words, self._opened, first))
        self._run("all", partial(self._quiet_then_all, self._opened, first, asked))

    def asks(self, text: str) -> bool:
        """Whether this is what was asked last."""
        return self._newest == text

    def finish(self, text: str) -> None:
        """Ask once more, with the last word finished."""
        if self._asked is not None and self._asked.text == text:
            self._asked = replace(self._asked, typing=False, resting=True)
            self.ask_again()
        else:
            self.ask(text, typing=False)

    def go_on(self) -> None:
        """Let searches of every leg begin: what came of the first one, by words, stands on the screen."""
        self._rows_painted.set()

    def is_newest(self, asked: Asked) -> bool:
        """Whether nothing was asked since."""
        return asked.turn == self._turn

    @property
    def finished(self) -> bool:
        """Whether the newest question has had an answer of every leg."""
        return self._finished_turn == self._turn

    def accepts(self, answer: Answered) -> bool:
        """Take note of an answer; false where it is to an older question, or a fuller one came before it."""
        if not self.is_newest(answer.asked) or (not answer.finished and self.finished):
            return False
        if answer.finished:
            self._finished_turn = self._turn
        return True

    @property
    def repeating(self) -> bool:
        """Whether the last answered search is being done again."""
        return any(worker.group == AGAIN and worker.is_running for worker in self._worker_of.workers)

    def ask_again(self) -> None:
        """Repeat the last answered search, since the library has changed."""
        if self._asked is not None and self._opened is not None:
            self._run(AGAIN, partial(self._again, self._opened, self._asked))

    def ask_more(self, limit: int) -> None:
        """Repeat the last answered search with more rows."""
        if self._asked is not None:
            self._asked = replace(self._asked, limit=limit)
            self.ask_again()

    async def further(
        self, result: SearchResult, rows: Sequence[Hit], settings: SearchSettings
    ) -> dict[int, tuple[Hit, ...]]:
        """Return by document the further passages of rows among the candidates, each with its own figures.

        `settings` are those that the rows on the screen were ranked by.
        """
        if self._opened is None:
            return {}
        search = partial(
            self._opened.library.search,
            result.query.text,
            limit=FURTHER_LIMIT,
            settings=ungrouped(self._as_asked(replace(settings, fusion=result.fusion), self._asked)),
            typing=self._asked is not None and self._asked.typing,
            cancel=self._opened.new_cancellation(),
        )
        found = {each.passage_id: each for each in (await in_thread(search)).hits}
        return {
            row.document_id: tuple(found[passage] for passage in row.more_in_document if passage in found)
            for row in rows
        }

    def _as_asked(self, settings: SearchSettings, asked: Asked | None) -> SearchSettings:
        """Return settings by which nothing counts that was opened since the question was asked."""
        return settings if asked is None else replace(settings, opened_until=asked.at)

    def _run(self, group: str, work: Work) -> None:
        in_background(self._worker_of, work, group, exclusive=True)

    async def _words(self, opened: Opened, asked: Asked) -> None:
        """Search by words alone."""
        search = partial(opened.library.search, settings=_WORDS_ONLY)
        result = await self._found(opened, asked, search)
        if result is not None:
            self._worker_of.post_message(Answered(asked, result, finished=False))

    async def _quiet_then_all(self, opened: Opened, first: Asked, asked: Asked) -> None:
        """Search with every leg once the keys rest, and for all rows once they rest longer; the last word still grows.

        Only where it is so short that it was passed over is it asked for as it stands, since it may be a whole word.
        """
        await asyncio.sleep(self._pace.quiet)
        await self._rows_painted.wait()  # loading the model would keep the first rows waiting
        found = await self._explored(opened, first)
        result = self._answer(first, found)
        if asked.typing and self._pace.settle is not None:
            embedding = self._embed(opened, _wanted(result), after=self._pace.settle / 2)  # longer than a typist's gap
            embedded, _ = await asyncio.gather(embedding, asyncio.sleep(self._pace.settle))
            grows = not says_nothing_yet(asked.text)
            asked = replace(asked, typing=grows, resting=True)
            if embedded or not grows or not await self._widened(asked, found):
                self._answer(asked, await self._explored(opened, asked), embedded)
        elif await self._embed(opened, _wanted(result)):
            self._answer(asked, await self._explored(opened, asked), embedded=True)
        if result is not None and result.awaited and not opened.library.read_only:
            await in_thread(partial(opened.library.ask_to_embed, result.awaited))

    async def _widened(self, asked: Asked, found: ExplorationPort | None) -> bool:
        """Answer with more rows from the candidates that were found; false where they do not suffice."""
        if found is None:
            return False
        try:
            result = await in_thread(partial(found.again, self.settings, asked.limit))
        except CarrelError:
            return False  # a search will tell
        if not found.fills(result, asked.limit):
            return False
        self._asked = asked
        self._worker_of.post_message(Answered(asked, result, True, found))
        return True

    async def _again(self, opened: Opened, asked: Asked) -> None:
        """Repeat a search; rows that have no vector yet are embedded before they are shown, so that they move once."""
        found = await self._explored(opened, asked)
        rows = found.result.hits[:ON_SCREEN] if found is not None else ()
        embedded = await self._embed(opened, tuple(hit.passage_id for hit in rows if hit.pending))
        self._answer(asked, await self._explored(opened, asked) if embedded else found, embedded)

    def _answer(self, asked: Asked, found: ExplorationPort | None, embedded: bool = False) -> SearchResult | None:
        """Post what a search with every leg has found, and return its result."""
        if found is None:
            return None
        if self.is_newest(asked):  # an older question may come back later, and is not to be repeated in its place
            self._asked = asked
        self._worker_of.post_message(Answered(asked, found.result, True, found, embedded))
        return found.result

    async def _explored(self, opened: Opened, asked: Asked) -> ExplorationPort | None:
        settings = self._as_asked(self.settings, asked)
        return await self._found(opened, asked, partial(opened.library.explore, settings=settings))

    async def _embed(self, opened: Opened, passages: Sequence[int], after: float = 0.0) -> bool:
        """Embed passages that have no vector yet, after so many seconds; cancelling the worker ends it."""
        if not passages:
            return False
        await asyncio.sleep(after)
        cancellation = opened.new_cancellation()
        try:
            return await in_thread(partial(opened.library.embed, passages, cancel=cancellation)) > 0
        except asyncio.CancelledError:
            cancellation.cancel()
            raise
        except Exception:
            _log.exception("Passages could not be embedded for a search")
            return False

    async def _found(self, opened: Opened, asked: Asked, search: Callable[..., Found]) -> Found | None:
        """Run one search in a thread; None where it failed, and that is told. Cancelling the worker interrupts it."""
        cancellation = opened.new_cancellation()
        found = None
        try:
            found = await in_thread(
                partial(search, asked.text, limit=asked.limit, typing=asked.typing, cancel=cancellation)
            )
        except asyncio.CancelledError:
            cancellation.cancel()
            raise
        except CarrelError as error:
            self._worker_of.post_message(Refused(asked, error))
        except Exception:
            _log.exception("A search failed: %r", asked.text)
            self._worker_of.post_message(Refused(asked, CarrelError("This search failed.", fix="The log says why.")))
        return found


def _wanted(result: SearchResult | None) -> Sequence[int]:
    """Return the passages that an answer would gain most by: those on the screen, then the best by words."""
    return result.awaited[:ON_SCREEN] if result is not None else ()
