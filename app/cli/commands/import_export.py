"""`carrel import`: takes an export into the library."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO

import click

from app.cli.command import command as carrel_command
from app.cli.session import DONE, INTERRUPTED, Session, pass_session, print_json
from app.wording.paths import short_path
from engine.figures import counted


@carrel_command(
    "import",
    reports=True,
    examples=(
        ("carrel import library.jsonl", "Take an export in, beside what is there."),
        ("zstd -dc library.jsonl.zst | carrel import -", "Read it from another program."),
    ),
)
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@pass_session
def command(session: Session, file: Path) -> int:
    """Take the folders, documents and judgements of an export into the library; `-` is the standard input.

    All of FILE is checked before the library is touched. Documents that are there already stay as they are. Vectors
    are taken where both have the same model, and made anew otherwise. The imported folders are watched from then on:
    where they are on this machine, the next sync makes the library agree with their files. No indexer may run
    meanwhile.
    """
    from dataclasses import asdict

    from app.cli.interruption import stop_on_signal
    from app.cli.progress_line import progress

    show = progress()
    with stop_on_signal() as stop, _opened(file) as stream:
        name = "the standard input" if str(file) == "-" else short_path(os.fsencode(file))
        try:
            imported = session.care().import_from(stream, name, on_event=show, stop=stop)
        finally:
            show.close()
    if session.json:
        print_json(asdict(imported))
    else:
        kept = f"; {counted(imported.known, 'document')} were there already" if imported.known else ""
        click.echo(f"{counted(imported.folders, 'new folder')}, {counted(imported.documents, 'document')}{kept}")
        made = f", {imported.embedded:,} of them embedded here" if imported.embedded else ""
        made += f", {imported.pending:,} still to be embedded by the next sync" if imported.pending else ""
        click.echo(f"{counted(imported.passages, 'passage')}{made}, {counted(imported.judgements, 'judgement')}")
    if stop.is_set():
        click.echo("Stopped early; what was imported is kept, and importing again goes on from here.", err=True)
        return INTERRUPTED
    return DONE


def _opened(file: Path) -> IO[bytes]:
    from engine.errors import PathError

    if str(file) == "-":
        return open(sys.stdin.fileno(), "rb", closefd=False)
    try:
        return file.open("rb")
    except OSError as error:
        raise PathError(
            f"{file} cannot be read: {error.strerror}.", fix="Name a file that `carrel export` wrote."
        ) from error
