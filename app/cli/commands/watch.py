"""`carrel watch`: the indexer in the foreground, without a screen."""

from __future__ import annotations

import sys

import click

from app.cli.command import command as carrel_command
from app.cli.session import Session, pass_session


@carrel_command(
    "watch",
    reports=True,
    examples=(
        ("carrel watch", "Index, then follow what changes, until Ctrl-C."),
        ("carrel watch --json >> events.jsonl", "The same, one JSON object a line."),
    ),
)
@pass_session
def command(session: Session) -> None:
    """Bring the index up to date and keep it so, until Ctrl-C or SIGTERM.

    The browser does the same while it is open. Where one of them indexes already, this one follows it, prints what it
    does, and takes over as soon as it ends. Beside this, `carrel sync` and the other commands work as ever. What you
    share with a team (`carrel team`) is brought to its library as soon as it has changed.
    """
    from app.cli import factories
    from app.cli.interruption import stop_on_signal
    from app.cli.log_lines import LogLines
    from engine.events import Event, to_line

    def print_json(event: Event) -> None:
        click.echo(to_line(event))

    with session.open_own() as library:
        path = library.path
    with stop_on_signal() as stop:
        factories.run_indexer(path, print_json if session.json else LogLines(sys.stdout), stop)
