"""`carrel restore`: puts a backup in the library's place, or begins anew from the folders."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.command import command as carrel_command
from app.cli.session import Session, pass_session, print_json
from app.wording.paths import short_path
from engine.figures import counted

if TYPE_CHECKING:
    from engine.maintenance.rebuild import Rebuilt


@carrel_command(
    "restore",
    reports=True,
    examples=(
        ("carrel restore ~/backups/carrel.backup", "Put a backup in the library's place."),
        ("carrel restore --rebuild", "Begin anew where the library cannot be read: index its folders again."),
    ),
)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--rebuild", is_flag=True, help="Without a backup: save what can be read, and index the folders again.")
@pass_session
def command(session: Session, file: Path | None, rebuild: bool) -> None:
    """Put the backup FILE in the library's place, which may be damaged or missing.

    The backup is checked first, and the library that was there is kept beside the new one, under a name that is told.
    `carrel sync` then brings in what changed since the backup. No indexer may run meanwhile.
    """
    from app.json_shapes import copy_shape, path_fields

    if rebuild == (file is not None):
        raise click.UsageError("Name a backup, or --rebuild; one of the two.")
    if file is None:
        _rebuild(session)
        return
    restored = session.care().restore(file)
    kept = restored.kept
    if session.json:
        print_json({**copy_shape(restored.copied), "kept": path_fields(os.fsencode(kept)) if kept else None})
        return
    held = f"{counted(restored.copied.documents, 'document')}, {counted(restored.copied.passages, 'passage')}"
    click.echo(f"Restored: {held}")
    _tell_kept(kept)
    click.echo("`carrel sync` brings in what has changed since the backup.", err=True)


def _tell_kept(kept: Path | None) -> None:
    if kept is not None:
        click.echo(f"The library that was there is kept as {short_path(os.fsencode(kept))}")


def _rebuild(session: Session) -> None:
    """Save what can be read of the library, and index its folders anew, with progress."""
    from app.cli.interruption import stop_on_signal
    from app.cli.progress_line import progress
    from app.json_shapes import path_fields, sync_shape

    show = progress()
    with stop_on_signal() as stop:
        try:
            rebuilt = session.care().rebuild(on_event=show, stop=stop)
        finally:
            show.close()
    if session.json:
        kept = path_fields(os.fsencode(rebuilt.kept)) if rebuilt.kept else None
        found = {"saved": dict(rebuilt.saved), "not_saved": dict(rebuilt.lost)}
        print_json({**found, "kept": kept, "sync": sync_shape(rebuilt.report)})
        return
    for line in _told(rebuilt):
        click.echo(line)
    _tell_kept(rebuilt.kept)


def _told(rebuilt: Rebuilt) -> list[str]:
    from app.cli.commands.sync import lines

    saved, lost = (
        ", ".join(f"{number:,} {name}" for name, number in found.items() if number)
        for found in (rebuilt.saved, rebuilt.lost)
    )
    told = [f"Saved from the library that was there: {saved or 'nothing'}"]
    told += [f"Could not be read, and is not there any more: {lost}"] if lost else []
    return [*told, *lines(rebuilt.report)]
