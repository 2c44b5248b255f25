"""`carrel backup`: copies the library to a file, whoever works on it meanwhile."""

from __future__ import annotations

from pathlib import Path

import click

from app.cli.command import command as carrel_command
from app.cli.session import Session, pass_session, print_json
from app.wording.paths import short_path
from engine.figures import counted, size


@carrel_command(
    "backup",
    reports=True,
    examples=(
        ("carrel backup ~/backups/carrel.backup", "Copy the library; an older backup there is replaced."),
        ("carrel backup carrel-$(date +%F).backup", "Keep one for each day."),
        ("carrel restore carrel.backup", "Put a backup back."),
    ),
)
@click.argument("file", type=click.Path(path_type=Path))
@pass_session
def command(session: Session, file: Path) -> None:
    """Copy the library to FILE, as it is at one moment, while it is searched and indexed.

    The copy is checked before it gets its name, and only you can read it. It holds all that is indexed, with words and
    vectors, so that nothing needs to be embedded again; it does not hold your files.
    """
    import os

    from app.json_shapes import copy_shape

    copied = session.care().back_up(file)
    if session.json:
        print_json(copy_shape(copied))
        return
    held = f"{counted(copied.documents, 'document')}, {counted(copied.passages, 'passage')}, {size(copied.bytes)}"
    click.echo(f"{short_path(os.fsencode(copied.path))}: {held}, checked")
