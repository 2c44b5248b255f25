"""`carrel add`: registers folders to watch; indexing them is `carrel sync`."""

from __future__ import annotations

from pathlib import Path

import click

from app.cli.arguments import folders_argument
from app.cli.command import command as carrel_command
from app.cli.session import Session, pass_session, print_json


@carrel_command(
    "add",
    reports=True,
    examples=(
        ("carrel add ~/notes ~/code/docs", "Watch two folders and all that lies in them."),
        ("carrel add ~/notes && carrel sync", "Watch a folder and index it at once."),
    ),
)
@folders_argument(required=True)
@pass_session
def command(session: Session, folders: tuple[Path, ...]) -> None:
    """Watch folders, with all that lies in them.

    This only registers them; `carrel sync` indexes them once, `carrel watch` and the browser keep them indexed.
    What .gitignore and .carrelignore name is left out, and so are hidden files.
    """
    from app.cli.path_arguments import folder_given
    from app.json_shapes import folder_shape
    from app.wording.paths import short_path

    wanted = [folder_given(folder) for folder in folders]
    with session.open(create=True) as library:
        known = {folder.path for folder in library.folders()}
        added = [library.add(folder) for folder in wanted]
        indexer = library.status().writer
    if session.json:
        print_json({"added": [folder_shape(folder) for folder in added]})
        return
    for folder in added:
        click.echo(f"{'Already watched' if folder.path in known else 'Added'}: {short_path(folder.path)}")
    if indexer is None:
        click.echo("`carrel sync` indexes what is new; `carrel` opens the browser, which does the same.", err=True)
    else:
        click.echo(f"The indexer that runs (process {indexer.pid}) takes it from here.", err=True)
