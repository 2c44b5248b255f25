"""`carrel demo`: the browser on a vault of notes that comes with Carrel, in a library of its own."""

from __future__ import annotations

import shlex

import click

from app.cli import factories
from app.cli.command import command as carrel_command
from app.cli.session import Session, pass_session


@carrel_command(
    "demo",
    reports=True,
    examples=(
        ("carrel demo", "Try Carrel on somebody else's notes."),
        ("carrel demo --fresh", "The same, with the notes as they came."),
    ),
)
@click.option("--fresh", is_flag=True, help="Copy the notes anew; what you changed in them is lost.")
@pass_session
def command(session: Session, /, fresh: bool) -> int:
    """Open the browser on notes that come with Carrel.

    They are one person's kitchen, garden, bicycle, stars and travels, copied to a folder of their own, so you may
    change them. Your own library, settings and history are not touched. Try "why is my bread flat", or "starter", and
    press ctrl+t.
    """
    from app.cli.commands.browse_folders import without_terminal
    from app.demo import demo_home, demo_library, ready_notes

    session.library = session.library or demo_library()
    notes = ready_notes(fresh=fresh)
    if factories.interactive() and not session.json:
        with demo_home():
            return factories.open_browser(session.library, [notes])
    library = shlex.quote(str(session.library))
    return without_terminal(
        session, [notes], f"To search: carrel search --library {library} why is my bread flat   (in a terminal, "
        "`carrel demo` opens the browser)",
    )  # fmt: skip
