"""Which team library a command works on, and a member's session in it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from app.cli.session import Session

if TYPE_CHECKING:
    from engine.team.team_writer import TeamWriter


def writing_to(session: Session) -> AbstractContextManager[TeamWriter]:
    """Return the session of the team library that the call names, or that this machine has joined."""
    from engine.team.address import needs_extra

    needs_extra()
    from engine.team.membership import writing

    return writing(address_of(session))


def address_of(session: Session) -> str:
    """Return the address. Raises UsageError where this machine is in no team library and the call names none."""
    from engine import config
    from engine.errors import UsageError

    address = session.team or config.load().team
    if not address:
        raise UsageError(
            "This machine is in no team library.", fix="`carrel team join ADDRESS` joins one; `carrel team --help`."
        )
    return address
