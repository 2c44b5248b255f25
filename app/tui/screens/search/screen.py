"""The search screen: puts its widgets and parts together, and hands on to them what is pressed, answered and heard."""

from __future__ import annotations

from functools import partial

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.getters import query_one

from app.tui.actions import Action, Where, bindings
from app.tui.background import in_background
from app.tui.browser import CarrelScreen
from app.tui.list_keys import LIST_ACTIONS, MovesByLines
from app.tui.ports import Opened
from app.tui.screens.search.actions import SEARCH_ACTIONS, WHAT_IF_ACTIONS
from app.tui.screens.search.chip_line import ChipLine
from app.tui.screens.search.explained_rows import ExplainedRows
from app.tui.screens.search.further_rows import FurtherRows
from app.tui.screens.search.help_pages import SEARCH_PAGES
from app.tui.screens.search.implicit_feedback import ImplicitFeedback
from app.tui.screens.search.judgements import Judgements
from app.tui.screens.search.kept_searches import KeptSearches
from app.tui.screens.search.live_search import Answered, LiveSearch, Refused
from app.tui.screens.search.missed_document import MissedDocument
from app.tui.screens.search.opened_documents import OpenedDocuments
from app.tui.screens.search.pane import Pane
from app.tui.screens.search.proportions import HIGH_LINES, NARROW_COLUMNS, Proportions
from app.tui.screens.search.query_filters import QueryFilters
from app.tui.screens.search.query_line import QueryLine
from app.tui.screens.search.results import ResultList
from app.tui.screens.search.settings_trial import SettingsTrial
from app.tui.screens.search.shown_results import ResultWidgets, ShownResults
from app.tui.screens.search.similar_rows import SimilarRows
from app.tui.screens.search.whatif_panel import WhatIfPanel
from app.tui.status_line import StatusView, status_line
from app.tui.theme import ACCENT
from app.tui.widgets.built_line import BuiltLine
from app.tui.widgets.footer import KeyLine
from engine.config import Config
from engine.records import Grade


class SearchScreen(MovesByLines, CarrelScreen):
    """A query line, what came of it, and a pane that shows or explains the selected row."""

    ACTIONS: tuple[Action, ...] = (*WHAT_IF_ACTIONS, *LIST_ACTIONS, *SEARCH_ACTIONS)
    BINDINGS = bindings((*LIST_ACTIONS, *SEARCH_ACTIONS))
    TIPS = True  # whether an empty query line tells what can be done
    HELP_PAGES = SEARCH_PAGES
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
        self.carrel.opened_signal.subscribe(self, self._library_opened)
        self.carrel.config_signal.subscribe(self, self._config_changed)
        self.carrel.failed_signal.subscribe(self, self.shown.show_failure)
        self.carrel.status_signal.subscribe(self, self._status_changed)
        self.carrel.commit_signal.subscribe(self, self._library_changed)
        self.carrel.key_signal.subscribe(self, self.feedback.disturbed, immediate=True)
        self._status_changed(self.carrel.view)
        if self._query:
            self.query_line.write(self._query)

    def _make_parts(self) -> None:
        """Give each part the widgets and the parts that it works on."""
        app, line, rows, pane = self.carrel, self.query_line, self.rows, self.pane
        body = self.query_one("#body", Horizontal)
        self.search = LiveSearch(line, app.ports.pace, app.ports.clock)
        self.filters = QueryFilters(app, line, self.query_one(ChipLine))
        self.kept = KeptSearches(app, line)
        self.shown = ShownResults(app, ResultWidgets(line, self.reading, body, rows, pane), tips=self.TIPS)
        self.shown.walked = self.kept.remember
        self.proportions = Proportions(app, body, rows, pane)
        self.trial = SettingsTrial(app, rows, pane, self.shown)
        self.similar = SimilarRows(app, rows, self.shown, self.trial)
        self.further = FurtherRows(app, rows, self.shown, self.trial, self.search)
        self.missed = MissedDocument(app, line, pane, self.shown, self.trial, self.similar, self.search)
        self.judgements = Judgements(app, rows, self.shown, self.search)
        self.feedback = ImplicitFeedback(app, rows)
        self.documents = OpenedDocuments(app, rows, pane, self.shown, self.feedback)
        self.explained = ExplainedRows(app, rows, pane, self.shown)

    def on_resize(self, event: events.Resize) -> None:
        """Share the room out anew."""
        self.proportions.fit(event.size)

    def on_unmount(self) -> None:
        """Keep how the room was shared."""
        self.proportions.keep()

    def where(self) -> Where:
        """Return whether the keys go to the rows, to the panel of what if, or to the query line."""
        if self.pane.what_if.has_focus:
            return "panel"
        return "rows" if self.rows.has_focus else "query"

    # --- what the app hears -------------------------------------------------------------------------------------

    def _library_opened(self, opened: Opened) -> None:
        self.search.open(opened, self.carrel.config.search_settings())
        self.filters.forget_values()
        self._ask()

    def _status_changed(self, view: StatusView) -> None:
        self.status_bar.show(partial(status_line, view))
        self.shown.show_status(view)

    def _library_changed(self, _version: int) -> None:
        self.filters.forget_values()
        self.pane.forget()
        self.search.ask_again()

    def _config_changed(self, config: Config) -> None:
        self.query_one(KeyLine).refresh()
        self.search.use(config.search_settings())
        self.proportions.fit(self.size)

    # --- searching ----------------------------------------------------------------------------------------------

    @on(QueryLine.Changed)
    def _ask(self) -> None:
        """Ask what stands in the query line; where nothing does, for the documents that changed last."""
        self.carrel.ports.typed()
        self.pane.key_pressed()
        self.feedback.key_pressed()
        self.kept.typed()
        self.filters.show()
        text = self.filters.searched()
        half_typed = text != self.query_line.value
        self.shown.offer(self.filters.offers())
        if half_typed and not self.filters.knows_values:
            in_background(self, self._list_values, "values", exclusive=True)
        if half_typed and self.search.asks(text):
            return  # the rows stay
        self.similar.forget()
        self.trial.exploration = None
        self.shown.begin_anew()
        self.search.ask(text, self.query_line.unfinished)

    async def _list_values(self) -> None:
        """List the values of a filter that is being typed, once they are read."""
        if await self.filters.read_values():
            self._ask()

    @on(QueryLine.Submitted)
    def _query_submitted(self) -> None:
        """Open the selected row; where no folder is watched, ask for one."""
        if self.carrel.view.status is not None and not self.carrel.roots and not self.carrel.view.read_only:
            self.carrel.ask_for_folder()
            return
        self.kept.remember()
        self.documents.open()

    @on(QueryLine.Finished)
    def _word_finished(self) -> None:
        self.shown.offer(None)
        self.search.finish(self.query_line.value)

    @on(ResultList.Typed)
    def _typed_in_rows(self, message: ResultList.Typed) -> None:
        """Go on typing the query."""
        self.query_line.go_on(message.character)

    @on(Answered)
    def _answered(self, answer: Answered) -> None:
        """Show an answer to the newest question, unless a fuller one is on the screen already."""
        self.app.call_after_refresh(self.search.go_on)
        repeated = self.search.finished
        if not self.search.accepts(answer):
            return
        self.feedback.answered(answer)
        if answer.finished:
            self.carrel.window_title.show(answer.result.query.text)
        self.filters.show(answer.result.query)
        if not answer.finished and not answer.result.hits:  # words alone that found nothing do not clear the list
            self.shown.show_reading()
        elif not self.trial.takes(answer):
            self.shown.show_answer(answer, repeated)

    @on(Refused)
    def _refused(self, message: Refused) -> None:
        """Say what went wrong under the query line."""
        self.app.call_after_refresh(self.search.go_on)
        if self.search.is_newest(message.asked):
            self.shown.show_error(message.error)

    # --- what the widgets tell ----------------------------------------------------------------------------------

    @on(ResultList.Selected)
    def _selected(self, message: ResultList.Selected) -> None:
        self.pane.show_hit(message.hit, self.shown.result, self.shown.finished)

    @on(Pane.LinkClicked)
    def _link_clicked(self, message: Pane.LinkClicked) -> None:
        self.documents.follow(message.hit, message.target, message.wiki)

    @on(ResultList.Clicked)
    def _row_clicked(self, message: ResultList.Clicked) -> None:
        self.shown.choose(message.place)

    @on(ChipLine.Removed)
    def _chip_clicked(self, message: ChipLine.Removed) -> None:
        self.filters.drop(message.chip)

    @on(WhatIfPanel.Changed)
    def _what_if_changed(self, message: WhatIfPanel.Changed) -> None:
        self.trial.begin(message.settings)

    @on(WhatIfPanel.Kept)
    def _what_if_kept(self, message: WhatIfPanel.Kept) -> None:
        self.trial.keep(message.settings)

    @on(WhatIfPanel.TakenBack)
    def _what_if_taken_back(self) -> None:
        self.trial.take_back()

    def _explaining_changed(self, explaining: bool) -> None:
        if not explaining:
            self.trial.end()

    def on_click(self, event: events.Click) -> None:
        """Leave more like this where its chip is clicked."""
        if event.widget is self.reading and self.similar:
            self.action_back()

    def on_descendant_focus(self) -> None:
        """Show the keys of the part that has the focus now."""
        self.query_one(KeyLine).refresh()
        self.shown.name_keys()

    # --- actions ------------------------------------------------------------------------------------------------

    def action_move(self, rows: int) -> None:
        """Select the row so many further down; below the last one the next rows are asked for."""
        self.further.move(rows)

    @property
    def lines_in_sight(self) -> int:
        """How many rows are in sight, and one, as a screen on begins with the next one."""
        return self.rows.page + 1

    def action_edge(self, last: bool) -> None:
        """Select the first row, or the last."""
        self.shown.choose(len(self.rows.hits) - 1 if last else 0)

    def action_swap_focus(self) -> None:
        """Take the value that is offered for a filter; else go from the query line to the rows, or back."""
        if self.query_line.has_focus and self.query_line.offers_value:
            self.query_line.take_offered()
            return
        if self.query_line.has_focus:
            self.kept.remember()
        (self.query_line if self.rows.has_focus else self.rows).focus()

    def action_back(self) -> None:
        """Leave the panel, then more like this, then the rows; in the query line close the explanation, or empty it."""
        if self.pane.what_if.has_focus:
            self.query_line.focus()
        elif self.similar:
            self.similar.back()
        elif self.rows.has_focus:
            self.query_line.focus()
        elif self.pane.explaining:
            self.pane.explaining = False
        else:
            self.kept.empty()

    def action_bring_back(self) -> None:
        """Put the query back that was emptied or replaced last."""
        self.kept.bring_back()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether an action can be done now; the key of one that cannot does what it does everywhere."""
        return self.kept.can_bring_back if action == "bring_back" else True

    def action_take_spelling(self) -> None:
        """Put the word that is offered for an unknown one into the query line."""
        self.filters.correct(self.shown.offered_word)

    def action_filters(self) -> None:
        """Pick a filter."""
        self.filters.pick()

    def action_drop_filter(self) -> None:
        """Take the last filter away."""
        self.filters.drop_last()

    def action_history(self) -> None:
        """Pick a search of before."""
        self.kept.pick_earlier()

    def action_saved(self) -> None:
        """Pick, keep or drop a saved search."""
        self.kept.pick_saved()

    def action_opened_before(self) -> None:
        """Pick a document that was opened before."""
        self.shown.start_page.pick_opened()

    def action_search_again(self, place: int) -> None:
        """Make a search of the start page again."""
        self.shown.start_page.search_again(place)

    def action_read_again(self, place: int) -> None:
        """Read a document of the start page again."""
        self.shown.start_page.read_again(place)

    def action_sort(self) -> None:
        """Go on to the next order of the rows."""
        self.shown.turn_order()

    @on(ResultList.MoreWanted)
    def action_more(self) -> None:
        """Ask for the next rows."""
        self.further.ask()

    @on(ResultList.Unfolded)
    def action_unfold(self) -> None:
        """Show the further passages of the selected note, or fold them away."""
        self.further.unfold()

    def action_fold(self, fold: bool) -> None:
        """Fold the further passages of the selected note away, or show them."""
        self.further.unfold(not fold)

    def action_similar(self) -> None:
        """List the passages of other notes that are nearest in meaning to the selected one."""
        self.similar.find()

    def action_why_not(self) -> None:
        """Ask which note is missed, and follow it through the search."""
        self.missed.ask()

    def action_scroll_pane(self, lines: int) -> None:
        """Scroll the pane beside the rows."""
        self.pane.scroll_lines(lines)

    def action_toggle_pane(self) -> None:
        """Show or hide the pane."""
        self.pane.toggle()

    def action_density(self) -> None:
        """Show rows with all figures, in two lines, or in one."""
        self.proportions.turn_density()

    def action_move_border(self, steps: int) -> None:
        """Make the pane smaller, or larger."""
        self.proportions.move_border(steps)

    @on(Pane.BorderDragged)
    def _border_dragged(self, message: Pane.BorderDragged) -> None:
        self.proportions.drag_border(message.x, message.y)

    def action_hit_in_document(self, step: int) -> None:
        """Show another hit of the same document in the preview."""
        if self.rows.hit is not None and not self.pane.step(step):
            self.notify("This is the only hit in this document.", timeout=2, markup=False)

    def action_explain(self) -> None:
        """Show why the selected row stands where it does, or its text again."""
        self.pane.explaining = not self.pane.explaining

    def action_what_if(self) -> None:
        """Go to the panel of what if, which stands below the explanation, or from there back."""
        self.trial.turn_to_panel()

    def action_step_what_if(self, steps: int) -> None:
        """Move what is chosen in the panel."""
        self.pane.what_if.action_step(steps)

    def action_keep_what_if(self) -> None:
        """Make what is tried the person's own settings."""
        self.pane.what_if.keep()

    def action_reset_what_if(self) -> None:
        """Return to the person's own settings."""
        self.pane.what_if.reset()

    def action_copy_explanation(self, shape: str) -> None:
        """Copy the explanation of the selected row, as text or as JSON."""
        self.explained.copy(shape)

    @on(ResultList.Opened)
    def action_open(self) -> None:
        """Open the selected note, or all that are marked."""
        self.documents.open()

    def action_reader(self) -> None:
        """Read the whole document."""
        self.documents.read()

    def action_mark(self) -> None:
        """Mark the selected row, or take its mark away, and go on to the next."""
        if self.rows.hit is not None:
            self.rows.mark()
            self.further.move(1)

    def action_copy(self) -> None:
        """Ask in which form the marked results, or the selected one, are copied."""
        self.documents.choose_copy()

    def action_copy_text(self) -> None:
        """Copy the passages of the marked results, or of the selected one."""
        self.documents.copy_texts()

    def action_open_row(self, number: int) -> None:
        """Open the row of a number, whatever is marked."""
        if number <= len(self.rows.hits):
            self.shown.choose(number - 1)
            self.kept.remember()
            self.documents.open_row()

    def action_judge(self, grade: Grade) -> None:
        """Mark the selected row as right or wrong for its search, or take that mark back."""
        self.judgements.mark(grade)

    def action_unjudge(self) -> None:
        """Take back what was marked right or wrong last."""
        self.judgements.take_back()

    def action_compare(self) -> None:
        """Compare the selected row with the marked one, else with its neighbour, which may be folded away."""
        self.explained.compare()
