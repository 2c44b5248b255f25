"""The keys of every list and every text that scrolls, declared once: rows, outline, folders, runs, settings, choices.

A widget or screen takes `LIST_BINDINGS` and says what a line is. Where a line is typed into beside the list, that line
takes the letters first. `PRESETS` are other keys for the same actions, for hands that know another program.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.tui.actions import Action, bindings

FAR = 1 << 20  # lines: beyond the end of any list

MOVING = (
    Action("list.next", "down,j", "move(1)", "move", "Next line", "Select another line, also while you type.",
           shown_key="↑↓", letters="j k", palette=False),
    Action("list.previous", "up,k", "move(-1)", "", "Line before", "", footer=False, palette=False),
    Action("list.half_down", "ctrl+d", "half(1)", "", "Half a screen on", "Go half a screen on, or back.",
           shown_key="ctrl+d/u", footer=False, palette=False),
    Action("list.half_up", "ctrl+u", "half(-1)", "", "Half a screen back", "", footer=False, palette=False),
    Action("list.page_down", "pagedown", "page(1)", "", "A screen on", "Go a screen on, or back.",
           shown_key="pgup pgdn", footer=False, palette=False),
    Action("list.page_up", "pageup", "page(-1)", "", "A screen back", "", footer=False, palette=False),
    Action("list.first", "home,g", "edge(False)", "", "First line", "Go to the first line, or the last.",
           shown_key="home end", letters="g G", footer=False, palette=False),
    Action("list.last", "end,G", "edge(True)", "", "Last line", "", footer=False, palette=False),
)  # fmt: skip
FOLDING = (
    Action("list.unfold", "right,l", "fold(False)", "", "Unfold this line", "Unfold what is under a line, or fold it.",
           shown_key="→ ←", letters="l h", footer=False, palette=False),
    Action("list.fold", "left,h", "fold(True)", "", "Fold this line", "", footer=False, palette=False),
)  # fmt: skip
LIST_ACTIONS = (*MOVING, *FOLDING)
LIST_BINDINGS = bindings(MOVING)

# What edits a typed line and is in the way of a preset; no person sees them listed.
DELETE_TO_END = "edit.delete_to_end"

DEFAULT = "default"
# The keys of each preset by the ids of actions, in place of those that Carrel comes with.
PRESETS: Mapping[str, Mapping[str, str]] = {
    DEFAULT: {},
    "fzf": {
        "list.next": "down,ctrl+n,ctrl+j,j",
        "list.previous": "up,ctrl+p,ctrl+k,k",
        "palette": "alt+x",
        "search.why_not": "alt+q,n",
        DELETE_TO_END: "alt+k",
    },
    "vim": {
        "list.next": "down,ctrl+n,j",
        "list.previous": "up,ctrl+p,k",
        "list.page_down": "pagedown,ctrl+f",
        "list.page_up": "pageup,ctrl+b",
        "palette": "alt+x,colon",
        "search.why_not": "alt+q,n",
        "search.filters": "alt+f",
        "search.back": "escape,slash,i",
        "search.mark": "f8,alt+m,space,x,v",
        "reader.find": "slash",
    },
}


class MovesByLines:
    """Moves by half a screen, by a screen, and to either end, in steps of `action_move`."""

    @property
    def lines_in_sight(self) -> int:
        """How many lines a screen holds."""
        return 10

    def action_move(self, by: int) -> None:
        """Select the line so many further down, or scroll so far."""

    def action_half(self, by: int) -> None:
        """Move by half a screen."""
        self.action_move(by * max(1, self.lines_in_sight // 2))

    def action_page(self, by: int) -> None:
        """Move by a screen."""
        self.action_move(by * max(1, self.lines_in_sight - 1))

    def action_edge(self, last: bool) -> None:
        """Go to the first line, or to the last."""
        self.action_move(FAR if last else -FAR)
