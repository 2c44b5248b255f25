"""`carrel serve`: the browser in a web browser of this machine."""

from __future__ import annotations

import click

from app.cli import factories
from app.cli.command import command as carrel_command
from app.cli.session import Session, pass_session, print_json
from engine.errors import CarrelError

LAST_PORT = 65_535


@carrel_command(
    "serve",
    reports=True,
    examples=(
        ("carrel serve", "Print an address; open it in a web browser of this machine."),
        ("carrel serve --port 8745", "The same on a port of your choice, as `ssh -L` wants one."),
    ),
)
@click.option("--port", type=click.IntRange(0, LAST_PORT), default=0, metavar="N", help="The port [a free one].")
@pass_session
def command(session: Session, port: int) -> None:
    """Show the browser in a web browser of this machine, until Ctrl-C.

    Nobody reaches it but through the address that is printed: it holds a token that changes with each start. Who has
    the address sees your notes, so share it with nobody.

    A web browser keeps some keys for itself, ctrl+t and ctrl+n among them: in the results (tab) press e to explain
    a row and n to ask why a note is missing. Your editor needs a terminal; ctrl+o reads a document here. Needs
    the extra `web`.
    """
    import importlib.util

    from engine.paths import library_path

    if importlib.util.find_spec("textual_serve") is None:
        from engine.installation import command_for

        raise CarrelError("Serving needs textual-serve, which is not installed.", fix=f"Run: {command_for('web')}")

    def told(address: str) -> None:
        if session.json:
            print_json({"address": address})
        else:
            click.echo(f"Carrel is at {address}")
            click.echo("Open it in a web browser of this machine, and share it with nobody. Ctrl-C ends it.", err=True)

    factories.serve_page(session.team or library_path(session.library), port, told)
