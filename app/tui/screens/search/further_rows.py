"""Rows that come on demand: the next hundred of a result, and the further passages of one note."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from app.tui.background import in_background
from app.tui.browser import Browser
from app.tui.screens.search.arrangement import STEP_ROWS
from app.tui.screens.search.live_search import LiveSearch
from app.tui.screens.search.results import ResultList
from app.tui.screens.search.settings_trial import SettingsTrial
from app.tui.screens.search.shown_results import ShownResults
from engine.figures import counted
from engine.records import Hit, SearchResult


class FurtherRows:
    """Asks for more rows than are shown."""

    def __init__(
        self, browser: Browser, rows: ResultList, shown: ShownResults, trial: SettingsTrial, search: LiveSearch
    ) -> None:
        self._browser = browser
        self._rows = rows
        self._shown = shown
        self._trial = trial
        self._search = search
        self._sought: int | None = None  # the document whose further passages were looked for last

    def move(self, rows: int) -> None:
        """Select the row so many further down; below the last one the next rows are asked for."""
        at_the_end = rows > 0 and self._rows.selected == len(self._rows.hits) - 1
        if at_the_end and self._shown.more_there_is:
            self.ask()
        self._shown.choose(self._rows.selected + rows)

    def ask(self) -> None:
        """Ask for the next rows."""
        result, arrangement = self._shown.result, self._shown.arrangement
        if result is None or self._shown.show_weak():
            return
        if len(result.hits) < arrangement.limit:
            if not self._search.repeating:
                self._browser.notify(f"All {counted(len(result.hits), 'row')} are shown.", timeout=3, markup=False)
            return
        arrangement.limit += STEP_ROWS
        self._search.ask_more(arrangement.limit)

    def unfold(self, unfolded: bool | None = None) -> None:
        """Show the further passages of the selected note, or fold them away; without a wish whichever it is not."""
        hit, result, further = self._rows.hit, self._shown.result, self._shown.arrangement.further
        if hit is None or result is None:
            return
        on_the_way = self._seeks(hit)
        if unfolded is (on_the_way or hit.document_id in further):
            return
        if on_the_way:
            self._sought = None
            self._rows.workers.cancel_group(self._rows, "unfold")
        elif hit.document_id in further:
            del further[hit.document_id]
            place = next((place for place, each in enumerate(result.hits) if each.document_id == hit.document_id), 0)
            self._rows.select_passage(result.hits[place].passage_id)
            self._shown.show_again()
        elif hit.more_in_document:
            self._sought = hit.document_id
            work = partial(self._unfold, result, hit)
            in_background(self._rows, work, "unfold", exclusive=True, failed="These passages could not be found")
        else:
            said = "This is the only passage of the note that was found."
            self._browser.notify(said, timeout=3, markup=False)

    def _seeks(self, hit: Hit) -> bool:
        """Whether the further passages of a row's note are being looked for."""
        running = (worker for worker in self._rows.workers if worker.group == "unfold" and not worker.is_finished)
        return self._sought == hit.document_id and any(running)

    async def _unfold(self, result: SearchResult, hit: Hit) -> None:
        """Find the further passages with their own figures and show them below their note."""
        settings = self._trial.settings
        found = await self._search.further(result, (hit,), settings)
        now = self._shown.result
        if now is not None and now.query == result.query and self._trial.settings == settings:
            self._shown.arrangement.further |= found
            self._shown.show_again()

    def look_again(self) -> None:
        """Find what stands unfolded anew: the passages of a note that was edited stand on other lines."""
        result, further = self._shown.result, self._shown.arrangement.further
        rows = [hit for hit in result.hits if hit.document_id in further] if result is not None and further else []
        if result is not None and rows:
            work = partial(self._find_again, result, rows)
            in_background(self._rows, work, "unfolded", exclusive=True, failed="These passages could not be found")

    async def _find_again(self, result: SearchResult, rows: Sequence[Hit]) -> None:
        settings, further = self._trial.settings, self._shown.arrangement.further
        found = await self._search.further(result, rows, settings)
        if self._shown.result is result and self._trial.settings == settings:
            further.update((document, passages) for document, passages in found.items() if document in further)
            self._shown.show_again()
