"""`carrel remove`: forgets folders and what was indexed of them; the files stay as they are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.arguments import folders_argument
from app.cli.command import command as carrel_command
from app.cli.session import DONE, FAILED, INTERRUPTED, Session, agreed, pass_session, print_json
from app.wording.paths import quoted, short_path
from engine.figures import counted

if TYPE_CHECKING:
    from engine.library import Library

Found = tuple[bytes, int]  # a folder's absolute path, and how many documents it holds


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
        found = [_found(library, absolute(folder), forever) for folder in folders]
        if not yes and not agreed(_question(found, forever), does="removes"):
            click.echo("Nothing was changed.", err=True)
            return FAILED
        forgotten = [(path, _forget(library, path, forever)) for path, _ in found]
    if session.json:
        print_json({"removed": [{**path_fields(path), "documents": number} for path, number in forgotten]})
        return DONE
    for path, number in forgotten:
        click.echo(f"Forgotten: {short_path(path)}, with {counted(number, 'document')}")
        if not forever:
            undo_line = f"carrel remove --undo {quoted(path)}"
            click.echo(f"`{undo_line}` takes it back, until this time tomorrow.", err=True)
    return DONE


def _found(library: Library, path: Path, forever: bool) -> Found:
    """Return the watched folder at `path`, or one to forget `forever` that waits since it was removed without.

    Raises PathError where there is none, before anything is forgotten.
    """
    from engine.errors import PathError

    wanted = os.fsencode(path)
    known = [(folder.path, folder.documents) for folder in library.folders()]
    known += [(each.path, each.documents) for each in library.forgotten()] if forever else []
    for each in known:
        if each[0] == wanted or os.path.realpath(each[0]) == os.path.realpath(wanted):
            return each
    raise PathError(
        f"{short_path(wanted)} is not a watched folder.", fix="`carrel folders` lists the folders that are watched."
    )


def _forget(library: Library, folder: bytes, forever: bool) -> int:
    """Forget a folder, by asking the indexer where one runs, and return how many documents went."""
    from app.cli.indexer_request import done_or_asked
    from app.cli.interruption import stop_on_signal
    from app.cli.progress_line import progress

    path = Path(os.fsdecode(folder))
    order = ("remove_forever" if forever else "remove", os.fspath(path))
    with stop_on_signal() as stop:
        show = progress()
        done = done_or_asked(library, lambda: library.remove(path, forever=forever), [order], on_event=show, stop=stop)
        show.close()
    if done is None:
        raise KeyboardInterrupt
    return done if isinstance(done, int) else int(done[0].get("documents", 0))


def _question(found: list[Found], forever: bool) -> str:
    """Return what is asked before folders are forgotten."""
    names = ", ".join(short_path(path) for path, _ in found)
    documents = counted(sum(number for _, number in found), "document")
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
