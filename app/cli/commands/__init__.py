"""One module per command, named after it. This table is all that `carrel --help` needs to know of them."""

from __future__ import annotations

SECTIONS: dict[str, dict[str, str]] = {
    "Find": {
        "search": "Find passages by meaning and by words.",
        "browse": "Open the browser on a query.",
        "pick": "Choose results on the terminal for another program.",
        "why": "Tell why a document is not among the results.",
        "show": "Print a document, or its text from a line on.",
        "open": "Open a document in your editor.",
    },
    "Learn": {
        "mark": "Mark a passage as right or wrong for a question.",
        "marks": "List what was marked and opened, or forget it.",
        "judge": "Judge results blind, to make a collection of your own.",
        "retrain": "Retrain the model on your own questions.",
        "runs": "See what retraining has brought; steer a run.",
        "promote": "Take a retrained model into use.",
        "rollback": "Go back to the model before.",
        "shadow": "Let a model run beside the one in use, and compare.",
        "log": "Show the log of searches; switch it on, off, empty it.",
    },
    "Folders": {
        "add": "Watch folders.",
        "remove": "Forget folders; their files stay as they are.",
        "folders": "List what is watched.",
        "sync": "Bring the index up to date, once.",
        "watch": "Keep the index up to date until stopped.",
        "team": "Share folders in a library of several people.",
    },
    "Care": {
        "status": "Show the library at a glance.",
        "doctor": "Check the library, and repair it.",
        "backup": "Copy the library to a file.",
        "restore": "Put a backup back, or begin anew from the folders.",
        "compact": "Give the space of what was removed back.",
        "export": "Write the library as JSON Lines.",
        "import": "Take an export into the library.",
        "models": "Choose the model that reads for meaning.",
        "late": "Rank the best passages again, word by word.",
        "eval": "Judge retrieval on test collections.",
        "demo": "Try Carrel on notes that come with it.",
        "init": "Print what binds the picker to a key: shells, editors, tmux.",
        "mcp": "Let assistants and editors search the library.",
        "serve": "Show the browser in a web browser of this machine.",
        "completion": "Print the completion script of a shell.",
    },
}

MODULES = {"import": "import_export", "team": "team_commands"}  # where a command's name is not that of its module

ONE_IS_NO_MATCH = frozenset({"pick"})  # commands whose 1 says nothing else, so that what goes wrong ends them with 2

COMMANDS: dict[str, str] = {name: text for commands in SECTIONS.values() for name, text in commands.items()}
