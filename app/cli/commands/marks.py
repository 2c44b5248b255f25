"""`carrel marks`: what was marked and opened, and how to forget it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from app.cli.command import command as carrel_command
from app.cli.session import DONE, FAILED, Session, agreed, pass_session, print_json
from app.wording.cells import table
from app.wording.figures import counted
from app.wording.paths import short_path
from app.wording.safe_text import one_line
from app.wording.times import day

if TYPE_CHECKING:
    from engine.library import Library

SIGNS = {2: "+", -2: "-", 1: "·"}  # by the grade of a mark


@carrel_command(
    "marks",
    reports=True,
    examples=(
        ("carrel marks", "List what was marked and opened, newest first."),
        ("carrel marks --empty", "Forget all of it, after asking."),
    ),
)
@click.option("--empty", is_flag=True, help="Forget all marks, and what was opened.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_session
def command(session: Session, empty: bool, yes: bool) -> int:
    """List the results that were marked or opened, with the search for which; they are kept in the library file."""
    from app.json_shapes import JUDGED, mark_shape

    with session.open() as library:
        marks = library.marks()
        if empty:
            return _forget(session, library, len(marks), yes)
    if session.json:
        print_json({"marks": [mark_shape(mark) for mark in marks]})
    elif marks:
        rows = [
            (f"{SIGNS[mark.grade]} {JUDGED[mark.grade]}", day(mark.at), short_path(mark.path), one_line(mark.query))
            for mark in marks
        ]
        click.echo("\n".join(table(rows)))
    else:
        click.echo("Nothing is marked yet: `carrel mark QUERY PATH`, or + and - in the browser.", err=True)
    return DONE


def _forget(session: Session, library: Library, number: int, yes: bool) -> int:
    """Forget all marks, after asking."""
    if number and not yes:
        question = f"Forget {counted(number, 'mark')}? They cannot be brought back."
        if not agreed(question, does="forgets"):
            click.echo("Nothing was changed.", err=True)
            return FAILED
    forgotten = library.empty_marks()
    if session.json:
        print_json({"forgotten": forgotten})
    else:
        click.echo(f"Forgotten: {counted(forgotten, 'mark')}")
    return DONE
