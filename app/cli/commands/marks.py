"""`carrel marks`: what was marked and opened, and how to forget it."""

from __future__ import annotations

import sys

import click

from app.cli.command import command as carrel_command
from app.cli.exit_codes import DONE, FAILED
from app.cli.session import Session, pass_session
from app.cli.text import count, day, one_line, short_path, table

WORDS = {2: "+ right", -2: "- wrong", 1: "· opened"}


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
    from app.cli.shapes import moment, path_fields, print_json

    with session.open() as library:
        marks = library.marks()
        if empty:
            if marks and not yes and not _agreed(len(marks)):
                click.echo("Nothing was changed.", err=True)
                return FAILED
            forgotten = library.empty_marks()
            if session.json:
                print_json({"forgotten": forgotten})
            else:
                click.echo(f"Forgotten: {count(forgotten, 'mark')}")
            return DONE
    if session.json:
        shapes = [
            {
                "query": mark.query,
                **path_fields(mark.path),
                "mark": WORDS[mark.grade][2:],
                "passage_hash": mark.passage_hash.hex(),
                "at": moment(mark.at),
            }
            for mark in marks
        ]
        print_json({"marks": shapes})
    elif marks:
        rows = [(WORDS[mark.grade], day(mark.at), short_path(mark.path), one_line(mark.query)) for mark in marks]
        click.echo("\n".join(table(rows)))
    else:
        click.echo("Nothing is marked yet: `carrel mark QUERY PATH`, or + and - in the browser.", err=True)
    return DONE


def _agreed(number: int) -> bool:
    """Ask the person and return the answer; without a terminal there is nobody to ask."""
    if not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask on; `--yes` forgets without asking.")
    return click.confirm(f"Forget {count(number, 'mark')}? They cannot be brought back.", err=True)
