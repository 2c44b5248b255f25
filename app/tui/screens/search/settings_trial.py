"""What if: the rows as other settings would have ranked them, from the candidates that were found already."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from textual.widget import Widget

from app.tui.background import in_background
from app.tui.browser import Browser
from app.tui.screens.search.live_search import Answered
from app.tui.screens.search.pane import Pane
from app.tui.screens.search.results import ResultList
from app.tui.screens.search.row import is_listing
from app.tui.screens.search.shown_results import ShownResults
from app.tui.screens.search.whatif import WhatIf, moved_rows
from app.tui.threads import in_thread
from engine.records import DEFAULT_CONSTANTS, FusionConstants, SearchResult, SearchSettings

if TYPE_CHECKING:
    from app.tui.library_port import ExplorationPort

FIRST_ROWS = 30  # more than a screen shows; reading 100 rows takes three times as long


class SettingsTrial:
    """Ranks the rows anew by the settings that a person tries, until they are kept or their panel closes."""

    def __init__(self, browser: Browser, rows: ResultList, pane: Pane, shown: ShownResults) -> None:
        self._browser = browser
        self._rows = rows
        self._pane = pane
        self._shown = shown
        self.exploration: ExplorationPort | None = None  # of the last answer, once every leg has answered
        self._tried: SearchSettings | None = None  # other settings than the person's own
        self._before: SearchSettings | None = None  # the person's own before other ones were kept
        self._came_from: Widget | None = None  # what had the focus before the panel
        self._explained = False  # whether the explanation showed before the panel had the focus

    @property
    def own_settings(self) -> SearchSettings:
        """How the person wants to be searched for."""
        return self._browser.config.search_settings()

    @property
    def settings(self) -> SearchSettings:
        """What the rows on the screen are ranked by: the settings that are tried, else the person's own."""
        return self._tried or self.own_settings

    def takes(self, answer: Answered) -> bool:
        """Take note of an answer that is to be shown; true where other rows stay on the screen or come at once."""
        self._shown.answer = answer
        if answer.finished:
            self.exploration = answer.exploration
        if self._shown.heading is not None:
            return True
        self.tell_pane()
        if answer.finished and self._tried is not None and self.exploration is not None:
            self._rank_again()
            return True
        return False

    def tell_pane(self, ranked: SearchResult | None = None) -> None:
        """Tell the pane what an explanation is drawn from beside the row; `ranked` is by the settings tried."""
        exploration, answer = self.exploration, self._shown.answer
        own = answer.result if answer is not None and answer.finished else None
        self._pane.scale = exploration.scale if exploration is not None else None
        self._pane.own = own if self._tried is not None else None
        if answer is not None and not answer.finished:
            return  # the panel stays as it is until every leg has answered: to come and go would lay out the screen
        if exploration is None or own is None or self._shown.heading is not None or is_listing(own):
            self._pane.what_if.show(None)
            return
        ranked = ranked or own
        moved, kept = moved_rows(own, ranked), self._before is not None
        late, constants, fitted = bool(own.late), ranked.constants, self._fitted(own)
        self._pane.what_if.show(
            WhatIf(self.own_settings, self.settings, ranked.weights, moved, kept, late, constants, fitted)
        )

    def turn_to_panel(self) -> None:
        """Go to the panel, below the explanation; from there go back, with all as it was but for what is tried."""
        panel, pane = self._pane.what_if, self._pane
        if not panel.has_focus and self._rows.hit is not None:
            self._came_from, self._explained = panel.screen.focused, pane.explaining
            pane.explaining = True
            panel.focus()
        elif panel.has_focus:
            (self._came_from or self._rows).focus()
            pane.explaining = self._explained or self._tried is not None  # rows never stand by settings out of sight

    def _fitted(self, own: SearchResult) -> FusionConstants | None:
        """Return the constants that were fitted to the library, None where its searches go by the defaults."""
        constants = own.constants
        if self.own_settings.collapse is not None:  # a person's own, which was not fitted
            constants = replace(constants, collapse=DEFAULT_CONSTANTS.collapse)
        return constants if constants != DEFAULT_CONSTANTS else None

    def begin(self, settings: SearchSettings) -> None:
        """Show the rows that other settings would have given, without searching again."""
        self._tried = settings if settings != self.own_settings else None
        self._rank_again()

    def end(self) -> None:
        """Return to the person's own settings, so that rows never stand by settings out of sight."""
        if self._tried is not None:
            self.begin(self.own_settings)

    def keep(self, settings: SearchSettings) -> None:
        """Make settings the person's own; those of before are remembered until Carrel is left.

        Constants belong to the library, so that they are taken back there and not kept here.
        """
        before = self.own_settings
        if settings.constants is not None:
            settings = replace(settings, constants=None)
            said = "Fitted constants belong to the library and are tried only: `carrel rollback` takes them back."
            self._browser.notify(said, severity="warning", markup=False)
            if settings == before:
                return
        if self._make_own(settings):
            self._before = before
            said = "Kept: from now on every search ranks so. r in what if goes back, as f5 does."
            self._browser.notify(said, markup=False)
            self.tell_pane()

    def take_back(self) -> None:
        """Give the person the settings back that were theirs before other ones were kept."""
        if self._before is not None and self._make_own(self._before):
            self._before = None
            self._browser.notify("As before: searches rank by the settings that were yours.", markup=False)
            self.tell_pane()

    def _make_own(self, settings: SearchSettings) -> bool:
        kept = self._browser.change_config(
            fusion=settings.fusion,
            weights=settings.weights,
            feedback=settings.feedback,
            collapse=settings.collapse,
            diversity=settings.diversity,
            cutoff=settings.cutoff,
            memory=settings.memory,
            late=settings.late,
        )
        if kept:
            self._tried = None
        return kept

    def go_on(self) -> None:
        """Rank the rows by the settings that are tried, where they stand by the person's own again."""
        if self._tried is not None:
            self._rank_again()

    def _rank_again(self) -> None:
        failed = "These settings could not be tried"
        in_background(self._rows, self._ranked_again, "what-if", exclusive=True, failed=failed)

    async def _ranked_again(self) -> None:
        """Rank the candidates in a thread and show them: the first rows at once, all of them after that."""
        exploration, answer = self.exploration, self._shown.answer
        if exploration is None or answer is None:
            return
        if self._tried is None:
            if self._shown.heading is None:  # else another list lies over the rows, and gives way to them
                self._show(answer.result)
            return
        limit, chosen = answer.asked.limit, self._rows.hit
        if limit > FIRST_ROWS:
            first = await in_thread(partial(exploration.again, self._tried, FIRST_ROWS))
            stays = chosen is None or any(hit.passage_id == chosen.passage_id for hit in first.hits)
            if stays and self._is_asked_for(exploration):
                self._shown.show(first, stay=True)
        result = await in_thread(partial(exploration.again, self._tried, limit))
        if self._is_asked_for(exploration):
            self._show(result)

    def _is_asked_for(self, exploration: ExplorationPort) -> bool:
        """Whether rows from these candidates still answer what stands in the query line, with no list laid over."""
        return exploration is self.exploration and self._shown.heading is None

    def _show(self, result: SearchResult) -> None:
        self.tell_pane(result)
        self._shown.show(result, stay=True)
        self._shown.select_wanted()
