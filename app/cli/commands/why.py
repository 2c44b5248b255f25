"""`carrel why`: at which stage a document fell out of a search."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.arguments import files
from app.cli.command import command as carrel_command
from app.cli.session import Session, pass_session, print_json
from app.explanation import STAGE_NAMES
from app.wording.cells import table
from app.wording.paths import short_path
from app.wording.safe_text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.library import Library
    from engine.records import WhyReport, WhyStage


@carrel_command(
    "why",
    reports=True,
    examples=(
        ("carrel why 'keep a starter alive' 'Bread machine.md'", "Tell why a note is not among the results."),
        ("carrel why --json starter yeast.md", "The same for a script."),
    ),
)
@click.argument("query")
@click.argument("path", shell_complete=files)
@pass_session
def command(session: Session, query: str, path: str) -> None:
    """Tell at which stage of a search a document fell out, and what would bring it back.

    QUERY is one argument: quote it. PATH is a path, or the end of one that only one document has.
    """
    from app.json_shapes import why_shape
    from engine.config import load

    settings = load().search_settings()  # as `carrel search` asks
    with session.open() as library:
        report = library.why(query, _asked_for(library, path), settings=settings)
    if session.json:
        print_json(why_shape(report))
    else:
        click.echo("\n".join(lines(report)))


def _asked_for(library: Library, path: str) -> Path:
    """Return the path asked for; one that no document has is passed on, since being unknown is an answer too."""
    from app.cli.path_arguments import absolute, find_document, left_out_file
    from engine.errors import PathError

    typed = absolute(path)
    if typed.exists():
        return typed
    try:
        return Path(os.fsdecode(find_document(library, path).path))
    except PathError:
        return left_out_file(library, path) or typed


def lines(report: WhyReport) -> Iterator[str]:
    """Yield the answer, the stages with what each found, and the advice."""
    name = short_path(report.path)
    if report.found:
        yield f"{name} is in the list" + (f", at rank {report.final_rank}." if report.final_rank else ".")
    else:
        yield f"{name} is not in the list."
    yield ""
    yield from table([_stage(stage, report.advice) for stage in report.stages])
    if report.advice:
        yield ""
        yield from (f"→ {one_line(advice)}" for advice in report.advice)


def _stage(stage: WhyStage, advice: Sequence[str]) -> tuple[str, str, str]:
    """Return one stage as a row: a sign and a word, the stage, and what was found there."""
    rank = f"rank {stage.rank}" if stage.rank is not None and "rank" not in stage.detail else ""
    found = ", ".join(part for part in (rank, one_line(stage.detail)) if part)
    tells = stage.needed and not stage.passed and stage.needed not in advice
    needed = f" — needed: {one_line(stage.needed)}" if tells else ""
    return ("✓ passed" if stage.passed else "✗ lost", STAGE_NAMES.get(stage.stage, stage.stage), found + needed)
