"""`carrel mark`: tells the library that a passage answers a question, or does not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from app.cli.arguments import place_argument
from app.cli.command import command as carrel_command
from app.cli.session import Session, pass_session, print_json
from app.wording.paths import located
from app.wording.places import page_name
from app.wording.safe_text import one_line

if TYPE_CHECKING:
    from engine.library import Library
    from engine.records import StoredPassage

SIGNS = ("+", "-", "undo")


@carrel_command(
    "mark",
    reports=True,
    examples=(
        ("carrel mark 'how do I keep a starter alive' sourdough.md:14", "This passage is the answer."),
        ("carrel mark 'how do I keep a starter alive' stove.md -", "This note is not what was meant."),
        ("carrel mark 'how do I keep a starter alive' stove.md undo", "Take a mark back."),
    ),
)
@click.argument("query")
@place_argument
@click.argument("sign", metavar="[+|-|undo]", type=click.Choice(SIGNS), default="+")
@pass_session
def command(session: Session, query: str, path: str, sign: str) -> None:
    """Mark a passage as right (+) or wrong (-) for a question; the next search for the like counts it.

    PATH is a path, or the end of one that only one document has. LINE names the passage, in a PDF its page; without it,
    the document's passage that is nearest to QUERY is marked. Marks stay in the library file; `carrel marks` lists
    them, and the setting `memory = false` lets searches pass over them.
    """
    from app.json_shapes import path_fields
    from engine.store.judgements import RIGHT, WRONG

    with session.open() as library:
        passage = _passage(library, query, path)
        if sign == "undo":
            done = library.unmark(query, passage.id)
        else:
            library.mark(query, passage.id, RIGHT if sign == "+" else WRONG)
            done = True
    place = located(passage.path, passage.line_start)
    if session.json:
        marked = None if sign == "undo" else sign
        print_json(
            {"query": query, **path_fields(passage.path), "line": passage.line_start, "mark": marked, "changed": done}
        )
    elif sign == "undo":
        click.echo(f"No longer marked: {place}" if done else f"It was not marked: {place}")
    else:
        click.echo(f"Marked {'right' if sign == '+' else 'wrong'} for “{one_line(query)}”: {place}")


def _passage(library: Library, query: str, path: str) -> StoredPassage:
    """Return the passage that is meant. Raises PathError."""
    from app.cli.path_arguments import find_document, place
    from app.document_lines import passages_at
    from engine.errors import PathError

    name, line = place(path)
    document = find_document(library, name)
    passages = library.passages_of(document.id)
    if not passages:
        raise PathError(f"{name} holds no text.", fix="Mark a note with text in it.")
    if line is None:
        nearest = library.nearest_passage(query, document.id)
        return next((passage for passage in passages if passage.id == nearest), passages[0])
    inside = passages_at(passages, line)
    if not inside:
        what = "page" if passages[0].page else "line"
        raise PathError(f"{name} has no {what} {line}.", cause=_last(passages))
    if passages[0].page:
        nearest = library.nearest_passage(query, document.id)
        return next((passage for passage in inside if passage.id == nearest), inside[0])
    return inside[-1]  # where two passages share a line, the later one begins there


def _last(passages: Sequence[StoredPassage]) -> str:
    """Return up to where the passages of a document reach."""
    last = passages[-1]
    if last.line_end:
        return f"Its last one is line {last.line_end}."
    if last.page:
        return f"Its last one is {page_name('', last.page)}."
    return "Its file has neither lines nor pages; the number is a line of the text that `carrel show` prints."
