"""`carrel folders`: what is watched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from app.cli.command import command as carrel_command
from app.cli.session import Session, pass_session
from app.cli.text import short_path, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.records import Folder


@carrel_command("folders", reports=True, examples=(("carrel folders", "One line for each watched folder."),))
@pass_session
def command(session: Session) -> None:
    """List the folders that are watched, with what is indexed of each."""
    from app.cli.shapes import folder_shape, print_json

    with session.open() as library:
        folders = library.folders()
    if session.json:
        print_json({"folders": [folder_shape(folder) for folder in folders]})
    elif folders:
        click.echo("\n".join(folder_table(folders)))
    else:
        click.echo("No folder is watched yet: `carrel add FOLDER`.", err=True)


def folder_table(folders: Sequence[Folder]) -> list[str]:
    """Return the folders as aligned lines below a heading."""
    rows = [("folder", "state", "documents", "passages", "failed")]
    rows += [
        (
            short_path(folder.path),
            folder.state,
            f"{folder.documents:,}",
            f"{folder.passages:,}",
            f"{folder.failed:,}" if folder.failed else "–",
        )
        for folder in folders
    ]
    return table(rows, right=(2, 3, 4))
