"""The search screen: puts the widgets together, and decides what they show as answers and events come in."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.getters import query_one
from textual.screen import Screen

from app.tui.actions import Where, bindings
from app.tui.plain import one_line
from app.tui.ports import Opened
from app.tui.screens.search import start
from app.tui.screens.search.actions import SEARCH_ACTIONS
from app.tui.screens.search.pane import Pane
from app.tui.screens.search.query_line import QueryLine
from app.tui.screens.search.reading import error_line, reading_line
from app.tui.screens.search.results import Foreword, ResultList
from app.tui.screens.search.row import context_of
from app.tui.screens.search.searching import Answered, Asked, Refused, Searching
from app.tui.screens.search.status_line import StatusView, status_line
from app.tui.theme import ACCENT, ALARM, QUIET
from app.tui.widgets.built_line import BuiltLine
from app.tui.widgets.keys import KeyLine
from engine.errors import CarrelError, QueryError
from engine.records import SearchResult

if TYPE_CHECKING:
    from app.tui.app import CarrelApp

NARROW_COLUMNS = 100  # below it a row and a preview do not both fit beside each other


class SearchScreen(Screen[None]):
    """A query line, what came of it, and a pane that shows or explains the selected row."""

    ACTIONS = SEARCH_ACTIONS
    BINDINGS = bindings(SEARCH_ACTIONS)
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

    @property
    def carrel(self) -> CarrelApp:
        """The app, as the class that it is."""
        app: Any = self.app
        return app  # type: ignore[no-any-return]

    def compose(self) -> ComposeResult:
        """Lay out the widgets from top to bottom."""
        yield BuiltLine(id="status")
        with Horizontal(id="query-row"):
            yield BuiltLine(id="query-bar")
            yield QueryLine(id="query", blink=self.carrel.ports.pace.blink)
        yield BuiltLine(id="reading")
        with Horizontal(id="body"):
            yield ResultList(id="rows")
            yield Pane(id="pane")
        yield KeyLine(id="keys")

    def on_mount(self) -> None:
        """Show the beginning and listen to what the app hears."""
        self.query_one("#query-bar", BuiltLine).show(lambda width: Content.styled("┃", ACCENT))
        self.carrel.opened_signal.subscribe(self, self._library_opened)
        self.carrel.failed_signal.subscribe(self, self._library_failed)
        self.carrel.status_signal.subscribe(self, self._status_changed)
        self.carrel.commit_signal.subscribe(self, self._library_changed)
        self._status_changed(self.carrel.view)

    def where(self) -> Where:
        """Return whether the keys go to the rows or to the query line."""
        return "rows" if self.rows.has_focus else "query"

    # --- what the app hears -------------------------------------------------------------------------------------

    def _library_opened(self, opened: Opened) -> None:
        self._searching = Searching(self, opened, self.carrel.ports.pace)
        self._ask()

    def _library_failed(self, error: CarrelError) -> None:
        self._failure = error
        self._show()

    def _status_changed(self, view: StatusView) -> None:
        self.status_bar.show(partial(status_line, view))
        page = (start.headline(view.status, view.indexer), start.advice(view.status, view.indexer))
        if page != self._start_page:  # progress alone does not change the page
            self._start_page = page
            self._show()

    def _library_changed(self, _version: int) -> None:
        if self._searching:
            self._searching.ask_again()

    # --- searching ----------------------------------------------------------------------------------------------

    @on(QueryLine.Changed)
    def _query_changed(self) -> None:
        self._ask()

    @on(QueryLine.Submitted)
    def _query_submitted(self) -> None:
        self.action_open()

    def _ask(self) -> None:
        """Ask what stands in the query line; where nothing does, for the documents that changed last."""
        self._turn += 1
        self._moved = False
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
        if message.finished or result.hits:  # words alone that found nothing do not clear the list
            self._result, self._finished = result, message.finished
            self._show(stay=self._moved or repeated)
        if asked.text.strip():
            self.reading.show(partial(reading_line, result, finished=message.finished))

    @on(Refused)
    def _refused(self, message: Refused) -> None:
        """Say what is wrong under the query line; the rows stay."""
        if message.asked.turn != self._turn:
            return
        error = message.error
        if isinstance(error, QueryError):
            self.reading.show(lambda width: error_line(error, message.asked.text, width))
        else:
            self.reading.show(lambda width: Content.styled(one_line(str(error)), ALARM).truncate(width, ellipsis=True))

    # --- showing ------------------------------------------------------------------------------------------------

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
        self.rows.show(result.hits, context, self._foreword(), stay=stay)

    def _foreword(self) -> Foreword | None:
        """Return what stands above the rows, or alone."""
        result, view = self._result, self.carrel.view
        if self._failure is not None:
            return partial(start.error_lines, self._failure)
        if not self.query_line.value.strip():
            page = start.recent_lines if result and result.hits else start.start_lines
            return partial(page, view.status, view.indexer)
        if result is not None and not result.hits:
            return partial(start.nothing_lines, view.status, view.indexer, bool(result.query.filters))
        return start.nearest_lines if result and self._finished and result.verdict == "none" else None

    @on(ResultList.Selected)
    def _selected(self, message: ResultList.Selected) -> None:
        self.pane.show_hit(message.hit, self._result)

    @on(ResultList.Opened)
    def _opened(self) -> None:
        self.action_open()

    def on_descendant_focus(self) -> None:
        """Show the keys of the part that has the focus now."""
        self.query_one(KeyLine).refresh()

    def on_key(self, event: events.Key) -> None:
        """Take what is typed in the rows to the query line; a slash only goes there."""
        if self.rows.has_focus and event.is_printable and event.character and event.key != "slash":
            event.stop()
            self.query_line.focus()
            self.query_line.insert_text_at_cursor(event.character)

    # --- actions ------------------------------------------------------------------------------------------------

    def action_move(self, rows: int) -> None:
        """Select the row so many further down."""
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
        """Go from the query line to the rows, or back."""
        (self.query_line if self.rows.has_focus else self.rows).focus()

    def action_back(self) -> None:
        """Go back to the query line; there, close the explanation, then empty the line."""
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

    def action_open(self) -> None:
        """Open the selected note at its line."""
        if self.rows.hit is not None:
            self.carrel.open_file(self.rows.hit.path, self.rows.hit.line_start, self.rows.hit.kind)


def _blank(width: int) -> Content:
    return Content.styled("", QUIET)
