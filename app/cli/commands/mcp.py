"""`carrel mcp`: the library for assistants and editors, read only."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path

import click

from app.cli import factories
from app.cli.command import command as carrel_command
from app.cli.session import Session, pass_session
from engine.paths import expanded


@carrel_command(
    "mcp",
    examples=(
        ("carrel mcp", "Serve the library; a client starts this, not you."),
        ("carrel mcp --folder ~/notes/work", "Let it see this folder alone."),
    ),
)
@click.option(
    "--folder", "folders", multiple=True, type=click.Path(path_type=Path), metavar="PATH",
    help="See only what lies in this folder; may be given again.",
)  # fmt: skip
@click.option(
    "--include", multiple=True, type=click.Choice(("mail", "keys")),
    help="See mail too, or files whose names say that they hold keys and passwords; may be given again.",
)  # fmt: skip
@pass_session
def command(session: Session, folders: tuple[Path, ...], include: tuple[str, ...]) -> None:
    """Let assistants and editors search the library, by the Model Context Protocol on standard input and output.

    Four tools: search, read, related, why. They see what is indexed and nothing else of the disk, without mail and
    keys, and change nothing. What they ask is written to the log of searches where that is on, under their own name,
    and teaches Carrel nothing.
    """
    from app.mcp.library_tools import LibraryTools
    from app.mcp.visible_documents import scope_of

    roots = [os.fsencode(os.path.realpath(expanded(folder))) for folder in folders]
    if sys.stdin.isatty():
        click.echo("A client starts this and speaks to it; by hand there is nothing to see. Ctrl-C ends it.", err=True)
    opened = partial(factories.open_library, session.place)
    factories.serve_programs(LibraryTools(opened, scope_of(roots, include)))
