"""The search screen of the picker: the same rows and parts, whose enter gives rows to whoever asked for some."""

from __future__ import annotations

from dataclasses import replace

from textual import on
from textual.binding import Binding

from app.tui.actions import Action, bindings
from app.tui.list_keys import LIST_ACTIONS
from app.tui.screens.search.actions import SEARCH_ACTIONS, WHAT_IF_ACTIONS
from app.tui.screens.search.live_search import Answered, Refused
from app.tui.screens.search.query_line import QueryLine
from app.tui.screens.search.screen import SearchScreen

LEAST_LINES = 8  # of a picker below the prompt: the query, two results, and the keys


def _picking(action: Action) -> Action:
    """Return an action of the search as the picker has it."""
    match action.id:
        case "search.open":
            said = "Give the selected row, or all that are marked, to whoever asked."
            return replace(action, label="pick", title="Pick this row, or all that are marked", help=said)
        case "search.back":
            said = "Leave without a choice; in the rows, back to the query line."
            return replace(action, keys="escape", label="cancel", title="Cancel", help=said, where="everywhere")
        case "search.mark":
            return replace(action, where="everywhere", shown_key="tab", title="Mark this row, to pick several")
        case "search.rows":
            return replace(action, footer=False)
    return action


FIRST = ("search.open", "search.mark", "search.back")  # in the footer: what a picker is for
_ALL = {action.id: _picking(action) for action in SEARCH_ACTIONS}
MULTI_ACTIONS = (*(_ALL[name] for name in FIRST), *(each for each in _ALL.values() if each.id not in FIRST))
SINGLE_ACTIONS = tuple(action for action in MULTI_ACTIONS if action.id != "search.mark")


class PickingScreen(SearchScreen):
    """Searches and shows as the browser does; what it picks goes to `Browser.hand_over`.

    With `multi` tab marks rows, so that several are picked; else it goes to the rows. Below the prompt, on so many
    lines (`height`, `15` or `40%`), there is no room for more than query, rows and keys.
    """

    ACTIONS = (*WHAT_IF_ACTIONS, *LIST_ACTIONS, *SINGLE_ACTIONS)
    BINDINGS = [
        *bindings(MULTI_ACTIONS),
        Binding("ctrl+j", "move(1)", show=False, priority=True),  # as every other picker has it, also while one types
        Binding("ctrl+k", "move(-1)", show=False, priority=True),
    ]
    TIPS = False  # the room is for rows
    HIDDEN = frozenset({"library", "training", "quit"})
    DEFAULT_CSS = """
    PickingScreen:inline { border: none; }
    PickingScreen:inline #status { display: none; }
    PickingScreen:inline #query-row { margin: 0 1; }
    """

    def __init__(self, query: str = "", *, multi: bool = False, height: str = "") -> None:
        super().__init__(query)
        self._multi = multi
        self._height = height
        self.awaits_answer = False  # whether the first row of the next answer is picked
        if multi:
            self.ACTIONS = (*WHAT_IF_ACTIONS, *LIST_ACTIONS, *MULTI_ACTIONS)

    def on_mount(self) -> None:
        """Take the room that was asked for."""
        if self._height:
            self.styles.height = self._height
            self.styles.min_height = LEAST_LINES

    @on(QueryLine.Submitted)
    def _may_wait(self) -> None:
        """Wait for the rows of the query: who types one and presses enter at once means its best row."""
        self.awaits_answer = not self.parts.search.finished

    @on(Answered)
    def _look_at_answer(self) -> None:
        self.call_later(self._pick_from_answer)  # behind the screen's own look at it, which comes after this one

    def _pick_from_answer(self) -> None:
        if self.awaits_answer and self.parts.search.finished:
            self.awaits_answer = False
            self.parts.documents.open()

    @on(Refused)
    @on(QueryLine.Changed)
    def _pick_no_more(self) -> None:
        self.awaits_answer = False

    def action_back(self) -> None:
        """Leave what lies over the query line; with nothing there, leave without a choice."""
        above = self.pane.what_if.has_focus or self.parts.similar or self.rows.has_focus or self.pane.explaining
        if above:
            super().action_back()
        else:
            self.app.exit()

    def action_mark(self) -> None:
        """Mark the selected row, or take its mark away, and go on to the next."""
        if self._multi:
            super().action_mark()

    def action_swap_focus(self) -> None:
        """Take the value that is offered for a filter; else mark the row, or where one is picked go to the rows."""
        if self._multi and not (self.query_line.has_focus and self.query_line.offers_value):
            self.action_mark()
        else:
            super().action_swap_focus()
