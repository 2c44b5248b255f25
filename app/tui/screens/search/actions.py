"""What a person can do on the search screen."""

from __future__ import annotations

from app.tui.actions import Action

WHAT_IF = Action("search.what_if", "f12,alt+w,w", "what_if", "what if", "What if: try other weights on these results",
       "Try other weights, fusion, feedback on the rows that stand there; keep them or return.", late=True)  # fmt: skip
RIGHT = Action("search.right", "f10,alt+y,plus", "judge(2)", "right", "Right: this is what I searched for",
       "Mark the row as right for this search: it ranks higher here and for the like. Again takes it back.",
       where="rows", late=True)  # fmt: skip
WRONG = Action("search.wrong", "f11,alt+n,minus", "judge(-2)", "wrong", "Wrong: this is not what I searched for",
       "Mark the row as wrong for this search: it ranks lower here and for the like. Again takes it back.",
       where="rows", late=True)  # fmt: skip
UNMARK = Action("search.unmark", "alt+u,u", "unjudge", "", "Take back the last mark, right or wrong",
       "Take back what was marked right or wrong last; again, the mark before it.", footer=False)  # fmt: skip
SPELLING = Action("search.spelling", "shift+tab", "take_spelling", "",
       "Take the word that is offered for an unknown one",
       "Put the word that is offered in the place of one that no passage holds.", footer=False)  # fmt: skip
EXPLAIN = Action("search.explain", "ctrl+t,e", "explain", "explain", "Explain the ranking of this result",
       "See why the selected result ranks where it does.")  # fmt: skip
WHY_NOT = Action("search.why_not", "ctrl+n,n", "why_not", "why not", "Why not: find out why a note is not in the list",
       "Name a note that you miss: see where it was lost and what would bring it back.")  # fmt: skip
COMPARE = Action("search.compare", "f7,alt+c,c", "compare", "compare", "Compare this result with the one above",
       "See two results side by side: the selected one and the marked one, else the one above.",
       late=True)  # fmt: skip
FILTERS = Action("search.filters", "ctrl+f", "filters", "filter", "Filter: folder, type, tag, title, date",
       "Pick a filter from what is here: folder, type, tag, title, date.")  # fmt: skip
DROP_FILTER = Action("search.drop_filter", "alt+z,backspace", "drop_filter", "", "Take the last filter away",
       "Take away the last filter, exclusion or phrase; in the results backspace does it too.",
       footer=False)  # fmt: skip
MORE = Action("search.more", "ctrl+down,full_stop", "more", "", "Show more rows", "Show the next hundred rows.",
       footer=False)  # fmt: skip
HISTORY = Action("search.history", "ctrl+r", "history", "history", "Searched before",
       "Pick a search of before.", late=True)  # fmt: skip
SAVED = Action("search.saved", "f6,alt+s", "saved", "saved", "Saved searches: run, keep, drop",
       "Saved searches: run one, keep the present one, drop one, watch one for notes that are new.",
       late=True)  # fmt: skip
OPENED_BEFORE = Action("search.opened_before", "alt+b", "opened_before", "", "Opened before",
       "Pick a document that was opened before, and read it.", footer=False)  # fmt: skip
COPY = Action("search.copy", "ctrl+y,y", "copy", "copy", "Copy as path, place, link or quotation",
       "Copy the result, or all that are marked, as a second letter says: y then p, l, m, w, q or t.",
       where="rows")  # fmt: skip
SEARCH_ACTIONS = (
    Action("search.open", "enter", "open", "open", "Open in the editor", "Open the note in your editor, at the line."),
    SPELLING,
    EXPLAIN,
    Action("search.rows", "tab", "swap_focus", "results", "Go to the results", "Go to the results, and back.",
           where="query"),
    Action("search.back", "escape,slash", "back", "query", "Back to the query line",
           "Back to the query line; there, close the explanation or empty the line.", where="rows"),
    WHAT_IF,
    WHY_NOT,
    Action("search.similar", "ctrl+l,m", "similar", "more like this", "More like this passage",
           "List the passages of other notes that are nearest in meaning to the selected one; at once again goes back.",
           late=True),
    COMPARE,
    Action("search.pane", "f2,alt+v", "toggle_pane", "preview", "Show or hide the preview", "Show or hide the preview.",
           late=True),
    Action("search.density", "alt+d,d", "density", "", "Rows with all figures, in two lines, or in one",
           "Show rows with all their figures, in two lines, or in one.", footer=False),
    Action("search.border_left", "alt+left", "move_border(-1)", "", "Make the preview larger",
           "Make the preview larger or smaller; its border can be dragged, too.", shown_key="alt+←→", footer=False),
    Action("search.border_right", "alt+right", "move_border(1)", "", "Make the preview smaller", "", footer=False),
    Action("search.scroll_down", "shift+down", "scroll_pane(3)", "", "Scroll the preview down",
           "Scroll the preview or the explanation.", shown_key="shift+↑↓", footer=False),
    Action("search.scroll_up", "shift+up", "scroll_pane(-3)", "", "Scroll the preview up", "",
           footer=False),
    FILTERS,
    DROP_FILTER,
    Action("search.bring_back", "alt+i", "bring_back", "", "Bring back the query that was emptied",
           "After esc, or after another search was picked: bring back what stood there before; so does ctrl+z then.",
           footer=False),
    Action("search.sort", "ctrl+s,s", "sort", "sort", "Sort by relevance, date or name",
           "Sort the rows by relevance, by date, by name.", where="rows"),
    Action("search.unfold", "ctrl+g", "unfold", "unfold", "Show or hide the further passages of this note",
           "Show the further passages of the selected note below it, or fold them away.", where="rows"),
    MORE,
    HISTORY,
    SAVED,
    OPENED_BEFORE,
    Action("search.reader", "ctrl+o,r", "reader", "read", "Read the whole document",
           "Read the whole document: outline, finding, links."),
    Action("search.next_hit", "alt+down", "hit_in_document(1)", "", "Next hit in this document",
           "In the preview: go to the next hit in the same document, or the one before.",
           shown_key="alt+↑↓", footer=False),
    Action("search.previous_hit", "alt+up", "hit_in_document(-1)", "", "Previous hit in this document", "",
           footer=False),
    Action("search.mark", "f8,alt+m,x,space", "mark", "mark", "Mark this result, to open several at once",
           "Mark results: opening and copying then act on all that are marked.", where="rows"),
    COPY,
    Action("search.copy_text", "Y", "copy_text", "", "Copy the text of the passage",
           "Copy the text of the passage, of all marked results where there are any.", footer=False, where="rows"),
    *(
        Action(f"search.open_{number}", f"alt+{number}", f"open_row({number})", "", f"Open row {number}",
               "Open the row of that number." if number == 1 else "", shown_key="alt+1…9", footer=False, palette=False)
        for number in range(1, 10)
    ),
    RIGHT,
    WRONG,
    UNMARK,
)  # fmt: skip

WHAT_IF_ACTIONS = (
    Action("what_if.move", "left", "screen.step_what_if(-1)", "try", "", "In what if: choose with up and down, change.",
           "panel", shown_key="↑↓ ←→", palette=False),
    Action("what_if.back", "escape", "screen.back", "back", "", "", "panel", palette=False),
    Action("what_if.keep", "K", "screen.keep_what_if", "keep as my default", "Keep what is tried as my default",
           "In what if: rank every search so from now on; r goes back.", "panel"),
    Action("what_if.reset", "r", "screen.reset_what_if", "reset", "Reset: return to my own settings",
           "In what if: return to your own settings; after they were changed here, to those of before.", "panel"),
    Action("what_if.copy_text", "y", "screen.copy_explanation('text')", "copy as text", "Copy the explanation as text",
           "In what if: copy the explanation as text.", "panel"),
    Action("what_if.copy_json", "Y", "screen.copy_explanation('json')", "copy as JSON", "Copy the explanation as JSON",
           "In what if: copy every figure of the row as JSON.", "panel"),
)  # fmt: skip
