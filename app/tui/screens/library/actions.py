"""What a person can do on the library screen, and what its help says beside the keys."""

from __future__ import annotations

from app.tui.actions import Action

ADD = Action("library.add", "a,plus,insert", "add", "add", "Add a folder", "Watch another folder.")
LIBRARY_ACTIONS = (
    Action("library.open", "enter", "open", "search inside", "Search inside this folder, or open this file",
           "On a folder: search inside it. On a file: open it in your editor. On a rule: list what it leaves out."),
    ADD,
    Action("library.pause", "p", "pause", "pause", "Pause or resume this folder",
           "Stop following a folder for a while, or follow it again. What is indexed stays searchable."),
    Action("library.rules", "i", "rules", "rules", "Change what is left out of this folder",
           "Write rules for what is left out, and see at once what they would do."),
    Action("library.retry", "r", "retry", "try again", "Try the files that failed again",
           "Read what failed again: the selected file, or all that failed in the selected folder."),
    Action("library.look", "u", "look", "look now", "Look at this folder now",
           "Compare the folder with the index now; starts the indexer again where it was given up."),
    Action("library.remove", "delete,D", "remove", "forget", "Forget this folder",
           "Take the folder out of the library, after a question. Its files stay."),
    Action("library.accept", "y", "accept", "", "Let go of documents whose files are gone",
           "Where most of a folder is gone at once its documents are kept; this lets them go, after a question.",
           footer=False),
    Action("library.undo", "z", "undo", "", "Take back the folder that was forgotten last",
           "Within a day, a folder that was forgotten comes back with all that was indexed of it.", footer=False),
    Action("library.check", "c", "check", "check", "Check the library file",
           "Check that file, documents, words and vectors agree, as `carrel doctor` does."),
    Action("library.models", "m", "models", "models", "Choose the model that reads for meaning",
           "Languages, size, licence of each model, and about how long it would take here; one that is here is taken"
           " into use.", footer=False),
    Action("library.mark", "space,x", "mark", "", "Mark this line, to act on several at once",
           "Mark folders or files: to pause, try again, look, forget and open then acts on all that are marked.",
           footer=False),
    Action("library.side", "tab,shift+tab", "swap_side", "other side", "Go to the other side",
           "Go to what was left out, failed and changed, and back to the folders."),
    Action("library.back", "escape,slash", "back", "search", "Back to the search", "Go back to the search."),
)  # fmt: skip

HELP_PAGES = (
    (
        "Why a file may not be there",
        (
            ("left out by a rule", "a built-in one, .gitignore, .carrelignore, or a rule of your own (i)"),
            ("failed", "it could not be read; the reason stands beside it, r tries again"),
            ("paused", "its folder is not followed until it is resumed (p)"),
            ("✗ not there", "the folder is missing, a disk perhaps; its documents are kept"),
            (
                "✗ files gone",
                "most files went at once; their documents are kept until they are back, or y lets them go",
            ),
        ),
    ),
)
