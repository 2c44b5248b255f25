"""What the commands do where the call names a team library: the address is checked, and some commands say why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from app.cli.session import Session
from app.wording.paths import short_path
from engine.errors import UsageError
from engine.figures import counted

if TYPE_CHECKING:
    import threading

    from engine.events import Event
    from engine.team.publisher import Published

_OWN_FILE = "It works on your own file: leave `--library` out, or name a file."
NOT_ON_TEAM = {
    "add": "`carrel team folder add FOLDER` brings a folder to the team library.",
    "remove": "`carrel team folder remove FOLDER` takes a folder out of the team library.",
    "backup": "The server has its backups: `pg_dump`, or those of whoever hosts it.",
    "restore": "The server has its backups: `pg_restore`, or those of whoever hosts it.",
    "compact": "The server gives space back by itself (autovacuum).",
    "import": f"{_OWN_FILE} `carrel team folder add FOLDER` then brings what was imported to the team library.",
    "models use": "`carrel team model NAME` changes the team's model.",
    "retrain": _OWN_FILE,
    "promote": _OWN_FILE,
    "rollback": _OWN_FILE,
    "runs": _OWN_FILE,
    "judge": _OWN_FILE,
    "shadow": _OWN_FILE,
    "log": f"The log of your searches is in your own file alone. {_OWN_FILE}",
    "demo": _OWN_FILE,
}


def refuse_on_team(ctx: click.Context, session: Session) -> None:
    """Check the address. Raises UsageError where it may not be used, or the command makes no sense for a team."""
    from engine.team.address import checked

    session.team = checked(session.team)
    name = ctx.command_path.partition(" ")[2]
    for refused in NOT_ON_TEAM:
        if name == refused or name.startswith(f"{refused} "):
            raise UsageError(f"`carrel {name}` is not for a team library.", fix=NOT_ON_TEAM[refused])


def brought_to_team(session: Session, on_event: Callable[[Event], None], stop: threading.Event) -> Published | None:
    """Bring what this machine shares to the team library that it has joined, and return what was brought.

    None where it has joined none, or the call works on another file than the person's own. Raises TeamError.
    """
    from engine import config
    from engine.paths import library_path

    joined = config.load().team
    if session.team and session.team != joined:
        raise UsageError("This machine is not in that team library.", fix="Join it first: `carrel team join ADDRESS`.")
    if not joined or library_path(session.library) != library_path() or stop.is_set():
        return None
    from engine.team.membership import this_machine
    from engine.team.publisher import bring

    return bring(joined, library_path(), this_machine(), on_event, stop)


def brought_lines(brought: Published | None) -> Iterator[str]:
    """Yield what was brought to the team library, nothing where none was joined."""
    if brought is None:
        return
    figures = (
        (brought.put, "brought"),
        (brought.moved, "moved"),
        (brought.removed, "removed"),
        (brought.unchanged, "unchanged"),
    )
    told = [f"{number:,} {word}" for number, word in figures if number or word == "unchanged"]
    vectors = f"; {counted(brought.vectors, 'vector')} added" if brought.vectors else ""
    yield f"team: {', '.join(told)}{vectors}"
    for path in brought.busy:
        yield f"      {short_path(path)} is being brought by another process of yours"


def brought_shape(brought: Published) -> dict[str, Any]:
    """Return what was brought as JSON."""
    from app.json_shapes import path_fields

    return {**asdict(brought), "busy": [path_fields(path) for path in brought.busy]}
