"""What a person tells Carrel of the results: marked right or wrong, opened; and the log of searches, if they want one.

Each is one small write in a thread; searching and opening never wait for it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from app.tui.actions import Action
from app.tui.background import in_background
from app.tui.screens.carrel_screen import CarrelScreen
from app.tui.threads import in_thread
from engine.records import Grade, Hit, SearchResult

if TYPE_CHECKING:
    from app.tui.ports import LibraryPort
    from app.tui.screens.search.live_search import Answered, Searching
    from app.tui.screens.search.pane import Pane
    from app.tui.screens.search.results import ResultList
    from app.tui.screens.search.trying import Like

_log = logging.getLogger("carrel")
RIGHT: Grade = 2
WRONG: Grade = -2

JUDGING_ACTIONS = (
    Action("search.right", "f10,plus", "judge(2)", "right", "Right: this is what I searched for",
           "Mark the row as right for this search: it ranks higher here and for the like. Again takes it back.",
           where="rows", late=True),
    Action("search.wrong", "f11,minus", "judge(-2)", "wrong", "Wrong: this is not what I searched for",
           "Mark the row as wrong for this search: it ranks lower here and for the like. Again takes it back.",
           where="rows", late=True),
)  # fmt: skip


class JudgingActions(CarrelScreen):
    """The part of the search screen that keeps what the person thinks of the rows."""

    rows: ResultList
    pane: Pane
    _searching: Searching | None
    _result: SearchResult | None
    _likes: list[Like]

    def __init__(self) -> None:
        super().__init__()
        self._logged: tuple[int, str, int] | None = None  # turn, query and number of the newest logged search

    def action_judge(self, grade: Grade) -> None:
        """Mark the selected row, or take that mark back."""
        hit, result = self.rows.hit, self._result
        if hit is None or result is None or self._likes or not result.query.meaning:
            self.notify("Search for words first: a mark says that a row answers a search.", timeout=4, markup=False)
            return
        in_background(self, partial(self._judge, hit, result.query.text, grade), "judging")

    async def _judge(self, hit: Hit, query: str, grade: Grade) -> None:
        library = self._library()
        if library is None:
            return
        undone = hit.judged == grade
        if undone:
            await in_thread(partial(library.unmark, query, hit.passage_id))
        else:
            await in_thread(partial(library.mark, query, hit.passage_id, grade))
        self.notify(_said(grade, undone, self.carrel.config.memory), timeout=4, markup=False)
        if self._searching is not None:
            self._searching.ask_again()

    def results_opened(self, hits: Sequence[Hit]) -> None:
        """Remember that rows were opened: each counts a little for searches like this one, and stands in the log."""
        result = self._result
        if result is None or self._likes or not result.query.meaning:
            return
        logged = self._logged[2] if self._logged and self._logged[1] == result.query.text else None
        in_background(self, partial(self._remember_opened, tuple(hits), result.query.text, logged), "judging")

    async def _remember_opened(self, hits: Sequence[Hit], query: str, logged: int | None) -> None:
        library = self._library()
        if library is None or library.read_only:
            return
        try:
            for hit in hits:
                if self.carrel.config.memory:
                    await in_thread(partial(library.opened, query, hit.passage_id))
                if logged is not None:
                    await in_thread(partial(library.log_opened, logged, hit))
        except Exception:
            _log.exception("That a result was opened could not be kept")

    def log_answer(self, answer: Answered) -> None:
        """Write a finished search down once, where the person wants a log."""
        asked = answer.asked
        wanted = self.carrel.config.search_log and answer.finished and not asked.typing and answer.result.query.meaning
        if wanted and (self._logged is None or self._logged[0] != asked.turn):
            self._logged = (asked.turn, asked.text, 0)
            in_background(self, partial(self._write_down, answer), "judging")

    async def _write_down(self, answer: Answered) -> None:
        library = self._library()
        if library is None or library.read_only:
            return
        try:
            number = await in_thread(partial(library.log_search, answer.result))
        except Exception:
            _log.exception("A search could not be written down")
            return
        self._logged = (answer.asked.turn, answer.result.query.text, number)

    def _library(self) -> LibraryPort | None:
        return self.carrel.opened.library if self.carrel.opened is not None else None


def _said(grade: Grade, undone: bool, counts: bool) -> str:
    key = "+" if grade == RIGHT else "-"
    if undone:
        return "The mark is taken back."
    name, way = ("right", "higher") if grade == RIGHT else ("wrong", "lower")
    if not counts:
        return f"Marked {name} for this search. Memory is off, so it does not count yet; F5 turns it on."
    return f"Marked {name}: it ranks {way} for this search and the like. {key} again takes it back."
