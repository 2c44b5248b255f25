"""`carrel show`: the text of a document, as the library holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from app.cli.arguments import place_argument
from app.cli.command import command as carrel_command
from app.cli.output import write_raw
from app.cli.session import Session, pass_session, print_json
from app.wording.paths import short_path
from app.wording.safe_text import cleaned
from engine.figures import counted

if TYPE_CHECKING:
    from engine.records import StoredDocument

BEFORE = 2  # lines shown above the one that was asked for
MARK = "▌"


@carrel_command(
    "show",
    reports=True,
    examples=(
        ("carrel show kitchen/sourdough.md", "Print a document."),
        ("carrel show sourdough.md:14", "Print it from two lines before line 14 on; the end of a path is enough."),
    ),
)
@place_argument
@pass_session
def command(session: Session, path: str) -> None:
    """Print the text of a document, as it was indexed; PDF and other formats as plain text.

    PATH is a path, or the end of one that only one document has. LINE is a line of the file, of a PDF its page. A
    terminal gets signs in place of control and invisible characters; a pipe or a file gets the text as it is.
    """
    from app.cli.path_arguments import find_document, place
    from app.document_lines import line_of_text
    from app.json_shapes import document_shape

    name, line = place(path)
    with session.open() as library:
        document = find_document(library, name)
        passages = library.passages_of(document.id) if line is not None else ()
    text_line = None if line is None else line_of_text(document, passages, line)
    shown = None if text_line is None else from_line(document, text_line)
    if session.json:
        print_json({**document_shape(document), "text_line": text_line})
    elif shown is None:
        write_raw(document.text if document.text.endswith("\n") else document.text + "\n")
    else:
        click.echo("\n".join(shown))


def from_line(document: StoredDocument, line: int) -> list[str]:
    """Return the numbered lines from shortly before `line` on, with `line` marked. Raises PathError past the end."""
    from engine.errors import PathError

    lines = document.text.removesuffix("\n").split("\n") if document.text else []  # what an editor counts
    if line > len(lines):
        raise PathError(f"{short_path(document.path)} has {counted(len(lines), 'line')}; there is no line {line:,}.")
    first = max(1, line - BEFORE)
    digits = len(str(len(lines)))
    return [
        click.style(f"{number:>{digits}} {MARK} {cleaned(text)}", bold=True)
        if number == line
        else f"{number:>{digits}}   {cleaned(text)}".rstrip()
        for number, text in enumerate(lines[first - 1 :], first)
    ]
