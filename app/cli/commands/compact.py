"""`carrel compact`: gives the space of what was removed back to the disk."""

from __future__ import annotations

import click

from app.cli.command import command as carrel_command
from app.cli.session import Session, pass_session, print_json
from engine.figures import percent, size


@carrel_command(
    "compact",
    reports=True,
    examples=(("carrel compact", "Make the library's file as small as it can be."),),
)
@pass_session
def command(session: Session) -> None:
    """Rebuild vectors, words and file, and give back the space of what was removed.

    Nothing that can be found changes. No indexer may run meanwhile, and the disk needs twice the library's size for a
    while.
    """

    compacted = session.care().compact()
    if session.json:
        figures = {"before": compacted.before, "after": compacted.after, "gained": compacted.gained}
        print_json({**figures, "share": round(compacted.share, 4)})
        return
    told = f"{size(max(0, compacted.gained))} gained, {percent(max(0.0, compacted.share))}"
    click.echo(f"{size(compacted.before)} before, {size(compacted.after)} after: {told}")
