"""A team library at a glance: its people, the folders that one may see of each, their sizes, and how fresh they are."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from engine.lazy_dataclass import dataclass
from engine.records.team import AWAY_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

    from engine.team.team_writer import TeamWriter


@dataclass(frozen=True, slots=True)
class MemberSeen:
    """A person at a machine, and when they were heard of last, in seconds since the epoch."""

    name: str
    machine: str
    joined: float
    seen: float
    own: bool

    def away(self, now: float) -> bool:
        """Return whether nothing was heard of them lately."""
        return now - self.seen > AWAY_SECONDS


@dataclass(frozen=True, slots=True)
class FolderSeen:
    """A folder that one may see; `bytes` are those of its files.

    `behind`: how many documents of one's own folder on this machine are not there as they are here, -1 if unknown.
    """

    owner: str
    machine: str
    path: bytes
    visibility: str
    readers: tuple[str, ...]
    documents: int
    passages: int
    bytes: int
    waiting: int
    changed: float
    own: bool
    behind: int


@dataclass(frozen=True, slots=True)
class TeamOverview:
    """The whole. `lag_seconds` is how far a standby is behind its server, 0 on a server that takes writes."""

    person: str
    machine: str
    server: str
    pgvector: str
    schema: int
    model: str
    building: str
    library_bytes: int
    round_trip_ms: float
    lag_seconds: float
    members: tuple[MemberSeen, ...]
    folders: tuple[FolderSeen, ...]


_MEMBERS = """SELECT person, machine, extract(epoch FROM joined_at)::float8, extract(epoch FROM seen_at)::float8,
    person = current_user AND machine = %s FROM member ORDER BY person, machine"""
_FOLDERS = """SELECT f.id, f.owner, f.machine, f.path, f.visibility, f.readers, s.documents, s.passages,
    coalesce((SELECT sum(d.size) FROM document d WHERE d.folder_id = f.id), 0)::bigint,
    (SELECT count(*) FROM pending p WHERE p.folder_id = f.id),
    extract(epoch FROM s.changed_at)::float8, f.owner = current_user AND f.machine = %s
FROM folder f JOIN folder_state s ON s.folder_id = f.id WHERE f.state = 'watching'
ORDER BY f.owner, f.machine, f.path"""
_SERVER = """SELECT current_user::text, current_setting('server_version'),
    (SELECT extversion FROM pg_extension WHERE extname = 'vector'), (SELECT max(version) FROM migration),
    (SELECT name FROM model WHERE state = 'active'),
    (SELECT string_agg(name, ', ' ORDER BY id) FROM model WHERE state = 'building'),
    (SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r')::bigint,
    CASE WHEN pg_is_in_recovery()
        THEN extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) ELSE 0 END::float8"""


def overview(writer: TeamWriter, machine: str, library: Path | None = None) -> TeamOverview:
    """Look at a team library; `library` is the person's own file, whose folders are compared where it is there."""
    writer.run("SELECT 1")  # the connection stands: from here on it is the way and nothing else
    began = time.perf_counter()
    writer.run("SELECT 1")
    round_trip = (time.perf_counter() - began) * 1000
    person, server, pgvector, schema, model, building, size, lag = writer.run(_SERVER)[0]
    folders = []
    for number, owner, where, path, visible, readers, *figures in writer.run(_FOLDERS, (machine,)):
        documents, passages, size_of_files, waiting, changed, own = figures
        behind = _behind(writer, number, bytes(path), library) if own else -1
        counts = (documents, passages, size_of_files, waiting, changed)
        folders.append(FolderSeen(owner, where, bytes(path), visible, tuple(readers), *counts, own, behind))
    return TeamOverview(
        person,
        machine,
        server.partition(" ")[0],
        pgvector or "",
        schema or 0,
        model or "",
        building or "",
        size or 0,
        round_trip,
        lag or 0.0,
        tuple(MemberSeen(*row) for row in writer.run(_MEMBERS, (machine,))),
        tuple(folders),
    )


def _behind(writer: TeamWriter, folder_id: int, path: bytes, library: Path | None) -> int:
    """Return how many documents of the own file differ from those of the team, by size and date; -1 without a file."""
    if library is None or not library.exists():
        return -1
    from engine.store.connection import open_reader

    conn = open_reader(library)
    try:
        rows = conn.execute(
            "SELECT document.path, size, mtime_ns FROM document JOIN folder ON folder.id = folder_id"
            " WHERE folder.path = ?",
            (path,),
        )
        here = {tuple(row) for row in rows}
    finally:
        conn.close()
    there = {
        (bytes(each), size, at)
        for each, size, at in writer.run("SELECT path, size, mtime_ns FROM document WHERE folder_id = %s", (folder_id,))
    }
    return len({row[0] for row in here ^ there})
