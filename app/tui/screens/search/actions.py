"""What a person can do on the search screen."""

from __future__ import annotations

from app.tui.actions import Action

WHAT_IF = Action("search.what_if", "f12,w", "what_if", "what if", "What if: try other weights on these results",
       "Try other weights, fusion, feedback on the rows that stand there; keep them or return.", late=True)  # fmt: skip
SEARCH_ACTIONS = (
    Action("search.next", "down", "move(1)", "move", "Next result", "Select another result, also while you type.",
           shown_key="↑↓"),
    Action("search.previous", "up", "move(-1)", "", "Previous result", "", footer=False),
    Action("search.open", "enter", "open", "open", "Open in the editor", "Open the note in your editor, at the line."),
    Action("search.explain", "ctrl+t,e", "explain", "explain", "Explain the ranking of this result",
           "See why the selected result ranks where it does."),
    Action("search.rows", "tab", "swap_focus", "results", "Go to the results", "Go to the results, and back.",
           where="query"),
    Action("search.back", "escape,slash", "back", "query", "Back to the query line",
           "Back to the query line; there, close the explanation or empty the line.", where="rows"),
    WHAT_IF,
    Action("search.why_not", "ctrl+n,n", "why_not", "why not", "Why not: find out why a note is not in the list",
           "Name a note that you miss: see where it was lost and what would bring it back."),
    Action("search.similar", "ctrl+l,m", "similar", "more like this", "More like this passage",
           "List the passages of other notes that are nearest in meaning to the selected one.",
           late=True),
    Action("search.compare", "f7,c", "compare", "compare", "Compare this result with the one above",
           "See two results side by side: the selected one and the marked one, else the one above.",
           late=True),
    Action("search.pane", "f2", "toggle_pane", "preview", "Show or hide the preview", "Show or hide the preview.",
           late=True),
    Action("search.scroll_down", "shift+down", "scroll_pane(3)", "", "Scroll the preview down",
           "Scroll the preview or the explanation.", shown_key="shift+↑↓", footer=False),
    Action("search.scroll_up", "shift+up", "scroll_pane(-3)", "", "Scroll the preview up", "",
           footer=False),
    Action("search.page_down", "pagedown", "page(1)", "", "Next screen of results",
           "Go a screen of results on, or back.",
           shown_key="pgup pgdn", footer=False),
    Action("search.page_up", "pageup", "page(-1)", "", "Previous screen of results", "", footer=False),
    Action("search.first", "home", "edge(False)", "", "First result", "In the results: go to the first or the last.",
           shown_key="home end", footer=False),
    Action("search.last", "end", "edge(True)", "", "Last result", "", footer=False),
)  # fmt: skip

WHAT_IF_ACTIONS = (
    Action("what_if.move", "left", "screen.what_if", "change", "", "In what if: choose with up and down, change.",
           "panel", shown_key="↑↓ ←→", palette=False),
    Action("what_if.keep", "k", "screen.keep_what_if", "keep as my default", "Keep what is tried as my default",
           "In what if: rank every search so from now on.", "panel"),
    Action("what_if.reset", "r", "screen.reset_what_if", "reset", "Reset: return to my own settings",
           "In what if: return to your own settings.", "panel"),
    Action("what_if.copy_text", "y", "screen.copy_explanation('text')", "copy as text", "Copy the explanation as text",
           "In what if: copy the explanation as text.", "panel"),
    Action("what_if.copy_json", "j", "screen.copy_explanation('json')", "copy as JSON", "Copy the explanation as JSON",
           "In what if: copy every figure of the row as JSON.", "panel"),
    Action("what_if.back", "escape", "screen.back", "back", "", "", "panel", palette=False),
)  # fmt: skip
