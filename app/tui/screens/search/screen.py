"""The search screen: puts its widgets and parts together, and hands on to them what is pressed, answered and heard."""

from __future__ import annotations

from functools import partial

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.getters import query_one

from app.tui.actions import Action, Where, bindings
from app.tui.browser import CarrelScreen
from app.tui.list_keys import LIST_ACTIONS, MovesByLines
from app.tui.screens.search.actions import SEARCH_ACTIONS, WHAT_IF_ACTIONS
from app.tui.screens.search.chip_line import ChipLine
from app.tui.screens.search.help_pages import SEARCH_PAGES
from app.tui.screens.search.live_search import Answered, Refused
from app.tui.screens.search.pane import Pane
from app.tui.screens.search.proportions import HIGH_LINES, NARROW_COLUMNS
from app.tui.screens.search.query_flow import QueryFlow
from app.tui.screens.search.query_line import QueryLine
from app.tui.screens.search.results import ResultList
from app.tui.screens.search.search_parts import SearchParts, done_by
from app.tui.screens.search.shown_results import ResultWidgets
from app.tui.screens.search.whatif_panel import WhatIfPanel
from app.tui.status_line import StatusView, status_line
from app.tui.theme import ACCENT
from app.tui.widgets.built_line import BuiltLine
from app.tui.widgets.footer import KeyLine
from engine.config import Config


class SearchScreen(MovesByLines, CarrelScreen):
    """A query line, what came of it, and a pane that shows or explains the selected row."""

    ACTIONS: tuple[Action, ...] = (*WHAT_IF_ACTIONS, *LIST_ACTIONS, *SEARCH_ACTIONS)
    BINDINGS = bindings((*LIST_ACTIONS, *SEARCH_ACTIONS))
    TIPS = True  # whether an empty query line tells what can be done
    help_pages = SEARCH_PAGES
    MODES = {"rows": "rows", "panel": "what if"}  # what the keys go to where it is not the query line
    AUTO_FOCUS = "QueryLine"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (NARROW_COLUMNS, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (HIGH_LINES, "-high")]

    status_bar = query_one("#status", BuiltLine)
    query_line = query_one(QueryLine)
    reading = query_one("#reading", BuiltLine)
    rows = query_one("#rows", ResultList)
    pane = query_one(Pane)

    def __init__(self, query: str = "") -> None:
        super().__init__()
        self._query = query  # to begin with

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
        """Put the parts together, show the beginning, and listen to what the app hears."""
        self._make_parts()
        self.query_one("#query-bar", BuiltLine).show(lambda width: Content.styled("┃", ACCENT))
        self.watch(self.pane, "explaining", self._explaining_changed, init=False)
        self.carrel.opened_signal.subscribe(self, self.flow.open)
        self.carrel.config_signal.subscribe(self, self._config_changed)
        self.carrel.failed_signal.subscribe(self, self.parts.shown.show_failure)
        self.carrel.status_signal.subscribe(self, self._status_changed)
        self.carrel.commit_signal.subscribe(self, self._library_changed)
        self.carrel.key_signal.subscribe(self, self._key_pressed, immediate=True)
        self._status_changed(self.carrel.view)
        if self._query:
            self.query_line.write(self._query)

    def _make_parts(self) -> None:
        """Give the parts the widgets that they work on."""
        body = self.query_one("#body", Horizontal)
        widgets = ResultWidgets(self.query_line, self.reading, body, self.rows, self.pane)
        self.parts = SearchParts(self.carrel, widgets, self.query_one(ChipLine), tips=self.TIPS)
        self.flow = QueryFlow(self.carrel, widgets, self.parts)

    def on_resize(self, event: events.Resize) -> None:
        """Share the room out anew."""
        self.parts.proportions.fit(event.size)

    def on_unmount(self) -> None:
        """Keep how the room was shared."""
        self.parts.proportions.keep()

    def where(self) -> Where:
        """Return whether the keys go to the rows, to the panel of what if, or to the query line."""
        if self.pane.what_if.has_focus:
            return "panel"
        return "rows" if self.rows.has_focus else "query"

    # --- what the app hears -------------------------------------------------------------------------------------

    def _key_pressed(self, _: None) -> None:
        self.parts.feedback.disturbed()
        self.parts.similar.key_pressed()

    def _status_changed(self, view: StatusView) -> None:
        self.status_bar.show(partial(status_line, view))
        self.parts.shown.show_status(view)

    def _library_changed(self, _version: int) -> None:
        self.flow.ask_again()

    def _config_changed(self, config: Config) -> None:
        self.query_one(KeyLine).refresh()
        self.parts.search.use(config.search_settings())
        self.parts.proportions.fit(self.size)

    # --- searching ----------------------------------------------------------------------------------------------

    @on(QueryLine.Changed)
    def _query_changed(self) -> None:
        self.flow.ask()

    @on(QueryLine.Submitted)
    def _query_submitted(self) -> None:
        """Open the selected row; where no folder is watched, ask for one."""
        if self.carrel.view.status is not None and not self.carrel.roots and not self.carrel.view.read_only:
            self.carrel.ask_for_folder()
            return
        self.parts.kept.remember()
        self.parts.documents.open()

    @on(QueryLine.Finished)
    def _word_finished(self) -> None:
        self.flow.finish_word()

    @on(ResultList.Typed)
    def _typed_in_rows(self, message: ResultList.Typed) -> None:
        """Go on typing the query."""
        self.query_line.go_on(message.character)

    @on(Answered)
    def _answered(self, message: Answered) -> None:
        self.flow.show_answer(message)

    @on(Refused)
    def _refused(self, message: Refused) -> None:
        self.flow.show_refusal(message)

    # --- what the widgets tell ----------------------------------------------------------------------------------

    @on(ResultList.Selected)
    def _selected(self, message: ResultList.Selected) -> None:
        self.pane.show_hit(message.hit, self.parts.shown.result, self.parts.shown.finished)

    @on(Pane.LinkClicked)
    def _link_clicked(self, message: Pane.LinkClicked) -> None:
        self.parts.documents.follow(message.hit, message.target, message.wiki)

    @on(ResultList.Clicked)
    def _row_clicked(self, message: ResultList.Clicked) -> None:
        self.parts.shown.choose(message.place)

    @on(ChipLine.Removed)
    def _chip_clicked(self, message: ChipLine.Removed) -> None:
        self.parts.filters.drop(message.chip)

    @on(WhatIfPanel.Changed)
    def _what_if_changed(self, message: WhatIfPanel.Changed) -> None:
        self.parts.trial.begin(message.settings)

    @on(WhatIfPanel.Kept)
    def _what_if_kept(self, message: WhatIfPanel.Kept) -> None:
        self.parts.trial.keep(message.settings)

    @on(WhatIfPanel.TakenBack)
    def _what_if_taken_back(self) -> None:
        self.parts.trial.take_back()

    def _explaining_changed(self, explaining: bool) -> None:
        if not explaining:
            self.parts.trial.end()

    def on_click(self, event: events.Click) -> None:
        """Leave more like this where its chip is clicked."""
        if event.widget is self.reading and self.parts.similar:
            self.action_back()

    def on_descendant_focus(self) -> None:
        """Show the keys of the part that has the focus now."""
        self.query_one(KeyLine).refresh()
        self.parts.shown.name_keys()

    # --- actions ------------------------------------------------------------------------------------------------

    def action_move(self, rows: int) -> None:
        """Select the row so many further down; below the last one the next rows are asked for."""
        self.parts.further.move(rows)

    @property
    def lines_in_sight(self) -> int:
        """How many rows are in sight, and one, as a screen on begins with the next one."""
        return self.rows.page + 1

    def action_edge(self, last: bool) -> None:
        """Select the first row, or the last."""
        self.parts.shown.choose(len(self.rows.hits) - 1 if last else 0)

    def action_swap_focus(self) -> None:
        """Take the value that is offered for a filter; else go from the query line to the rows, or back."""
        if self.query_line.has_focus and self.query_line.offers_value:
            self.query_line.take_offered()
            return
        if self.query_line.has_focus:
            self.parts.kept.remember()
        (self.query_line if self.rows.has_focus else self.rows).focus()

    def action_back(self) -> None:
        """Leave the panel, then more like this, then the rows; in the query line close the explanation, or empty it."""
        if self.pane.what_if.has_focus:
            self.query_line.focus()
        elif self.parts.similar:
            self.parts.similar.back()
        elif self.rows.has_focus:
            self.query_line.focus()
        elif self.pane.explaining:
            self.pane.explaining = False
        else:
            self.parts.kept.empty()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether an action can be done now; the key of one that cannot does what it does everywhere."""
        return self.parts.kept.can_bring_back if action == "bring_back" else True

    def action_take_spelling(self) -> None:
        """Put the word that is offered for an unknown one into the query line."""
        self.parts.filters.correct(self.parts.shown.offered_word)

    @on(ResultList.MoreWanted)
    def action_more(self) -> None:
        """Ask for the next rows."""
        self.parts.further.ask()

    @on(ResultList.Unfolded)
    def action_unfold(self) -> None:
        """Show the further passages of the selected note, or fold them away."""
        self.parts.further.unfold()

    def action_fold(self, fold: bool) -> None:
        """Fold the further passages of the selected note away, or show them."""
        self.parts.further.unfold(not fold)

    @on(Pane.BorderDragged)
    def _border_dragged(self, message: Pane.BorderDragged) -> None:
        self.parts.proportions.drag_border(message.x, message.y)

    def action_hit_in_document(self, step: int) -> None:
        """Show another hit of the same document in the preview."""
        if self.rows.hit is not None and not self.pane.step(step):
            self.notify("This is the only hit in this document.", timeout=2, markup=False)

    def action_explain(self) -> None:
        """Show why the selected row stands where it does, or its text again."""
        self.pane.explaining = not self.pane.explaining

    @on(ResultList.Opened)
    def action_open(self) -> None:
        """Open the selected note, or all that are marked."""
        self.parts.documents.open()

    def action_mark(self) -> None:
        """Mark the selected row, or take its mark away, and go on to the next."""
        if self.rows.hit is not None:
            self.rows.mark()
            self.parts.further.move(1)

    def action_open_row(self, number: int) -> None:
        """Open the row of a number, whatever is marked."""
        if number <= len(self.rows.hits):
            self.parts.shown.choose(number - 1)
            self.parts.kept.remember()
            self.parts.documents.open_row()

    # --- actions that a part does by itself -----------------------------------------------------------------------

    action_bring_back = done_by(lambda parts: parts.kept.bring_back)
    action_filters = done_by(lambda parts: parts.filters.pick)
    action_drop_filter = done_by(lambda parts: parts.filters.drop_last)
    action_history = done_by(lambda parts: parts.kept.pick_earlier)
    action_saved = done_by(lambda parts: parts.kept.pick_saved)
    action_opened_before = done_by(lambda parts: parts.shown.start_page.pick_opened)
    action_search_again = done_by(lambda parts: parts.shown.start_page.search_again)
    action_read_again = done_by(lambda parts: parts.shown.start_page.read_again)
    action_sort = done_by(lambda parts: parts.shown.turn_order)
    action_similar = done_by(lambda parts: parts.similar.find)
    action_why_not = done_by(lambda parts: parts.missed.ask)
    action_scroll_pane = done_by(lambda parts: parts.pane.scroll_lines)
    action_toggle_pane = done_by(lambda parts: parts.pane.toggle)
    action_density = done_by(lambda parts: parts.proportions.turn_density)
    action_move_border = done_by(lambda parts: parts.proportions.move_border)
    action_what_if = done_by(lambda parts: parts.trial.turn_to_panel)
    action_step_what_if = done_by(lambda parts: parts.pane.what_if.action_step)
    action_keep_what_if = done_by(lambda parts: parts.pane.what_if.keep)
    action_reset_what_if = done_by(lambda parts: parts.pane.what_if.reset)
    action_copy_explanation = done_by(lambda parts: parts.explained.copy)
    action_reader = done_by(lambda parts: parts.documents.read)
    action_copy = done_by(lambda parts: parts.documents.choose_copy)
    action_copy_text = done_by(lambda parts: parts.documents.copy_texts)
    action_judge = done_by(lambda parts: parts.judgements.mark)
    action_unjudge = done_by(lambda parts: parts.judgements.take_back)
    action_compare = done_by(lambda parts: parts.explained.compare)
