"""Who belongs to a team's library, and how fresh what each of them brings to it is."""

from __future__ import annotations

from engine.lazy_dataclass import dataclass

AWAY_SECONDS = 120.0  # since a member was heard of: a browser that is open tells of itself each minute


@dataclass(frozen=True, slots=True)
class TeamFolder:
    """A folder that a member brings. `path` is that of their machine; `changed_at` seconds since the epoch, 0 never.

    `visibility` is private, named or all; `readers` are the people named.
    """

    path: bytes
    documents: int
    passages: int
    changed_at: float
    visibility: str = "private"
    readers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Member:
    """A person at a machine, when they were heard of last (seconds since the epoch, 0 never), and their folders.

    Only folders that the reader may see are among them. `own` is true for the reader at this machine.
    """

    name: str
    machine: str
    last_seen: float
    folders: tuple[TeamFolder, ...] = ()
    own: bool = False

    def away(self, now: float) -> bool:
        """Whether nothing was heard of them lately."""
        return now - self.last_seen > AWAY_SECONDS

    def place(self, folder: TeamFolder) -> bytes:
        """Return the path of one of their folders as the reader is shown it."""
        return folder.path if self.own else f"{self.name}@{self.machine}:".encode() + folder.path


@dataclass(frozen=True, slots=True)
class SharedSearch:
    """A search that a member lets all others have under a name; `own` is true for the reader's."""

    person: str
    name: str
    query: str
    own: bool


@dataclass(frozen=True, slots=True)
class TeamGlance:
    """A team's library at a glance: its people, how many of them are away, and why the server is; "" where it is not.

    `people` has each person once for each of their machines, as they were at the moment `at`, in seconds since the
    epoch. While the server is away nobody is among them, and the reader's own folders are searched. `shares_marks`
    tells whether the reader shares their marks, and has those count that others share.
    """

    members: int
    away: int
    server_away: str = ""
    people: tuple[Member, ...] = ()
    at: float = 0.0
    shares_marks: bool = False

    def bringer(self, place: bytes) -> tuple[Member, TeamFolder] | None:
        """Return who brings the folder that the reader is shown at a path, None for one that nobody does."""
        found = ((each, folder) for each in self.people for folder in each.folders if each.place(folder) == place)
        return next(found, None)
