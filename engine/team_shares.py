"""What the reader lets the other members of a team have, beside folders: their marks, and searches under a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import UsageError

if TYPE_CHECKING:
    from engine.records.team import SharedSearch
    from engine.team_or_own import TeamOrOwn


class TeamSharing:
    """Shares and takes back. Each method raises UsageError without a `team`, and TeamAway."""

    def __init__(self, team: TeamOrOwn | None) -> None:
        self._given = team

    @property
    def _team(self) -> TeamOrOwn:
        if self._given is None:
            raise UsageError("This is no team library.", fix="`carrel team --help` tells how to join one.")
        return self._given

    def share_marks(self, on: bool) -> None:
        """Share one's marks from now on and have those of others count, or keep them to oneself again."""
        with self._team.team.writing() as writer:
            writer.share_marks(on)
        self._team.look_changed()

    def shared_searches(self) -> tuple[SharedSearch, ...]:
        """Return the searches that members share, by person and name."""
        with self._team.team.writing() as writer:
            return writer.shared_searches()

    def share_search(self, name: str, query: str) -> None:
        """Let all members have a search under a name."""
        with self._team.team.writing() as writer:
            writer.share_search(name, query)

    def take_back_search(self, name: str) -> bool:
        """Share a search no longer; False where it was not shared."""
        with self._team.team.writing() as writer:
            return writer.take_back_search(name)
