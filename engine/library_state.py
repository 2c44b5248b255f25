"""Tells of a library at a glance: what it holds, what waits in it, and in that of a team who brings what."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.library_file import LibraryFile
from engine.library_views import LibraryViews
from engine.records import Status
from engine.records.team import TeamGlance
from engine.store import documents, folders, lock
from engine.store.migrations import version as schema_version

if TYPE_CHECKING:
    from engine.records.team import Member
    from engine.team_or_own import TeamOrOwn


class LibraryState:
    """The state of one library: of its `file`, and of the library of a `team`, where it is one."""

    def __init__(self, file: LibraryFile, views: LibraryViews, read_only: bool, team: TeamOrOwn | None) -> None:
        self._file = file
        self._views = views
        self._read_only = read_only
        self._team = team

    def status(self, *, stale: bool = False) -> Status:
        """Return the library at a glance; with `stale`, walk the folders and count the files that differ."""
        from engine.maintenance import last_check
        from engine.store import fitted_constants, models, passage_counts, pending_vectors

        with self._file.reading() as connection:
            counted = documents.counts(connection)
            model, pending = models.active(connection), pending_vectors.count(connection)
            status = Status(
                library=str(self._file.path),
                schema=schema_version(connection),
                documents=counted.documents,
                passages=counted.passages,
                bytes=self._file.path.stat().st_size,
                model=model.name if model else "",
                folders=folders.every(connection),
                writer=lock.holder(self._file.path),
                stale=-1,
                failed=counted.failed,
                skipped=folders.left_out(connection),
                read_only=self._read_only,
                checked=last_check(connection),
                wordless=passage_counts.held_back(connection),
                pending=pending,
                texts=passage_counts.embeddable_texts(connection) if pending else 0,
                fitted=fitted_constants.kept(connection),
                followers=tuple(models.followers(connection)),
            )
            if self._team is not None:
                status = self._of_team(status)
            if not stale:
                return status
            from engine.indexing.absence import stale_files

            return replace(status, stale=stale_files(connection, self._file.path))

    def _of_team(self, own: Status) -> Status:
        """Return what the reader's own file tells of itself, with what the team's library has in all."""
        from engine.team.address import without_password
        from engine.team.browse import counts
        from engine.team.team_connection import TeamConnection

        assert self._team is not None
        now = time.time()
        members = self._team.members()
        sharing = False
        told = replace(own, library=without_password(self._team.address), folders=self._views.folders())
        with self._team.searching() as connection:
            if isinstance(connection, TeamConnection):
                shared, passages = counts(connection.snapshot)
                model = connection.active_model()
                sharing = connection.snapshot.shares_marks
                told = replace(told, documents=shared, passages=passages, model=model.name if model else "")
        people = {member.name for member in members}
        here = {member.name for member in members if member.own or not member.away(now)}
        return replace(told, team=TeamGlance(len(people), len(people - here), self._team.away, members, now, sharing))

    def members(self) -> tuple[Member, ...]:
        """Return who brings folders to the team's library, with what the reader may see of them; nobody without one."""
        return self._team.members() if self._team is not None else ()

    def pending(self, *, asked: bool = False) -> int:
        """Return how many texts are found by words and still wait for their vector; cheap enough to poll.

        With `asked`, how many of those that were asked for.
        """
        from engine.store import pending_vectors

        with self._file.reading() as connection:
            return pending_vectors.count(connection, asked=asked)
