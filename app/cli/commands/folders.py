"""`carrel folders`: what is watched."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from app.cli.command import command as carrel_command
from app.cli.session import Session, pass_session, print_json
from app.wording.cells import table
from app.wording.paths import quoted, short_path
from app.wording.times import clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.records import Folder


@carrel_command("folders", reports=True, examples=(("carrel folders", "One line for each watched folder."),))
@pass_session
def command(session: Session) -> None:
    """List the folders that are watched, with what is indexed of each."""
    from app.json_shapes import folder_shape, forgotten_shape

    with session.open() as library:
        folders, forgotten = library.folders(), library.forgotten()
    if session.json:
        waiting = [forgotten_shape(each.path, each.documents, each.until) for each in forgotten]
        print_json({"folders": [folder_shape(folder) for folder in folders], "forgotten": waiting})
        return
    if folders:
        click.echo("\n".join(folder_table(folders)))
    else:
        click.echo("No folder is watched yet: `carrel add FOLDER`.", err=True)
    for each in forgotten:
        click.echo(f"Forgotten: {short_path(each.path)}. Until {_moment(each.until)} it comes back by:", err=True)
        click.echo(f"  carrel remove --undo {quoted(each.path)}", err=True)


def _moment(until: float) -> str:
    """Return a moment of today or tomorrow: 14:05 tomorrow."""
    today = time.localtime().tm_yday == time.localtime(until).tm_yday
    return f"{clock(until)} {'today' if today else 'tomorrow'}"


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
