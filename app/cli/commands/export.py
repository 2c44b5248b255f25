"""`carrel export`: the library as JSON Lines."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

from app.cli.command import LibraryPlace
from app.cli.command import command as carrel_command
from app.cli.output import utf8_output
from app.cli.session import DONE, INTERRUPTED, Session, pass_session, print_json
from app.wording.paths import short_path
from engine.figures import counted

if TYPE_CHECKING:
    from collections.abc import Callable

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
@click.argument("file", metavar="FILE", type=LibraryPlace(path_type=Path, allow_dash=True))
@click.option("--no-vectors", is_flag=True, help="Leave vectors out: a fifth of the size, embedded anew by an import.")
@pass_session
def command(session: Session, file: Path | str, no_vectors: bool) -> int | None:
    """Write folders, documents, passages and judgements to FILE, one JSON object a line; `-` is the standard output.

    The export shows one moment of the library, whoever works on it. The log of searches is not in it. Only you can
    read the file.

    Where FILE is a team library's address, the folders and marks of your own file are brought there, vectors included,
    for you alone until you share them; with --library ADDRESS your own folders of this machine come back as FILE.
    """
    from app.json_shapes import path_fields

    if isinstance(file, str):
        return _to_team(session, file)
    care: Exporting = _OfTeam(session.team) if session.team else session.care()
    if str(file) == "-":
        with utf8_output() as write:
            exported = care.export(write, with_vectors=not no_vectors)
        click.echo(_told(exported), err=True)
        return None
    exported = care.export_to(file, with_vectors=not no_vectors)
    if session.json:
        figures = {name: getattr(exported, name) for name in ("folders", "documents", "passages", "judgements")}
        print_json({**path_fields(os.fsencode(file.absolute())), **figures})
    else:
        click.echo(f"{short_path(os.fsencode(file.absolute()))}: {_told(exported)}")
    return None


class Exporting(Protocol):
    """What writes an export: to a file, or line by line."""

    def export_to(self, target: Path, *, with_vectors: bool = True) -> Exported:
        """Write it to a file."""

    def export(self, write: Callable[[str], object], *, with_vectors: bool = True) -> Exported:
        """Give it line by line."""


class _OfTeam:
    """Exports one's own folders of this machine out of a team library."""

    def __init__(self, address: str) -> None:
        from engine.team.membership import this_machine

        self._from = (address, this_machine())

    def export_to(self, target: Path, *, with_vectors: bool = True) -> Exported:
        """Write it to a file that only its owner can read, and that has its name once it is whole."""
        from engine.maintenance.exporter import written_to
        from engine.maintenance.team_export import export_own

        return written_to(target, lambda write: export_own(*self._from, write, with_vectors=with_vectors))

    def export(self, write: Callable[[str], object], *, with_vectors: bool = True) -> Exported:
        """Give it line by line."""
        from engine.maintenance.team_export import export_own

        return export_own(*self._from, write, with_vectors=with_vectors)


def _to_team(session: Session, address: str) -> int:
    """Bring the folders and marks of a file to a team library, and tell what was brought."""
    from app.cli.interruption import stop_on_signal
    from app.cli.progress_line import progress
    from app.cli.team_library import brought_lines, brought_shape
    from engine.errors import UsageError
    from engine.maintenance.team_export import into_team
    from engine.paths import library_path
    from engine.team.address import checked
    from engine.team.membership import this_machine

    if session.team:
        raise UsageError("From one team library to another nothing is exported.", fix="Export to a file between them.")
    show = progress()
    with stop_on_signal() as stop:
        try:
            brought, marks = into_team(library_path(session.library), checked(address), this_machine(), show, stop)
        finally:
            show.close()
    if session.json:
        print_json({"team": brought_shape(brought), "judgements": marks})
    else:
        click.echo("\n".join([*brought_lines(brought), f"{counted(marks, 'judgement')}"]))
    return INTERRUPTED if stop.is_set() else DONE


def _told(exported: Exported) -> str:
    parts = (
        counted(exported.folders, "folder"),
        counted(exported.documents, "document"),
        counted(exported.passages, "passage"),
        counted(exported.judgements, "judgement"),
    )
    return ", ".join(parts)
