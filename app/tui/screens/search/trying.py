"""What if: the rows as other settings would have ranked them, from the candidates that were found already."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from textual import on

from app.tui.background import in_background
from app.tui.ports import ExplorationPort
from app.tui.screens.carrel_screen import CarrelScreen
from app.tui.screens.search.arrangement import Arrangement
from app.tui.screens.search.live_search import Answered, Searching
from app.tui.screens.search.pane import Pane
from app.tui.screens.search.query_line import QueryLine
from app.tui.screens.search.results import ResultList
from app.tui.screens.search.row import is_listing
from app.tui.screens.search.whatif import WhatIf, moved_rows
from app.tui.screens.search.whatif_panel import WhatIfPanel
from app.tui.threads import in_thread
from app.tui.widgets.built_line import BuiltLine
from engine.records import SearchResult, SearchSettings

FIRST_ROWS = 30  # more than a screen shows; reading 100 rows takes three times as long


@dataclass(frozen=True, slots=True)
class Like:
    """A list of passages like one, and the title of that one."""

    title: str
    result: SearchResult


class TryingActions(CarrelScreen):
    """The part of the search screen that ranks the rows anew by other settings."""

    reading: BuiltLine
    rows: ResultList
    pane: Pane
    query_line: QueryLine
    arrangement: Arrangement
    _searching: Searching | None

    def __init__(self) -> None:
        super().__init__()
        self._exploration: ExplorationPort | None = None  # of the answer on the screen, once every leg has answered
        self._answer: Answered | None = None  # the last one that was shown
        self._tried: SearchSettings | None = None  # other settings than the person's own
        self._likes: list[Like] = []  # lists of more like this, the last one on the screen
        self._wanted: bytes | None = None  # a document to be selected once it is among the rows

    def show_result(self, result: SearchResult, *, finished: bool, stay: bool) -> None:
        """Show the rows of a result."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Forget what was tried when its panel closes."""
        self.watch(self.pane, "explaining", self._explaining_changed, init=False)

    @property
    def own_settings(self) -> SearchSettings:
        """How the person wants to be searched for."""
        return self.carrel.config.search_settings()

    @property
    def shown_settings(self) -> SearchSettings:
        """What the rows on the screen are ranked by: the settings that are tried, else the person's own."""
        return self._tried or self.own_settings

    # --- what the upper half tells ------------------------------------------------------------------------------

    def asked(self) -> None:
        """Take note that the query has changed: lists like a passage are left, and no document is waited for."""
        self._likes.clear()
        self._exploration = None

    def takes(self, answer: Answered) -> bool:
        """Take note of an answer that is to be shown; true where other rows stay on the screen or come at once."""
        self._answer = answer
        if answer.finished:
            self._exploration = answer.exploration
        if self._likes:
            return True
        self._tell_pane()
        if answer.finished and self._tried is not None and self._exploration is not None:
            self._rank_again()
            return True
        return False

    def rows_shown(self) -> None:
        """Select the document that was to be brought back, where it is among the rows now."""
        if self._wanted is None:
            return
        place = next((place for place, hit in enumerate(self.rows.hits) if hit.path == self._wanted), None)
        if place is not None:
            self._wanted = None
            self.rows.choose(place)

    # --- what if ------------------------------------------------------------------------------------------------

    def _tell_pane(self, shown: SearchResult | None = None) -> None:
        """Tell the pane what an explanation is drawn from beside the row."""
        exploration, answer = self._exploration, self._answer
        own = answer.result if answer is not None and answer.finished else None
        self.pane.scale = exploration.scale if exploration is not None else None
        self.pane.own = own if self._tried is not None else None
        if exploration is None or own is None or self._likes or is_listing(own):
            self.pane.what_if.show(None)
            return
        shown = shown or own
        tried = self.shown_settings
        self.pane.what_if.show(WhatIf(self.own_settings, tried, shown.weights, moved_rows(own, shown)))

    @on(WhatIfPanel.Changed)
    def _what_if_changed(self, message: WhatIfPanel.Changed) -> None:
        self.try_settings(message.settings)

    def try_settings(self, settings: SearchSettings) -> None:
        """Show the rows that other settings would have given, without searching again."""
        self._tried = settings if settings != self.own_settings else None
        self._rank_again()

    def _rank_again(self) -> None:
        in_background(self, self._ranked_again, "what-if", exclusive=True, failed="These settings could not be tried")

    async def _ranked_again(self) -> None:
        """Rank the candidates in a thread and show them: the first rows at once, all of them after that."""
        exploration, answer = self._exploration, self._answer
        if exploration is None or answer is None:
            return
        if self._tried is None:
            self._show_tried(answer.result)
            return
        limit, chosen = answer.asked.limit, self.rows.hit
        if limit > FIRST_ROWS:
            first = await in_thread(partial(exploration.again, self._tried, FIRST_ROWS))
            if chosen is None or any(hit.passage_id == chosen.passage_id for hit in first.hits):
                self.show_result(first, finished=True, stay=True)
        result = await in_thread(partial(exploration.again, self._tried, limit))
        if exploration is self._exploration and not self._likes:
            self._show_tried(result)

    def _show_tried(self, result: SearchResult) -> None:
        self._tell_pane(result)
        self.show_result(result, finished=True, stay=True)
        self.rows_shown()

    def _explaining_changed(self, explaining: bool) -> None:
        """Forget what was tried with the panel that shows it, so that rows never stand by settings out of sight."""
        if not explaining and self._tried is not None:
            self.try_settings(self.own_settings)

    def action_what_if(self) -> None:
        """Go to the panel of what if, which stands below the explanation."""
        if self.rows.hit is not None:
            self.pane.explaining = True
            self.pane.what_if.focus()

    @on(WhatIfPanel.Kept)
    def _kept(self, message: WhatIfPanel.Kept) -> None:
        self._keep(message.settings)

    def action_keep_what_if(self) -> None:
        """Make what is tried the person's own settings."""
        self.pane.what_if.keep()

    def action_reset_what_if(self) -> None:
        """Return to the person's own settings."""
        self.pane.what_if.reset()

    def _keep(self, settings: SearchSettings) -> None:
        kept = self.carrel.change_config(
            fusion=settings.fusion,
            weights=settings.weights,
            feedback=settings.feedback,
            collapse=settings.collapse,
            diversity=settings.diversity,
            cutoff=settings.cutoff,
            memory=settings.memory,
        )
        if kept:
            self._tried = None
            self.notify("Kept: from now on every search ranks so. f5 changes it again.", markup=False)
            self._tell_pane()
