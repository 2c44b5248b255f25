"""What is told of a row beyond the pane: its explanation on the clipboard, and the row beside another one."""

from __future__ import annotations

from collections.abc import Sequence

from app.tui.browser import Browser
from app.tui.clipboard import copy
from app.tui.screens.search.explanation.renderings import as_json, as_text
from app.tui.screens.search.explanation.subject import Explained
from app.tui.screens.search.pane import Pane
from app.tui.screens.search.results import ResultList
from app.tui.screens.search.shown_results import ShownResults
from engine.records import Hit


class ExplainedRows:
    """Copies the explanation of the selected row, and compares that row with another."""

    def __init__(self, browser: Browser, rows: ResultList, pane: Pane, shown: ShownResults) -> None:
        self._browser = browser
        self._rows = rows
        self._pane = pane
        self._shown = shown

    def copy(self, shape: str) -> None:
        """Copy the explanation of the selected row, as text or as JSON."""
        hit, result = self._rows.hit, self._pane.result
        if hit is None or result is None:
            self._browser.notify("There is no row to explain yet.", markup=False)
            return
        explained = Explained(hit, result, self._pane.scale, nearest=self._pane.nearest_of(hit))
        if shape == "json":
            copy(self._rows.app, as_json(explained), "the explanation as JSON")
        else:
            copy(self._rows.app, as_text(explained), "the explanation as text")

    def compare(self) -> None:
        """Compare the selected row with the marked one, else with the row above it, or for the first the next.

        Where a row stands alone that is the first of those which are folded away; they stay so.
        """
        from app.tui.screens.search.compare.compared_figures import Pair, ordered  # not needed before the first paint
        from app.tui.screens.search.compare.screen import CompareScreen

        opened, hit, result = self._browser.opened, self._rows.hit, self._pane.result
        rows = (*self._rows.hits, *self._shown.folded_away)
        if opened is None or hit is None or result is None or len(rows) < 2:
            self._browser.notify("Two results are needed to compare them.", markup=False)
            return
        first, second = ordered(hit, self._beside(hit, rows))
        scale = self._pane.scale
        pair = Pair(Explained(first, result, scale), Explained(second, result, scale))
        self._browser.push_screen(CompareScreen(opened.library, pair))

    def _beside(self, hit: Hit, rows: Sequence[Hit]) -> Hit:
        marked = [each for each in rows if each.passage_id in self._rows.marked and each is not hit]
        if marked:
            return marked[-1]
        return rows[self._rows.selected - 1 if self._rows.selected else 1]
