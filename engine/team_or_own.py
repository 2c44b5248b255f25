"""The library of a team, and the reader's own file in its place while the server is away.

Who searches now and then is told that the server is away. A browser goes on: what the reader's own file holds is
searched, and the team's library again as soon as it answers. A number of a team's passage is never one of the file's.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from engine.errors import CarrelError, TeamAway

if TYPE_CHECKING:
    from engine.library_file import LibraryFile
    from engine.records import Query
    from engine.records.team import Member
    from engine.retrieval.cancellation import Cancellation
    from engine.retrieval.vector_leg import Vectors, VectorSource
    from engine.store.store_connection import MarkWrites, StoreConnection
    from engine.team.change_feed import ChangeFeed
    from engine.team.team_store import TeamStore

log = logging.getLogger(__name__)
TRIED_AGAIN_SECONDS = 5.0  # after a server was found away; a browser looks each second
PEOPLE_SECONDS = 30.0  # between two looks at who is there: who was not heard of for two minutes is away
TEAM_IDS = 1 << 32  # from which on numbers are those of a team: below a folder's number there are 32 bits


class TeamOrOwn:
    """Lends connections to the `team` at an `address`.

    While it is away they are those of the reader's `own` file, where that `stands_in`.
    """

    def __init__(self, address: str, team: TeamStore, own: LibraryFile, stands_in: bool) -> None:
        self.address = address
        self.team = team
        self.machine = team.machine
        self._own = own
        self._stands_in = stands_in
        self._lock = threading.Lock()
        self._away = ""
        self._tried_at = 0.0
        self._turns = 0  # how often the one took the place of the other
        self._unsent = stands_in  # whether marks may wait in the own file, of this session or one before
        self._here: frozenset[tuple[str, str]] = frozenset()  # members and machines that were not away
        self._people_at = -PEOPLE_SECONDS

    @property
    def away(self) -> str:
        """Why the reader's own file is searched, as the last attempt told; "" while the team's library answers."""
        return self._away

    @contextmanager
    def searching(self, cancel: Cancellation | None = None, query: Query | None = None) -> Iterator[StoreConnection]:
        """Lend a connection. Raises TeamAway where the own file does not stand in, or the way broke in the middle."""
        if self._away:
            with self._own.searching(cancel) as own:
                yield own
            return
        lent = self.team.searching(cancel, query)
        try:
            connection = lent.__enter__()
        except TeamAway as error:
            if not self._stands_in:
                raise
            self._turn(str(error))
            with self._own.searching(cancel) as own:
                yield own
            return
        try:
            with _closing(lent):
                yield connection
        except TeamAway as error:
            if self._stands_in:
                self._turn(str(error))
            raise

    def vector_source(self, model_id: int) -> VectorSource:
        """Return what gives the vectors of a model, of whichever library is asked."""
        return _EitherSource(self.team.vector_source(model_id), self._own.vector_source(model_id))

    @contextmanager
    def marking(self) -> Iterator[MarkWrites]:
        """Lend what keeps the reader's marks: the team's library; while it is away their own file, until it is back."""
        if not self._away:
            with self.team.marking() as kept:
                yield kept
            return
        from engine.team import waiting_marks

        with self._own.writing() as own:
            waiting_marks.begin(own, self.address)
            self._unsent = True
            yield own

    def ask_to_embed(self, hashes: Collection[bytes]) -> None:
        """Have texts embedded before all others."""
        (self._own if self._away else self.team).ask_to_embed(hashes)

    def members(self) -> tuple[Member, ...]:
        """Return all members; nobody while the server is away."""
        if self._away:
            return ()
        try:
            return self.team.members()
        except TeamAway as error:
            if not self._stands_in:
                raise
            self._turn(str(error))
            return ()

    def version(self) -> int:
        """Return a number that changes with the library, with who is there of its members, and with its place.

        A server that is away is tried again here, every few seconds.
        """
        if self._away and time.monotonic() - self._tried_at < TRIED_AGAIN_SECONDS:
            return -self._turns
        try:
            found = self.team.version()
            self._look_who_is_here()
            self._send_marks()
        except TeamAway as error:
            if not self._stands_in:
                raise
            self._turn(str(error))
            return -self._turns
        self._turn("")
        return hash((self._turns, found, self._here))

    def following(self, version: Callable[[], int]) -> ChangeFeed:
        """Return what waits until `version`, which this one's is part of, gives another number; close it in the end."""
        return self.team.following(version, lambda: not self._away)

    def _send_marks(self) -> None:
        """Send the marks that were made while the server was away; what stands in their way is for the next session."""
        if not self._unsent:
            return
        try:
            self._send()
        except TeamAway:
            raise
        except CarrelError:
            log.exception("marks could not be sent to the team library")
        self._unsent = False

    def _send(self) -> None:
        from engine.team import waiting_marks

        with self._own.reading() as own:
            marks = waiting_marks.waiting(own, self.address)
        if marks:
            with self.team.writing() as writer:
                sent = waiting_marks.send(writer, self.machine, marks)
            log.info("%d marks of the time without the server were sent", sent)
            with self._own.writing() as own:
                waiting_marks.settled(own, self.address)

    def _look_who_is_here(self) -> None:
        """Look, now and then, who of the members is away."""
        if time.monotonic() - self._people_at < PEOPLE_SECONDS:
            return
        now = time.time()
        self._here = frozenset((each.name, each.machine) for each in self.team.members() if not each.away(now))
        self._people_at = time.monotonic()

    def look_changed(self) -> None:
        """Have the version be another one: what the reader shares is told with the library's state."""
        with self._lock:
            self._turns += 1

    def close(self) -> None:
        """Let go of the server."""
        self.team.close()

    def _turn(self, away: str) -> None:
        with self._lock:
            self._tried_at = time.monotonic()
            if bool(away) != bool(self._away):
                self._turns += 1
                log.warning("The team's library is away: %s", away) if away else log.info("The team's library is back")
            self._away = away
        if away:
            self.team.close()  # a pool whose connections broke goes on trying, slower and slower


class _EitherSource:
    """The vectors of a model's number in the team's library, and of the same number in the own file."""

    def __init__(self, team: VectorSource, own: VectorSource) -> None:
        self._team = team
        self._own = own

    def at(self, connection: StoreConnection) -> Vectors:
        """Return the vectors as `connection` sees them."""
        from engine.store.library_connection import LibraryConnection

        return (self._own if isinstance(connection, LibraryConnection) else self._team).at(connection)


@contextmanager
def _closing(lent: AbstractContextManager[StoreConnection]) -> Iterator[None]:
    """Give a lent connection back at the end, with the error that the block ended with."""
    try:
        yield
    except BaseException as error:
        if not lent.__exit__(type(error), error, error.__traceback__):
            raise
    else:
        lent.__exit__(None, None, None)
