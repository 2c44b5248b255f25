"""`carrel open`: a document in the person's editor, at its line."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from app.cli.arguments import place_argument
from app.cli.command import command as carrel_command
from app.cli.session import Session, pass_session

if TYPE_CHECKING:
    from app.editors import EditorCommand


@carrel_command(
    "open",
    examples=(
        ("carrel open kitchen/sourdough.md:14", "Open a note at a line, as `carrel search` prints it."),
        ("EDITOR='code --wait' carrel open sourdough.md", "Use another editor; the end of a path is enough."),
    ),
)
@place_argument
@pass_session
def command(session: Session, path: str) -> int:
    """Open a document in your editor, at a line; PDF, office files and e-books in the program that shows them.

    Your editor is the setting `editor`, else $VISUAL, else $EDITOR.
    PATH is a path, or the end of one that only one document has. LINE is a line of the file, of a PDF its page; one
    that the file has not is passed over.
    """
    from app.cli.path_arguments import place
    from app.editors import VIEWED_KINDS, editor_command
    from engine.config import load

    name, number = place(path)
    found = _on_disk(session, name)
    kind = _kind(found)
    line: int | None = number or 1
    if kind in VIEWED_KINDS or not _has_line(found, number or 1):
        line = None
    return start(editor_command(found, line, kind=kind, page=number, setting=load().editor))


def _on_disk(session: Session, name: str) -> bytes:
    """Return the absolute path of the file: one that exists as typed, else a document of the library."""
    from app.cli.path_arguments import absolute, find_document
    from app.wording.paths import elsewhere
    from engine.errors import PathError
    from engine.paths import owner_of

    typed = absolute(name)
    if os.path.isfile(typed):
        return os.fsencode(typed)
    with session.open() as library:
        path = find_document(library, name).path
    if owner_of(path) is not None:
        raise PathError(elsewhere(path, "Its text is here"), fix=f"`carrel show {name}` prints it.")
    if not os.path.isfile(path):
        raise PathError(
            f"{name} is in the library, but its file is gone.",
            fix=f"`carrel show {name}` prints the text that was indexed; `carrel sync` forgets it.",
        )
    return path


def _has_line(path: bytes, line: int) -> bool:
    """Whether a file has that many lines; what follows the last line end is one more."""
    left = line - 1
    with open(path, "rb") as file:
        while left > 0 and (block := file.read(2**20)):
            left -= block.count(b"\n")
    return left <= 0


def _kind(path: bytes) -> str:
    from engine.sources.readers import kind_of

    return kind_of(os.path.basename(path)) or ""


def start(editor: EditorCommand) -> int:
    """Start the editor and return its exit code; one with a window of its own is not waited for."""
    from engine.errors import ConfigError

    try:
        if editor.in_terminal:
            return subprocess.run(editor.arguments, check=False).returncode
        subprocess.Popen(
            editor.arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise ConfigError(
            f"The editor {editor.name} could not be started.",
            cause=f"{error.strerror}.",
            fix="Set $EDITOR to the editor that you use.",
        ) from error
    return 0
