"""What a person does to find: filters, chips, searches of before, and the order and folding of the rows."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from textual import on

from app.tui.actions import Action
from app.tui.background import in_background
from app.tui.screens.carrel_screen import CarrelScreen
from app.tui.screens.search.arrangement import STEP_ROWS, Arrangement
from app.tui.screens.search.chip_line import ChipLine
from app.tui.screens.search.filter_picker import Filtering
from app.tui.screens.search.query_text import chips, without
from app.tui.screens.search.results import ResultList
from app.tui.screens.search.search_pickers import Recalling
from app.tui.threads import in_thread
from app.wording.figures import count, counted
from engine.records import Hit, SearchResult, SearchSettings

if TYPE_CHECKING:
    from app.tui.screens.search.live_search import Searching
    from app.tui.screens.search.query_line import QueryLine

_log = logging.getLogger("carrel")

FINDING_ACTIONS = (
    Action("search.filters", "ctrl+f", "filters", "filter", "Filter: folder, type, tag, title, date",
           "Pick a filter from what is here: folder, type, tag, title, date."),
    Action("search.drop_filter", "ctrl+z,backspace", "drop_filter", "", "Take the last filter away",
           "Take away the last filter, exclusion or phrase; in the results backspace does it too.", footer=False),
    Action("search.sort", "ctrl+s,s", "sort", "sort", "Sort by relevance, date or name",
           "Sort the rows by relevance, by date, by name.", where="rows"),
    Action("search.unfold", "ctrl+g,g", "unfold", "unfold", "Show or hide the further passages of this note",
           "Show the further passages of the selected note below it, or fold them away.", where="rows"),
    Action("search.more", "ctrl+down,full_stop", "more", "", "Show more rows", "Show the next hundred rows.",
           footer=False),
    Action("search.history", "ctrl+r", "history", "history", "Searched before",
           "Pick a search of before.", late=True),
    Action("search.saved", "f6", "saved", "saved", "Saved searches: run, keep, drop",
           "Saved searches: run one, keep the present one under a name, drop one.", late=True),
)  # fmt: skip


class FindingActions(CarrelScreen):
    """The part of the search screen that helps to ask, and lays out what was found."""

    query_line: QueryLine
    rows: ResultList
    _searching: Searching | None
    _result: SearchResult | None

    def __init__(self) -> None:
        super().__init__()
        self.arrangement = Arrangement()

    def begin_finding(self) -> None:
        """Make what needs the widgets and the app; called once they are there."""
        self._filtering = Filtering(self, self.query_line)
        self._recalling = Recalling(self.carrel, self.search_for)
        self.query_line.completions.titles = self._titles
        self.query_line.completions.values = self._filtering.values

    def library_changed(self) -> None:
        """Take note that other filters may have become possible."""
        self._filtering.forget(self.carrel.opened)

    async def _titles(self, fragment: str) -> list[str]:
        """Return titles that hold what was typed, for the completion."""
        if self.carrel.opened is None:
            return []
        try:
            named = partial(self.carrel.opened.library.documents_named, fragment, 20)
            return [document.title for document in await in_thread(named)]
        except Exception:
            _log.exception("Titles could not be read")
            return []

    def search_for(self, text: str) -> None:
        """Put a query into the line, where it is searched at once."""
        self.query_line.write(text)
        self.query_line.focus()

    def remember_query(self) -> None:
        """Keep the present query in the history: what was looked at was worth asking."""
        self._recalling.remember(self.query_line.value)

    def show_chips(self) -> None:
        """Show what the query line restricts."""
        self.query_one(ChipLine).show(chips(self.query_line.value))

    def ranked_by(self) -> SearchSettings:
        """Return what the rows on the screen are ranked by; the search screen knows."""
        raise NotImplementedError

    def show_again(self, *, stay: bool = True) -> None:
        """Show the rows anew; the search screen knows how."""
        raise NotImplementedError

    @on(ChipLine.Removed)
    def _chip_clicked(self, message: ChipLine.Removed) -> None:
        self.query_line.write(without(self.query_line.value, message.chip))

    # --- actions ------------------------------------------------------------------------------------------------

    def action_filters(self) -> None:
        """Pick a filter."""
        in_background(self, self._pick_filter, "filters", exclusive=True)

    async def _pick_filter(self) -> None:
        self._filtering.pick(await self._filtering.values(), self.carrel.ports.clock())

    def action_drop_filter(self) -> None:
        """Take the last filter away."""
        there = chips(self.query_line.value)
        if there:
            self.query_line.write(without(self.query_line.value, there[-1]))

    def action_history(self) -> None:
        """Pick a search of before."""
        self._recalling.pick_earlier(self.query_line.value)

    def action_saved(self) -> None:
        """Pick, keep or drop a saved search."""
        self._recalling.pick_saved(self.query_line.value)

    def action_sort(self) -> None:
        """Go on to the next order of the rows."""
        self.arrangement.turn()
        self.show_again(stay=False)

    def action_more(self) -> None:
        """Ask for the next rows."""
        result = self._result
        if result is None or self._searching is None:
            return
        if len(result.hits) < self.arrangement.limit:
            if not any(worker.group == "again" and worker.is_running for worker in self.workers):
                self.notify(f"All {counted(len(result.hits), 'row')} are shown.", timeout=3, markup=False)
            return
        self.arrangement.limit += STEP_ROWS
        self._searching.ask_more(self.arrangement.limit)

    @on(ResultList.MoreWanted)
    def _more_wanted(self) -> None:
        self.action_more()

    @on(ResultList.Unfolded)
    def _unfold_clicked(self) -> None:
        self.action_unfold()

    def action_unfold(self) -> None:
        """Show the further passages of the selected note, or fold them away."""
        hit, result = self.rows.hit, self._result
        if hit is None or result is None:
            return
        if hit.document_id in self.arrangement.further:
            del self.arrangement.further[hit.document_id]
            place = next((place for place, each in enumerate(result.hits) if each.document_id == hit.document_id), 0)
            self.rows.select_passage(result.hits[place].passage_id)
            self.show_again()
        elif hit.more_in_document:
            work = partial(self._unfold, result, hit)
            in_background(self, work, "unfold", exclusive=True, failed="These passages could not be found")
        else:
            self.notify("This is the only passage of the note that was found.", timeout=3, markup=False)

    async def _unfold(self, result: SearchResult, hit: Hit) -> None:
        """Find the further passages with their own figures and show them below their note."""
        if self._searching is None:
            return
        further = await self._searching.further(result, hit, self.ranked_by())
        if self._result is not None and self._result.query == result.query:
            self.arrangement.further[hit.document_id] = further
            self.show_again()

    def more_there_is(self, result: SearchResult) -> str:
        """Return what stands after the last row: how many of those found are shown, and how to see more."""
        if len(result.hits) < self.arrangement.limit or result.found <= len(result.hits):
            return ""
        return f"{count(len(result.hits))} of {count(result.found)} shown   ctrl+↓ or . shows more"
