"""The search screen: puts the widgets together, and decides what they show as answers and events come in."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.getters import query_one

from app.tui.actions import Where, bindings
from app.tui.ports import Opened
from app.tui.screens.search import empty_states
from app.tui.screens.search.actions import SEARCH_ACTIONS, WHAT_IF_ACTIONS
from app.tui.screens.search.chip_line import ChipLine
from app.tui.screens.search.documents import DOCUMENT_ACTIONS, DocumentActions
from app.tui.screens.search.exploring import ExploringScreen
from app.tui.screens.search.finding import FINDING_ACTIONS, FindingActions
from app.tui.screens.search.help_pages import SEARCH_PAGES
from app.tui.screens.search.judging import JUDGING_ACTIONS, JudgingActions
from app.tui.screens.search.live_search import Answered, Asked, Refused, Searching
from app.tui.screens.search.pane import Pane
from app.tui.screens.search.query_line import QueryLine
from app.tui.screens.search.query_reading import error_line, reading_line
from app.tui.screens.search.results import Foreword, ResultList
from app.tui.screens.search.row import context_of
from app.tui.status_line import StatusView, status_line
from app.tui.theme import ACCENT, ALARM, QUIET
from app.tui.widgets.built_line import BuiltLine
from app.tui.widgets.footer import KeyLine
from app.wording.safe_text import one_line
from engine.config import Config
from engine.errors import CarrelError, QueryError
from engine.records import SearchResult, SearchSettings

NARROW_COLUMNS = 100  # below it a row and a preview do not both fit beside each other


class SearchScreen(FindingActions, JudgingActions, DocumentActions, ExploringScreen):
    """A query line, what came of it, and a pane that shows or explains the selected row."""

    ACTIONS = (*WHAT_IF_ACTIONS, *SEARCH_ACTIONS, *FINDING_ACTIONS, *DOCUMENT_ACTIONS, *JUDGING_ACTIONS)
    BINDINGS = bindings((*SEARCH_ACTIONS, *FINDING_ACTIONS, *DOCUMENT_ACTIONS, *JUDGING_ACTIONS))
    HELP_PAGES = SEARCH_PAGES
    CSS_PATH = "search.tcss"
    AUTO_FOCUS = "QueryLine"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (NARROW_COLUMNS, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-high")]

    status_bar = query_one("#status", BuiltLine)
    query_line = query_one(QueryLine)
    reading = query_one("#reading", BuiltLine)
    rows = query_one("#rows", ResultList)
    pane = query_one(Pane)

    def __init__(self) -> None:
        super().__init__()
        self._searching: Searching | None = None
        self._turn = 0
        self._finished_turn = -1
        self._result: SearchResult | None = None
        self._finished = False  # whether the result is more than what the words alone found
        self._moved = False  # whether the person chose a row since the query last changed
        self._start_page = ("", "")
        self._failure: CarrelError | None = None

    def compose(self) -> ComposeResult:
        """Lay out the widgets from top to bottom."""
        yield BuiltLine(id="status")
        with Horizontal(id="query-row"):
            yield BuiltLine(id="query-bar")
            yield QueryLine(id="query", blink=self.carrel.ports.pace.blink)
        with Horizontal(id="understood"):
            yield ChipLine(id="chips")
            yield BuiltLine(id="reading")
        with Horizontal(id="body"):
            yield ResultList(id="rows")
            yield Pane(id="pane")
        yield KeyLine(id="keys")

    def on_mount(self) -> None:
        """Show the beginning and listen to what the app hears."""
        self.query_one("#query-bar", BuiltLine).show(lambda width: Content.styled("┃", ACCENT))
        self.begin_finding()
        self.carrel.opened_signal.subscribe(self, self._library_opened)
        self.carrel.config_signal.subscribe(self, self._config_changed)
        self.carrel.failed_signal.subscribe(self, self._library_failed)
        self.carrel.status_signal.subscribe(self, self._status_changed)
        self.carrel.commit_signal.subscribe(self, self._library_changed)
        self._status_changed(self.carrel.view)

    def where(self) -> Where:
        """Return whether the keys go to the rows, to the panel of what if, or to the query line."""
        if self.pane.what_if.has_focus:
            return "panel"
        return "rows" if self.rows.has_focus else "query"

    # --- what the app hears -------------------------------------------------------------------------------------

    def _library_opened(self, opened: Opened) -> None:
        self._searching = Searching(self, opened, self.carrel.ports.pace, self.carrel.config.search_settings())
        self.library_changed()
        self._ask()

    def _library_failed(self, error: CarrelError) -> None:
        self._failure = error
        self._show()

    def _status_changed(self, view: StatusView) -> None:
        self.status_bar.show(partial(status_line, view))
        page = (empty_states.headline(view.status, view.indexer), empty_states.advice(view.status, view.indexer))
        if page != self._start_page:  # progress alone does not change the page
            self._start_page = page
            self._show()

    def _library_changed(self, _version: int) -> None:
        self.library_changed()
        if self._searching:
            self._searching.ask_again()

    def _config_changed(self, config: Config) -> None:
        """Search by other settings from now on."""
        self.query_one(KeyLine).refresh()
        if self._searching and self._searching.settings != config.search_settings():
            self._searching.settings = config.search_settings()
            self._searching.ask_again()

    # --- searching ----------------------------------------------------------------------------------------------

    @on(QueryLine.Changed)
    def _query_changed(self) -> None:
        self._ask()

    @on(QueryLine.Submitted)
    def _query_submitted(self) -> None:
        if self.carrel.view.status is not None and not self.carrel.roots and not self.carrel.view.read_only:
            self.carrel.ask_for_folder()
            return
        self.remember_query()
        self.action_open()

    def _ask(self) -> None:
        """Ask what stands in the query line; where nothing does, for the documents that changed last."""
        self._turn += 1
        self._moved = False
        self.carrel.ports.typed()
        self.asked()
        self.arrangement.begin_anew()
        self.show_chips()
        if not self.query_line.value.strip():
            self._result = None
            self.reading.show(_blank)
            self._show()
        if self._searching:
            self._searching.ask(Asked(self._turn, self.query_line.value, self.query_line.unfinished))

    @on(Answered)
    def _answered(self, message: Answered) -> None:
        """Show an answer to the newest question, unless a fuller one is on the screen already."""
        asked, result = message.asked, message.result
        repeated = self._finished_turn == self._turn
        if asked.turn != self._turn or (not message.finished and repeated):
            return
        if message.finished:
            self._finished_turn = self._turn
            self.log_answer(message)
        if message.finished or result.hits:  # words alone that found nothing do not clear the list
            if self.takes(message):
                return
            self._result, self._finished = result, message.finished
            looked_on = repeated and bool(asked.text.strip()) and self.rows.scroll_offset.y > 0
            self._show(stay=self._moved or looked_on)  # who has not moved looks at the best row, also a better one
            self.rows_shown()
        if asked.text.strip():
            self._show_reading()

    def _show_reading(self) -> None:
        """Say how the query was read, by the result on the screen."""
        result, order = self._result, self.arrangement.order
        like = self.like_reading()
        if like is not None:
            self.reading.show(like)
        elif not self.query_line.value.strip() and order == "relevance":
            self.reading.show(_blank)
        elif result is not None:
            self.reading.show(partial(reading_line, result, finished=self._finished, order=order))

    @on(Refused)
    def _refused(self, message: Refused) -> None:
        """Say what is wrong under the query line; the rows stay."""
        if message.asked.turn != self._turn:
            return
        error = message.error
        self.query_one(ChipLine).show(())  # what is wrong is pointed at by its column
        if isinstance(error, QueryError):
            self.reading.show(lambda width: error_line(error, message.asked.text, width))
        else:
            self.reading.show(lambda width: Content.styled(one_line(str(error)), ALARM).truncate(width, ellipsis=True))

    # --- showing ------------------------------------------------------------------------------------------------

    def show_result(self, result: SearchResult, *, finished: bool, stay: bool) -> None:
        """Show the rows of a result."""
        self._result, self._finished = result, finished
        self._show(stay)
        self._show_reading()

    def _show(self, stay: bool = True) -> None:
        """Show the rows of the present result, or what stands in their place; `stay` as ResultList.show has it."""
        result = self._result
        empty = result is None or not result.hits
        self.set_class(empty, "-empty")
        if result is None or empty:
            self.rows.show((), None, self._foreword())
            return
        context = context_of(result, self.carrel.roots, self.carrel.ports.clock(), self._finished)
        self.pane.result = result
        hits, further = self.arrangement.rows(result.hits)
        more = Content.styled(self.more_there_is(result), QUIET)
        self.rows.show(hits, replace(context, further=further), self._foreword(), afterword=more, stay=stay)

    def ranked_by(self) -> SearchSettings:
        """Return the settings that are tried, else the person's own."""
        return self.shown_settings

    def show_again(self, *, stay: bool = True) -> None:
        """Show the rows anew, in the order and with the notes unfolded that the person wants."""
        self._show(stay)
        if self.query_line.value.strip() or self.arrangement.order != "relevance":
            self._show_reading()

    def _foreword(self) -> Foreword | None:
        """Return what stands above the rows, or alone."""
        result, view = self._result, self.carrel.view
        if self._likes:
            return None
        if self._failure is not None:
            return partial(empty_states.error_lines, self._failure)
        if not self.query_line.value.strip():
            page = empty_states.recent_lines if result and result.hits else empty_states.start_lines
            return partial(page, view.status, view.indexer)
        if result is not None and not result.hits:
            return partial(empty_states.nothing_lines, view.status, view.indexer, bool(result.query.filters))
        if result and self._finished and self._without_model(result):
            return partial(empty_states.words_alone_lines, result.weights.reason)
        return empty_states.nearest_lines if result and self._finished and result.verdict == "none" else None

    def _without_model(self, result: SearchResult) -> bool:
        """Whether the words alone were searched though the person wants meaning, for a reason that does not pass."""
        wanted = self.carrel.config.fusion != "keyword" and result.fusion == "keyword"
        reason = result.weights.reason
        return wanted and reason.startswith("by words alone: ") and not reason.endswith("nothing is indexed yet")

    @on(ResultList.Selected)
    def _selected(self, message: ResultList.Selected) -> None:
        self.pane.show_hit(message.hit, self._result)

    @on(ResultList.Opened)
    def _opened(self) -> None:
        self.action_open()

    def on_descendant_focus(self) -> None:
        """Show the keys of the part that has the focus now."""
        self.query_one(KeyLine).refresh()

    # --- actions ------------------------------------------------------------------------------------------------

    def action_move(self, rows: int) -> None:
        """Select the row so many further down; below the last one the next rows are asked for."""
        at_the_end = rows > 0 and self.rows.selected == len(self.rows.hits) - 1
        if at_the_end and self._result and self.more_there_is(self._result):
            self.action_more()
        self._choose(self.rows.selected + rows)

    def action_page(self, pages: int) -> None:
        """Select the row so many screens further down."""
        self._choose(self.rows.selected + pages * self.rows.page)

    def action_edge(self, last: bool) -> None:
        """Select the first row, or the last."""
        self._choose(len(self.rows.hits) - 1 if last else 0)

    def _choose(self, place: int) -> None:
        self._moved = True
        self.rows.choose(place)

    def action_scroll_pane(self, lines: int) -> None:
        """Scroll the pane beside the rows."""
        self.pane.scroll_lines(lines)

    def action_swap_focus(self) -> None:
        """Take the value that is offered for a filter; else go from the query line to the rows, or back."""
        if self.query_line.has_focus and self.query_line.offers_value:
            self.query_line.take_offered()
            return
        if self.query_line.has_focus:
            self.remember_query()
        (self.query_line if self.rows.has_focus else self.rows).focus()

    def ask(self, text: str) -> None:
        """Put a query into the line, with the cursor behind it."""
        self.query_line.value = text
        self.query_line.cursor_position = len(text)
        self.query_line.focus()

    def action_back(self) -> None:
        """Go back to the query line; there, close the explanation, then empty the line."""
        if self.back_from():
            return
        if self.rows.has_focus:
            self.query_line.focus()
        elif self.pane.explaining:
            self.pane.explaining = False
        else:
            self.query_line.clear()

    def action_explain(self) -> None:
        """Show why the selected row stands where it does, or its text again."""
        self.pane.explaining = not self.pane.explaining

    def action_toggle_pane(self) -> None:
        """Show or hide the pane."""
        self.pane.toggle()


def _blank(width: int) -> Content:
    return Content.styled("", QUIET)
