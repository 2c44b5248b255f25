"""The parts of the search screen, each made once and given the widgets and the parts that it works on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol

from app.tui.browser import Browser
from app.tui.screens.search.chip_line import ChipLine
from app.tui.screens.search.explained_rows import ExplainedRows
from app.tui.screens.search.further_rows import FurtherRows
from app.tui.screens.search.implicit_feedback import ImplicitFeedback
from app.tui.screens.search.judgements import Judgements
from app.tui.screens.search.kept_searches import KeptSearches
from app.tui.screens.search.live_search import LiveSearch
from app.tui.screens.search.missed_document import MissedDocument
from app.tui.screens.search.opened_documents import OpenedDocuments
from app.tui.screens.search.proportions import Proportions
from app.tui.screens.search.query_filters import QueryFilters
from app.tui.screens.search.settings_trial import SettingsTrial
from app.tui.screens.search.shown_results import ResultWidgets, ShownResults
from app.tui.screens.search.similar_rows import SimilarRows

Arguments = ParamSpec("Arguments")


class SearchParts:
    """What the search screen is put together from, beside its widgets."""

    def __init__(self, browser: Browser, widgets: ResultWidgets, chips: ChipLine, *, tips: bool) -> None:
        """Make the parts; with `tips` an empty query line tells what can be done."""
        line, rows, pane = widgets.query_line, widgets.rows, widgets.pane
        self.pane = pane
        self.search = LiveSearch(line, browser.ports.pace, browser.ports.clock)
        self.filters = QueryFilters(browser, line, chips)
        self.kept = KeptSearches(browser, line)
        self.shown = ShownResults(browser, widgets, tips=tips)
        self.shown.walked = self.kept.remember
        self.proportions = Proportions(browser, widgets.body, rows, pane)
        self.trial = SettingsTrial(browser, rows, pane, self.shown)
        self.similar = SimilarRows(browser, rows, self.shown, self.trial)
        self.further = FurtherRows(browser, rows, self.shown, self.trial, self.search)
        self.missed = MissedDocument(browser, line, pane, self.shown, self.trial, self.similar, self.search)
        self.judgements = Judgements(browser, rows, self.shown, self.search)
        self.feedback = ImplicitFeedback(browser, rows)
        self.documents = OpenedDocuments(browser, rows, pane, self.shown, self.feedback)
        self.explained = ExplainedRows(browser, rows, pane, self.shown)


class HasParts(Protocol):
    """A screen that is put together from parts."""

    parts: SearchParts


def done_by(
    method: Callable[[SearchParts], Callable[Arguments, object]],
) -> Callable[Concatenate[HasParts, Arguments], None]:
    """Return an action of the screen that a method of one of its parts does."""

    def action(screen: HasParts, /, *values: Arguments.args, **named: Arguments.kwargs) -> None:
        method(screen.parts)(*values, **named)

    return action
