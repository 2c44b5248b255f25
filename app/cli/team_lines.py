"""What `carrel team` prints: its members and folders as lines or JSON, and what lets a member in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from app.json_shapes import moment, path_fields
from app.wording.cells import table
from app.wording.paths import short_path
from app.wording.safe_text import one_line
from app.wording.times import day, duration
from engine.figures import counted, size

if TYPE_CHECKING:
    from engine.team.membership import SetUp
    from engine.team.overview import FolderSeen, MemberSeen, TeamOverview

LATE_SECONDS = 2.0  # a standby that is further behind is told: so soon others are to see a change


def lines(found: TeamOverview, address: str) -> Iterator[str]:
    """Yield a team library as aligned lines: the server, its people, the folders that one may see."""
    now = time.time()
    model = found.model or "none yet"
    if found.building:
        model += f" ({one_line(found.building)} is being filled)"
    rows = [
        ("library", f"{one_line(address)} ({size(found.library_bytes)})"),
        ("you", f"{one_line(found.person)}, at {one_line(found.machine)}"),
        ("server", f"PostgreSQL {found.server}, pgvector {found.pgvector}, {found.round_trip_ms:.1f} ms away"),
        ("model", model),
    ]
    if found.lag_seconds > LATE_SECONDS:
        rows.append(("standby", f"{duration(found.lag_seconds)} behind its server"))
    yield from table(rows)
    yield ""
    away = sum(each.away(now) for each in found.members)
    yield f"{counted(len(found.members), 'member')}{f', {away} away' if away else ''}"
    yield from table([_member(each, now) for each in found.members], indent="  ")
    yield ""
    if not found.folders:
        yield "No folder that you may see is there yet: `carrel team folder add FOLDER`."
        return
    heading = ("folder", "of", "for", "documents", "passages", "size", "changed", "")
    yield from table([heading, *(_folder(each, now) for each in found.folders)], right=(3, 4, 5))


def _member(member: MemberSeen, now: float) -> tuple[str, str, str]:
    heard = (
        f"here {duration(max(0.0, now - member.seen))} ago"
        if not member.away(now)
        else f"away since {day(member.seen)}"
    )
    return (f"{one_line(member.name)}{' (you)' if member.own else ''}", one_line(member.machine), heard)


def _folder(folder: FolderSeen, now: float) -> tuple[str, ...]:
    state = []
    if folder.behind > 0:
        state.append(f"{counted(folder.behind, 'document')} behind your file")
    if folder.waiting:
        state.append(f"{counted(folder.waiting, 'passage')} wait for their vector")
    return (
        short_path(folder.path) if folder.own else one_line(folder.path.decode("utf-8", "replace")),
        one_line(f"{folder.owner}@{folder.machine}"),
        {"private": "you alone", "all": "all"}.get(folder.visibility) or one_line(", ".join(folder.readers)),
        f"{folder.documents:,}",
        f"{folder.passages:,}",
        size(folder.bytes),
        day(folder.changed),
        ", ".join(state),
    )


def team_shape(found: TeamOverview, address: str) -> dict[str, Any]:
    """Return a team library as JSON."""
    now = time.time()
    figures = {name: value for name, value in asdict(found).items() if name not in ("members", "folders")}
    return {
        "library": address,
        **figures,
        "members": [
            {
                "name": each.name,
                "machine": each.machine,
                "joined": moment(each.joined),
                "seen": moment(each.seen),
                "away": each.away(now),
                "own": each.own,
            }
            for each in found.members
        ],
        "folders": [
            {
                **path_fields(each.path),
                "owner": each.owner,
                "machine": each.machine,
                "visibility": each.visibility,
                "readers": list(each.readers),
                "documents": each.documents,
                "passages": each.passages,
                "bytes": each.bytes,
                "waiting": each.waiting,
                "changed": moment(each.changed),
                "own": each.own,
                "behind": each.behind if each.behind >= 0 else None,
            }
            for each in found.folders
        ],
    }


def set_up_lines(done: SetUp, address: str) -> Iterator[str]:
    """Yield what was set up and what lets members in."""
    yield f"The team library stands at {one_line(address)} (schema {done.schema}, version {done.version})."
    if done.admitted:
        yield f"Members: {', '.join(map(one_line, done.admitted))}."
    for person in done.made:
        yield f"The login {one_line(person)} was made; give it a password where the server asks for one (\\password)."
    yield ""
    yield "To let a login in, here that of ada, run as this login (CREATE ROLE makes one that is missing):"
    yield '  CREATE ROLE "ada" LOGIN;  -- then \\password ada in psql'
    yield from (f"  {statement};" for statement in done.grants)
    yield ""
    yield f"Who is to decide on the model as well is granted {done.keeper} in the place of {done.member}."
    yield "Send each member this line, with their own login in the place of ada:"
    yield f"  carrel team join '{one_line(done.invitation)}'"


def set_up_shape(done: SetUp, address: str) -> dict[str, Any]:
    """Return what was set up as JSON."""
    return {
        "library": address,
        **asdict(done),
        "admitted": list(done.admitted),
        "made": list(done.made),
        "grants": list(done.grants),
    }
