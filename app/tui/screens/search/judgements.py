"""What a person tells Carrel of the rows, marked right or wrong. Each is one small write; searching never waits."""

from __future__ import annotations

from functools import partial

from app.tui.background import in_background
from app.tui.browser import Browser
from app.tui.screens.search.live_search import LiveSearch
from app.tui.screens.search.results import ResultList
from app.tui.screens.search.shown_results import ShownResults
from app.tui.threads import in_thread
from engine.records import Grade, Hit

RIGHT: Grade = 2


class Judgements:
    """Keeps the marks of the selected row, and searches again so that they count at once."""

    def __init__(self, browser: Browser, rows: ResultList, shown: ShownResults, search: LiveSearch) -> None:
        self._browser = browser
        self._rows = rows
        self._shown = shown
        self._search = search

    def mark(self, grade: Grade) -> None:
        """Mark the selected row, or take that mark back."""
        hit, query = self._rows.hit, self._shown.question
        if hit is None or query is None:
            said = "Search for words first: a mark says that a row answers a search."
            self._browser.notify(said, timeout=4, markup=False)
            return
        in_background(self._rows, partial(self._keep, hit, query, grade), "judging")

    async def _keep(self, hit: Hit, query: str, grade: Grade) -> None:
        if self._browser.opened is None:
            return
        library = self._browser.opened.library
        undone = hit.judged == grade
        if undone:
            await in_thread(partial(library.unmark, query, hit.passage_id))
        else:
            await in_thread(partial(library.mark, query, hit.passage_id, grade))
        self._browser.notify(_said(grade, undone, self._browser.config.memory), timeout=4, markup=False)
        self._search.ask_again()


def _said(grade: Grade, undone: bool, counts: bool) -> str:
    key = "+" if grade == RIGHT else "-"
    if undone:
        return "The mark is taken back."
    name, way = ("right", "higher") if grade == RIGHT else ("wrong", "lower")
    if not counts:
        return f"Marked {name} for this search. Memory is off, so it does not count yet; F5 turns it on."
    return f"Marked {name}: it ranks {way} for this search and the like. {key} again takes it back."
