"""One module per command, named after it. This table is all that `carrel --help` needs to know of them."""

from __future__ import annotations

SECTIONS: dict[str, dict[str, str]] = {
    "Find": {
        "search": "Find passages by meaning and by words.",
        "why": "Tell why a document is not among the results.",
        "show": "Print a document, or its text from a line on.",
        "open": "Open a document in your editor.",
    },
    "Folders": {
        "add": "Watch folders.",
        "remove": "Forget folders; their files stay as they are.",
        "folders": "List what is watched.",
        "sync": "Bring the index up to date, once.",
        "watch": "Keep the index up to date until stopped.",
    },
    "Care": {
        "status": "Show the library at a glance.",
        "doctor": "Check the library, and repair it.",
        "models": "Choose the model that reads for meaning.",
        "eval": "Judge retrieval on test collections.",
        "demo": "Try Carrel on notes that come with it.",
        "completion": "Print the completion script of a shell.",
    },
}

COMMANDS: dict[str, str] = {name: text for commands in SECTIONS.values() for name, text in commands.items()}
