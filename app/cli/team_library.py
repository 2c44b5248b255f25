"""What the commands do where the call names a team library: the address is checked, and some commands say why not."""

from __future__ import annotations

import click

from app.cli.session import Session
from engine.errors import UsageError

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
    "log": f"The log of your searches is in your own file alone. {_OWN_FILE}",
    "demo": _OWN_FILE,
    "serve": _OWN_FILE,
}


def refuse_on_team(ctx: click.Context, session: Session) -> None:
    """Check the address. Raises UsageError where it may not be used, or the command makes no sense for a team."""
    from engine.team.address import checked

    session.team = checked(session.team)
    name = ctx.command_path.partition(" ")[2]
    for refused in NOT_ON_TEAM:
        if name == refused or name.startswith(f"{refused} "):
            raise UsageError(f"`carrel {name}` is not for a team library.", fix=NOT_ON_TEAM[refused])
