"""`carrel sync`: brings the index up to date, once, with progress."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.command import command as carrel_command
from app.cli.session import DONE, INTERRUPTED, Session, pass_session, print_json
from app.wording.paths import short_path
from app.wording.safe_text import one_line
from app.wording.times import duration
from engine.figures import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.records import SyncReport

MOST_FAILURES = 20  # more are counted; `--json` has them all


@carrel_command(
    "sync",
    reports=True,
    examples=(
        ("carrel sync", "Index what is new or changed in the watched folders."),
        ("carrel sync ~/notes/kitchen", "Look at one folder or file only."),
        ("carrel sync --full", "Read every file again, those that failed included."),
        ("carrel sync --wait words", "Return as soon as every file is found by its words."),
        ("carrel sync --accept-removals ~/notes", "Let documents go whose files are gone, though they are many."),
    ),
)
@click.argument("paths", nargs=-1, metavar="[PATH...]", type=click.Path(path_type=Path))
@click.option("--full", is_flag=True, help="Read every file again, not only those that changed.")
@click.option("--accept-removals", is_flag=True, help="Let go of what is held back because most of a folder is gone.")
@click.option(
    "--wait",
    type=click.Choice(["words", "meaning"]),
    default="meaning",
    show_default=True,
    help="Return once all is found by words, or by meaning too.",
)
@pass_session
def command(session: Session, paths: tuple[Path, ...], full: bool, accept_removals: bool, wait: str) -> int:
    """Bring the index up to date, once.

    Every file is found by its words as soon as it is read; its passages are embedded after that, the latest files'
    first. With --wait words that is left to the indexer that runs, or to the next sync; with PATH so is what waits
    elsewhere.

    Where more than half of a folder's documents, and at least 20, have lost their files at once, they are kept and stay
    searchable until the files are back or --accept-removals lets them go (the setting hold_back).

    What you share with a team (`carrel team`) is brought to its library at the end.

    A file that cannot be read is reported and stops nothing. Beside a running indexer (the browser, `carrel watch`, or
    another sync) that one is asked to do it. Ctrl-C keeps what was indexed; the next sync goes on from there.
    """
    from app.cli.interruption import stop_on_signal
    from app.cli.path_arguments import absolute
    from app.cli.progress_line import progress
    from app.cli.sync_report import bring_up_to_date
    from app.cli.team_library import brought_lines, brought_shape, brought_to_team
    from app.json_shapes import sync_shape

    with stop_on_signal() as stop, session.open_own() as library:
        if not library.folders():
            click.echo("No folder is watched yet: `carrel add FOLDER`.", err=True)
        show = progress()
        try:
            report = bring_up_to_date(
                library,
                [absolute(path) for path in paths],
                full=full,
                accept_removals=accept_removals,
                meaning=wait == "meaning",
                on_event=show,
                stop=stop,
            )
            brought = brought_to_team(session, show, stop)
        finally:
            show.close()
    if session.json:
        print_json({**sync_shape(report), **({"team": brought_shape(brought)} if brought else {})})
    else:
        click.echo("\n".join([*lines(report), *brought_lines(brought)]))
    if stop.is_set():
        click.echo("Stopped early; what was indexed is kept, and the next sync goes on from here.", err=True)
        return INTERRUPTED
    return DONE


def lines(report: SyncReport) -> Iterator[str]:
    """Yield the report: what changed, what was embedded, what was left out, and which files failed."""
    files = [
        f"{number:,} {word}"
        for number, word in (
            (report.added, "added"),
            (report.updated, "updated"),
            (report.moved, "moved"),
            (report.removed, "removed"),
            (report.unchanged, "unchanged"),
        )
        if number or word == "unchanged"
    ]
    yield f"{', '.join(files)} in {duration(report.seconds)}"
    yield f"passages: {report.embedded:,} embedded, {report.reused:,} reused, {report.passages_removed:,} removed"
    if report.pending:
        yield (
            f"          {counted(report.pending, 'passage')} found by words only so far; an indexer that runs"
            " (the browser, `carrel watch`) or the next `carrel sync` embeds the rest"
        )
    if report.wordless:
        yield f"          {report.wordless:,} of data (figures, keys, packed code), found by words alone"
    if report.held:
        yield f"held back: {counted(report.held, 'document')} whose files are gone at once (`carrel status` says where)"
    if report.skipped:
        from app.cli.commands.status import left_out

        yield f"left out: {sum(report.skipped.values()):,}"
        yield from left_out(report.skipped)
    if report.failed:
        yield f"failed: {counted(len(report.failed), 'file')}"
        yield from (f"  {short_path(one.path)}: {one_line(one.reason)}" for one in report.failed[:MOST_FAILURES])
        if len(report.failed) > MOST_FAILURES:
            yield f"  and {len(report.failed) - MOST_FAILURES:,} more (`carrel sync --json` lists all)"
