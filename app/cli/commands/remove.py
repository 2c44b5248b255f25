"""`carrel remove`: forgets folders and what was indexed of them; the files stay as they are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.arguments import folders_argument
from app.cli.command import command as carrel_command
from app.cli.session import DONE, FAILED, INTERRUPTED, Session, agreed, pass_session, print_json
from app.wording.figures import counted
from app.wording.paths import quoted, short_path

if TYPE_CHECKING:
    from engine.library import Library
    from engine.records import Folder


@carrel_command(
    "remove",
    reports=True,
    examples=(
        ("carrel remove ~/code/docs", "Forget a folder, after asking."),
        ("carrel remove --yes ~/code/docs", "The same, without asking."),
        ("carrel remove --undo ~/code/docs", "Take it back, within a day, with all that was indexed of it."),
    ),
)
@folders_argument(required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--undo", is_flag=True, help="Take folders back that were forgotten within a day.")
@click.option("--forever", is_flag=True, help="Keep nothing for --undo; this gives the space free at once.")
@pass_session
def command(session: Session, folders: tuple[Path, ...], yes: bool, undo: bool, forever: bool) -> int:
    """Forget watched folders: their documents leave the index, their files are not touched.

    For a day they can be taken back, by --undo or by `carrel add`, without being embedded again.
    """
    from app.cli.path_arguments import absolute
    from app.json_shapes import path_fields

    if undo:
        if forever or yes:
            raise click.UsageError("--undo goes with neither --yes nor --forever.")
        return _take_back(session, [absolute(folder) for folder in folders])
    with session.open() as library:
        watched = [_watched(library, absolute(folder)) for folder in folders]
        if not yes and not agreed(_question(watched, forever), does="removes"):
            click.echo("Nothing was changed.", err=True)
            return FAILED
        forgotten = [(folder, _forget(library, folder, forever)) for folder in watched]
    if session.json:
        print_json({"removed": [{**path_fields(folder.path), "documents": number} for folder, number in forgotten]})
        return DONE
    for folder, number in forgotten:
        click.echo(f"Forgotten: {short_path(folder.path)}, with {counted(number, 'document')}")
        if not forever:
            undo_line = f"carrel remove --undo {quoted(folder.path)}"
            click.echo(f"`{undo_line}` takes it back, until this time tomorrow.", err=True)
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


def _forget(library: Library, folder: Folder, forever: bool) -> int:
    """Forget a folder, by asking the indexer where one runs, and return how many documents went."""
    from app.cli.indexer_request import done_or_asked
    from app.cli.interruption import stop_on_signal
    from app.cli.progress_line import progress

    path = Path(os.fsdecode(folder.path))
    order = ("remove_forever" if forever else "remove", os.fspath(path))
    with stop_on_signal() as stop:
        show = progress()
        done = done_or_asked(library, lambda: library.remove(path, forever=forever), [order], on_event=show, stop=stop)
        show.close()
    if done is None:
        raise KeyboardInterrupt
    return done if isinstance(done, int) else int(done[0].get("documents", 0))


def _question(folders: list[Folder], forever: bool) -> str:
    """Return what is asked before folders are forgotten."""
    names = ", ".join(short_path(folder.path) for folder in folders)
    documents = counted(sum(folder.documents for folder in folders), "document")
    undone = "This cannot be undone." if forever else "For a day it can be undone."
    return f"Forget {names}? {documents} leave the index; no file is touched. {undone}"


def _take_back(session: Session, paths: list[Path]) -> int:
    """Watch forgotten folders again and bring back what was indexed of them, and what has changed since."""
    from app.cli.interruption import stop_on_signal
    from app.cli.progress_line import progress
    from app.cli.sync_report import bring_up_to_date
    from app.json_shapes import path_fields

    with stop_on_signal() as stop, session.open() as library:
        back = [library.undo_remove(path) for path in paths]
        show = progress()
        try:
            at = [Path(os.fsdecode(each.path)) for each in back]
            bring_up_to_date(library, at, full=False, on_event=show, stop=stop)
        finally:
            show.close()
        held = {each.path: each for each in library.folders()}
    if session.json:
        print_json({"taken_back": [{**path_fields(one.path), "documents": held[one.path].documents} for one in back]})
        return INTERRUPTED if stop.is_set() else DONE
    for one in back:
        click.echo(f"Taken back: {short_path(one.path)}, with {counted(held[one.path].documents, 'document')}")
    return INTERRUPTED if stop.is_set() else DONE
