"""What a person can do on the search screen."""

from __future__ import annotations

from app.tui.actions import Action

SEARCH_ACTIONS = (
    Action("search.next", "down", "move(1)", "move", "Next result", "Select another result, also while you type.",
           shown_key="↑↓", palette=False),
    Action("search.previous", "up", "move(-1)", "", "Previous result", "", footer=False, palette=False),
    Action("search.open", "enter", "open", "open", "Open in the editor", "Open the note in your editor, at the line."),
    Action("search.rows", "tab", "swap_focus", "results", "Go to the results", "Go to the results, and back.",
           where="query"),
    Action("search.back", "escape,slash", "back", "back to the query", "Back to the query line",
           "Back to the query line; there, close the explanation or empty the line.", where="rows"),
    Action("search.explain", "ctrl+t", "explain", "explain", "Explain the ranking of this result",
           "See why the selected result ranks where it does."),
    Action("search.pane", "f2", "toggle_pane", "preview", "Show or hide the preview", "Show or hide the preview."),
    Action("search.scroll_down", "shift+down", "scroll_pane(3)", "", "Scroll the preview down",
           "Scroll the preview or the explanation.", shown_key="shift+↑↓", footer=False, palette=False),
    Action("search.scroll_up", "shift+up", "scroll_pane(-3)", "", "Scroll the preview up", "",
           footer=False, palette=False),
    Action("search.page_down", "pagedown", "page(1)", "", "Next screen of results",
           "Go a screen of results on, or back.",
           shown_key="pgup pgdn", footer=False, palette=False),
    Action("search.page_up", "pageup", "page(-1)", "", "Previous screen of results", "", footer=False, palette=False),
    Action("search.first", "home", "edge(False)", "", "First result", "In the results: go to the first or the last.",
           shown_key="home end", footer=False, palette=False),
    Action("search.last", "end", "edge(True)", "", "Last result", "", footer=False, palette=False),
)  # fmt: skip
