"""`carrel remove`: forgets folders and what was indexed of them; the files stay as they are."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli import completing
from app.cli.command import command as carrel_command
from app.cli.exit_codes import DONE, FAILED
from app.cli.session import Session, pass_session
from app.cli.text import count, short_path

if TYPE_CHECKING:
    from engine.library import Library
    from engine.records import Folder


@carrel_command(
    "remove",
    reports=True,
    examples=(
        ("carrel remove ~/code/docs", "Forget a folder, after asking."),
        ("carrel remove --yes ~/code/docs", "The same, without asking."),
    ),
)
@click.argument(
    "folders",
    nargs=-1,
    required=True,
    metavar="PATH...",
    type=click.Path(path_type=Path),
    shell_complete=completing.folders,
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_session
def command(session: Session, folders: tuple[Path, ...], yes: bool) -> int:
    """Forget watched folders: their documents leave the index, their files are not touched."""
    from app.cli.paths import absolute
    from app.cli.shapes import path_fields, print_json

    with session.open() as library:
        watched = [_watched(library, absolute(folder)) for folder in folders]
        if not yes and not _agreed(watched):
            click.echo("Nothing was changed.", err=True)
            return FAILED
        forgotten = [(folder, _forget(library, folder)) for folder in watched]
    if session.json:
        print_json({"removed": [{**path_fields(folder.path), "documents": number} for folder, number in forgotten]})
        return DONE
    for folder, number in forgotten:
        click.echo(f"Forgotten: {short_path(folder.path)}, with {count(number, 'document')}")
    return DONE


def _watched(library: Library, path: Path) -> Folder:
    """Return the watched folder at `path`; raises PathError where there is none, before anything is forgotten."""
    from engine.errors import PathError

    wanted = os.fsencode(path)
    for folder in library.folders():
        if folder.path == wanted or os.path.realpath(folder.path) == os.path.realpath(wanted):
            return folder
    raise PathError(
        f"{short_path(wanted)} is not a watched folder.", fix="`carrel folders` lists the folders that are watched."
    )


def _forget(library: Library, folder: Folder) -> int:
    """Forget a folder, by asking the indexer where one runs, and return how many documents went."""
    from app.cli.asking import done_or_asked
    from app.cli.interruption import stop_on_signal
    from app.cli.progress import progress

    path = Path(os.fsdecode(folder.path))
    with stop_on_signal() as stop:
        show = progress()
        done = done_or_asked(
            library, lambda: library.remove(path), [("remove", os.fspath(path))], on_event=show, stop=stop
        )
        show.close()
    if done is None:
        raise KeyboardInterrupt
    return done if isinstance(done, int) else int(done[0].get("documents", 0))


def _agreed(folders: list[Folder]) -> bool:
    """Ask the person and return the answer; without a terminal there is nobody to ask."""
    if not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask on; `--yes` removes without asking.")
    names = ", ".join(short_path(folder.path) for folder in folders)
    documents = count(sum(folder.documents for folder in folders), "document")
    return click.confirm(f"Forget {names}? {documents} leave the index; no file is touched.", err=True)
