"""`carrel marks`: what was marked and opened, and how to forget it."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, TypeAlias

import click

from app.cli.command import command as carrel_command
from app.cli.session import DONE, FAILED, Session, agreed, pass_session, print_json
from app.wording.cells import cut_front, fold_words, table, width
from app.wording.paths import short_path
from app.wording.safe_text import one_line
from app.wording.times import day
from engine.figures import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.library import Library
    from engine.records import Mark

INDENT = "   "
Row: TypeAlias = "tuple[str, str, str, str]"
"""Mark, day, place and query."""
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
        places = library.places_of_marks(marks)
        if empty:
            return _forget(session, library, len(marks), yes)
    if session.json:
        print_json({"marks": [mark_shape(*each) for each in zip(marks, places, strict=True)]})
    elif marks:
        rows = [
            (f"{SIGNS[mark.grade]} {JUDGED[mark.grade]}", day(mark.at), _place(mark, now), one_line(mark.query))
            for mark, now in zip(marks, places, strict=True)
        ]
        click.echo("\n".join(_lines(rows)))
    else:
        click.echo("Nothing is marked yet: `carrel mark QUERY PATH`, or + and - in the browser.", err=True)
    return DONE


def _lines(rows: Sequence[Row]) -> list[str]:
    """Return a line for each mark; on a terminal that is too narrow, more lines, none of them wider than it is."""
    lines, columns = table(rows), shutil.get_terminal_size().columns
    if not sys.stdout.isatty() or max(map(width, lines)) <= columns:
        return lines
    return [line for row in rows for line in _folded(row, columns)]


def _folded(row: Row, columns: int) -> list[str]:
    """Return when a search was marked and what was asked, folded between words, and the end of the passage's path."""
    said, at, place, query = row
    lead = f"{said:<8}  {at}  "
    room = columns - len(INDENT)
    first, *rest = fold_words(query, room, first=columns - width(lead))
    return [lead + first, *(INDENT + line for line in (*rest, cut_front(place, room)))]


def _place(mark: Mark, now: Sequence[bytes]) -> str:
    """Return where the passage of a mark stands now, or that it was not found."""
    return short_path(now[0]) if now else f"{short_path(mark.path)} (no passage found)"


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
