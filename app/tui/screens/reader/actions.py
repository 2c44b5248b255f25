"""What a person can do in the reader. Its letters work while the text has the focus."""

from __future__ import annotations

from app.tui.actions import Action

COPY = Action("reader.copy_path", "y,ctrl+y", "copy", "", "Copy this place, in a form of your choice",
       "Copy the path, path:line, a link, a quotation or the text of the passage that you read.",
       footer=False)  # fmt: skip
READER_ACTIONS = (
    Action("reader.back_out", "escape,q,ctrl+o", "leave_or_clear", "back", "Back to the results",
           "Back to the results; first the outline, what was found and a chosen link are let go."),
    Action("reader.find", "slash,ctrl+f", "find", "find", "Find in this text", "Find words in this text."),
    Action("reader.outline", "o,f2,alt+v", "outline", "outline", "Show or hide the outline",
           "Show the headings, choose one with the arrows and enter; again hides them."),
    Action("reader.link", "tab", "link(True)", "link", "Next link", "Choose the next link; shift+tab the one before.",
           where="rows"),
    Action("reader.editor", "e", "editor", "edit", "Open in the editor at this line",
           "Open the note in your editor, or a PDF in its viewer, at the place that you read.", where="rows"),
    Action("reader.next", "n", "found(True)", "next", "Next place found",
           "Go to the next place found; before anything is sought, to the next hit of the search.", where="rows"),
    Action("reader.previous", "N", "found(False)", "", "Previous place found", "Go to the one before.",
           shown_key="N", where="rows", footer=False),
    Action("reader.follow", "enter", "follow", "follow", "Follow the chosen link",
           "Follow the chosen link: into the note it leads to, to a heading, or to the web browser.", where="rows"),
    Action("reader.history_back", "left_square_bracket,alt+left", "history(False)", "go back",
           "Back to where the link was", "Go back to where a link was followed; ] or alt+right goes forward again.",
           shown_key="["),
    Action("reader.page", "space", "page(1)", "", "Next screen of text", "Go a screen on; b goes back.", footer=False,
           palette=False),
    Action("reader.page_back", "b", "page(-1)", "", "Screen of text before", "", footer=False, palette=False),
    Action("reader.link_back", "shift+tab", "link(False)", "", "Previous link", "", footer=False),
    Action("reader.history_forward", "right_square_bracket,alt+right", "history(True)", "",
           "Forward again", "", shown_key="]", footer=False),
    COPY,
    Action("reader.copy_text", "Y", "copy_text", "", "Copy the passage", "Copy the passage that you read.",
           shown_key="Y", footer=False),
    Action("reader.wrap", "w", "wrap", "", "Fold long lines, or not", "Fold long lines, or move along them with ← →.",
           footer=False),
    Action("reader.left", "left,h", "sideways(-1)", "", "Move along lines to the left", "", footer=False,
           palette=False),
    Action("reader.right", "right,l", "sideways(1)", "", "Move along lines to the right", "", footer=False,
           palette=False),
)  # fmt: skip
