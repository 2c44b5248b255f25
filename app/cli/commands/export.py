"""`carrel export`: the library as JSON Lines."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.command import command as carrel_command
from app.cli.output import utf8_output
from app.cli.session import Session, pass_session, print_json
from app.wording.figures import counted
from app.wording.paths import short_path

if TYPE_CHECKING:
    from engine.maintenance.exporter import Exported


@carrel_command(
    "export",
    reports=True,
    examples=(
        ("carrel export library.jsonl", "Write all that is indexed, with vectors, to a file."),
        ("carrel export --no-vectors - | jq -r 'select(.type == \"document\").title'", "Read it with another program."),
        ("carrel export - | zstd > library.jsonl.zst", "Write it compressed."),
    ),
)
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--no-vectors", is_flag=True, help="Leave vectors out: a fifth of the size, embedded anew by an import.")
@pass_session
def command(session: Session, file: Path, no_vectors: bool) -> None:
    """Write folders, documents, passages and judgements to FILE, one JSON object a line; `-` is the standard output.

    The export shows one moment of the library, whoever works on it. The log of searches is not in it. Only you can
    read the file.
    """
    from app.json_shapes import path_fields

    care = session.care()
    if str(file) == "-":
        with utf8_output() as write:
            exported = care.export(write, with_vectors=not no_vectors)
        click.echo(_told(exported), err=True)
        return
    exported = care.export_to(file, with_vectors=not no_vectors)
    if session.json:
        figures = {name: getattr(exported, name) for name in ("folders", "documents", "passages", "judgements")}
        print_json({**path_fields(os.fsencode(file.absolute())), **figures})
    else:
        click.echo(f"{short_path(os.fsencode(file.absolute()))}: {_told(exported)}")


def _told(exported: Exported) -> str:
    parts = (
        counted(exported.folders, "folder"),
        counted(exported.documents, "document"),
        counted(exported.passages, "passage"),
        counted(exported.judgements, "judgement"),
    )
    return ", ".join(parts)
