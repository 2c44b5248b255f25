"""A document that a person misses in the list: asked for, followed through the search, and brought back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.tui.browser import Browser
from app.tui.screens.closing_keys import closed_again
from app.tui.screens.search.actions import WHY_NOT
from app.tui.screens.search.live_search import LiveSearch
from app.tui.screens.search.pane import Pane
from app.tui.screens.search.query_line import QueryLine
from app.tui.screens.search.settings_trial import SettingsTrial
from app.tui.screens.search.shown_results import ShownResults
from app.tui.screens.search.similar_rows import SimilarRows

if TYPE_CHECKING:
    from app.tui.screens.search.why_not.screen import Pursuit


class MissedDocument:
    """Opens "why not", and tries what was chosen there."""

    def __init__(
        self,
        browser: Browser,
        query_line: QueryLine,
        pane: Pane,
        shown: ShownResults,
        trial: SettingsTrial,
        similar: SimilarRows,
        search: LiveSearch,
    ) -> None:
        self._browser = browser
        self._query_line = query_line
        self._pane = pane
        self._shown = shown
        self._trial = trial
        self._similar = similar
        self._search = search

    def ask(self) -> None:
        """Ask which note is missed, and follow it through the search."""
        from app.tui.screens.search.why_not.screen import WhyNotScreen  # not needed before the first paint

        opened = self._browser.opened
        if opened is None:
            return
        text, limit = self._query_line.value.strip(), self._shown.arrangement.limit
        blink = self._browser.ports.pace.blink
        screen = WhyNotScreen(opened.library, text, self._trial.settings, limit, blink)
        self._browser.push_screen(closed_again(screen, WHY_NOT), self._pursue)

    def _pursue(self, pursuit: Pursuit | None) -> None:
        """Try what would bring a document back, and select it once it is there."""
        if pursuit is None:
            return
        remedy = pursuit.remedy
        if remedy.text is not None:
            self._query_line.write(remedy.text)
        self._shown.want(pursuit.path)
        if remedy.settings is not None:
            self._similar.leave()
            self._pane.explaining = True
            self._trial.begin(remedy.settings)
        elif remedy.limit is not None:
            self._similar.leave()
            self._shown.select_wanted()
            if self._shown.wanted is not None:
                arrangement = self._shown.arrangement
                arrangement.limit = max(arrangement.limit, remedy.limit)
                self._search.ask_more(arrangement.limit)
