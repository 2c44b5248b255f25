"""`carrel browse`: the browser, opened on a query."""

from __future__ import annotations

import click

from app.cli import factories
from app.cli.query_command import QueryCommand
from app.cli.session import Session, pass_session


@click.command(
    "browse",
    cls=QueryCommand,
    examples=(
        ("carrel browse how do I keep a starter alive", "Begin with the rows of a question."),
        ("carrel browse starter -stove", "With all that a query may hold."),
        ("carrel -q starter", "The same, shorter; `carrel ~/notes -q starter` adds a folder first."),
    ),
)
@click.argument("query", nargs=-1, metavar="[QUERY]...")
@pass_session
def command(session: Session, query: tuple[str, ...]) -> int:
    """Open the browser on a query; it stands in the query line, to be changed."""
    from app.cli.commands.browse_folders import without_screen

    words = " ".join(query)
    if not factories.interactive():
        raise without_screen(words)
    return factories.open_browser(session.place, [], words)
