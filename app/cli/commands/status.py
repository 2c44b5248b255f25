"""`carrel status`: the library at a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from app.cli.command import command as carrel_command
from app.cli.session import Session, pass_session, print_json
from app.wording.cells import table
from app.wording.meaning import how_far
from app.wording.paths import short_path
from app.wording.safe_text import one_line
from app.wording.times import clock
from engine.figures import counted, percent_there, size

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from engine.events import Watching
    from engine.records import Folder, ModelCoverage, Status


@carrel_command(
    "status",
    reports=True,
    examples=(
        ("carrel status", "What is indexed, with which model, and whether it is up to date."),
        ("carrel status --json | jq .stale", "How many files changed since the last sync."),
    ),
)
@pass_session
def command(session: Session) -> None:
    """Show the library: its documents, its folders, its model, and whether the index is up to date."""
    with session.open() as library:
        status, watched = library.status(stale=True), library.watching()
    if session.json:
        from app.json_shapes import status_shape

        print_json(status_shape(status, watched))
    else:
        click.echo("\n".join(lines(status, watched)))


def _wordless(status: Status) -> str:
    return f" ({status.wordless:,} of data, found by words alone)" if status.wordless else ""


def _meaning(status: Status) -> list[tuple[str, str]]:
    if not status.pending:
        return []
    waiting = f"{counted(status.pending, 'passage')} still to be embedded"
    return [("found by", f"{how_far(1.0, status.meaning)} ({waiting})")]


def _fitted(status: Status) -> list[tuple[str, str]]:
    from app.wording.fusion_constants import in_use

    return [("fusion", one_line(in_use(status.fitted, status.model)))] if status.fitted else []


def lines(status: Status, watched: Watching | None = None) -> Iterator[str]:
    """Yield the status as aligned lines, the folders last."""
    import os

    from app.cli.commands.folders import folder_table

    read_only = ", read-only" if status.read_only else ""
    rows = [
        ("library", f"{short_path(os.fsencode(status.library))} ({size(status.bytes)}{read_only})"),
        ("documents", f"{status.documents:,}, in {counted(status.passages, 'passage')}{_wordless(status)}"),
        *_meaning(status),
        ("model", status.model),
        *(("", follower(each)) for each in status.followers),
        *_fitted(status),
        ("index", _freshness(status.stale)),
        ("indexer", _indexer(status)),
    ]
    if watched is not None:
        from app.cli.log_lines import watching

        rows += [("", watching(watched))] + ([("", watched.fix)] if watched.fix else [])
    if status.failed:
        rows.append(
            ("failed", f"{counted(status.failed, 'file')} could not be read (`carrel sync --full` tries again)")
        )
    rows += [line for folder in status.folders if folder.held for line in _held_back(folder)]
    if status.skipped:
        rows.append(("left out", f"{sum(status.skipped.values()):,}"))
    yield from table(rows)
    yield from left_out(status.skipped)
    yield ""
    if status.folders:
        yield from folder_table(status.folders)
    else:
        yield "No folder is watched yet: `carrel add FOLDER`."


def follower(model: ModelCoverage) -> str:
    """Say how far a model is that follows the one in use, and why it does."""
    why = {"shadow": "runs beside it", "kept": "kept to go back to"}.get(model.state, "not complete yet")
    if model.shared:
        return f"{one_line(model.name)}: {why}, by the same vectors"
    return f"{one_line(model.name)}: {why}, {percent_there(model.share, 1)} of its vectors"


def left_out(skipped: Mapping[str, int]) -> list[str]:
    """Return how many files each rule left out, the most first."""
    by_number = sorted(skipped.items(), key=lambda item: (-item[1], item[0]))
    return table([(f"{number:,}", reason) for reason, number in by_number], right=(0,), indent="           ")


def _held_back(folder: Folder) -> list[tuple[str, str]]:
    """Return what is kept of a folder whose files are gone, and how that ends."""
    from engine.indexing.removal_guard import said_of, way_out

    return [("held back", one_line(said_of(folder.path, folder.held))), ("", one_line(way_out(folder.path)))]


def _freshness(stale: int) -> str:
    if stale < 0:
        return "not compared with the files"
    return f"{counted(stale, 'file')} changed since the last sync" if stale else "up to date"


def _indexer(status: Status) -> str:
    if status.writer is None:
        return "not running"
    return f"running: {status.writer.task}, process {status.writer.pid}, since {clock(status.writer.since)}"
