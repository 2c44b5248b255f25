"""A team's library as searches see it: lends connections to any thread, each with one state of the library."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from engine.errors import TeamAway, TeamTooOld
from engine.records.team import Member, TeamFolder
from engine.team import questions_ahead
from engine.team.change_feed import ChangeFeed
from engine.team.change_numbers import ChangeNumbers
from engine.team.login import connection_string
from engine.team.server_connection import (
    CONNECT_SECONDS,
    SEARCH_SECONDS,
    arguments,
    connect,
    explained,
    one,
    translated,
)
from engine.team.snapshot import Snapshot
from engine.team.team_connection import TeamConnection
from engine.team.team_migrations import SCHEMA, newest_version, version
from engine.team.team_vectors import TeamVectorSource
from engine.team.team_writer import TeamWriter
from engine.team.word_postings import KeptPostings

if TYPE_CHECKING:
    import psycopg
    from psycopg_pool import ConnectionPool

    from engine.records import Query
    from engine.retrieval.cancellation import Cancellation

MOST_CONNECTIONS = 6  # of one process; a person types into one search, screens look beside it
IDLE_SECONDS = 120.0  # a connection that nobody used so long is closed
_MEMBERS = """SELECT person, machine, extract(epoch FROM seen_at)::float8, person = current_user FROM member
ORDER BY person, machine"""
_FOLDERS = """SELECT f.owner, f.machine, f.path, s.documents, s.passages, extract(epoch FROM s.changed_at)::float8,
    f.visibility, f.readers FROM folder f JOIN folder_state s ON s.folder_id = f.id
WHERE f.state = 'watching' ORDER BY f.path"""


def _rolled_back(_conn: psycopg.Connection) -> None:
    """Do nothing: that there is something to be done has the pool end transactions in a thread, and nobody waits."""


class TeamStore:
    """The library at an address of PostgreSQL. `machine` is the name of this one, by which own folders are told.

    Nothing is opened before it is needed. Methods raise TeamAway, TeamRefused, TeamTooOld.
    """

    def __init__(self, url: str, schema: str = SCHEMA, machine: str = "") -> None:
        self.url = url
        self.schema = schema
        self.machine = machine
        self.numbers = ChangeNumbers()
        self._lock = threading.Lock()
        self._pool: ConnectionPool | None = None
        self._library = ""
        self._searched = False  # whether a search read the marks; later ones ask where these have changed
        self._sources: dict[int, TeamVectorSource] = {}
        self._postings = KeptPostings()

    def close(self) -> None:
        """Close all connections; a later search opens others."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    # --- reading ------------------------------------------------------------------------------------------------

    @contextmanager
    def searching(self, cancel: Cancellation | None = None, query: Query | None = None) -> Iterator[TeamConnection]:
        """Lend a connection on which all reads see one state; `cancel` interrupts what it does.

        What a `query` asks first comes with it.
        """
        pool = self._opened()
        with translated(of_search=True):
            snapshot = self._begun(pool, query)
        conn = snapshot.conn
        connection = TeamConnection(snapshot, self.numbers)
        try:
            with translated(of_search=True):
                if cancel is None:
                    yield connection
                else:
                    with cancel.guarding(connection):
                        yield connection
        finally:
            snapshot.ended = True
            if connection.interrupted or conn.broken:
                with suppress(Exception):
                    conn.close()  # an interruption that comes late may hit no later search
            pool.putconn(conn)  # which ends the transaction, in a thread of its own

    def _begun(self, pool: ConnectionPool, query: Query | None) -> Snapshot:
        """Begin to read on a connection of the pool that answers; one that broke meanwhile is replaced."""
        import psycopg
        from psycopg_pool import PoolTimeout

        for _ in range(MOST_CONNECTIONS + 1):
            try:
                conn = pool.getconn(timeout=CONNECT_SECONDS)
            except PoolTimeout:
                connect(self.url, self.schema).close()  # tells why, where the server is the reason
                raise TeamAway("The team's server is too busy.", fix="Try again.") from None
            try:
                snapshot = Snapshot(conn, self.machine, self._library)
                questions_ahead.begin(snapshot, query, self._postings, with_marks=not self._searched)
                self._searched |= query is not None
                return snapshot
            except psycopg.Error as error:
                answers = not conn.closed
                conn.close()
                pool.putconn(conn)
                failure = error
                if answers:  # it would say the same again, and take as long
                    break
                connect(self.url, self.schema).close()  # tells now of a server that is away; the pool would wait for it
            except BaseException:
                pool.putconn(conn)
                raise
        raise explained(failure, of_search=True) from failure

    def _opened(self) -> ConnectionPool:
        """Return the pool. The first connection is made by itself, since its error tells more than the pool's."""
        with self._lock:
            if self._pool is None:
                from psycopg_pool import ConnectionPool

                logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)  # a search tells what fails, once

                with translated(), connect(self.url, self.schema) as first:
                    self._library = self._checked(first)
                self._pool = ConnectionPool(
                    connection_string(self.url),
                    kwargs={"autocommit": True, **arguments(self.schema, SEARCH_SECONDS)},
                    min_size=0,
                    max_size=MOST_CONNECTIONS,
                    max_idle=IDLE_SECONDS,
                    open=True,
                    reset=_rolled_back,
                    name="carrel-team",
                )
            return self._pool

    def _checked(self, conn: psycopg.Connection) -> str:
        """Return the library's own number. Raises TeamTooOld where its schema is not that of this Carrel."""
        found = version(conn, self.schema)
        if found != newest_version():
            raise TeamTooOld(
                "There is no library in this database."
                if not found
                else f"The team's library has schema {found}, and this Carrel knows {newest_version()}.",
                fix="Whoever keeps it runs `carrel team init` with the newest Carrel; members update theirs.",
            )
        return str(one(conn, "SELECT value FROM library WHERE name = 'id'"))

    def vector_source(self, model_id: int) -> TeamVectorSource:
        """Return what gives the vectors of a model; those that a search brought serve later ones."""
        with self._lock:
            return self._sources.setdefault(model_id, TeamVectorSource(model_id))

    def version(self) -> int:
        """Return the number of the state that the library has now; another one after every change that one may see."""
        with self.searching() as connection:
            return connection.change_latest()

    def following(
        self, version: Callable[[], int] | None = None, reachable: Callable[[], bool] = lambda: True
    ) -> ChangeFeed:
        """Return what waits for changes; close it in the end. `version` may tell of more than this library's."""
        return ChangeFeed(self.url, self.schema, version or self.version, reachable)

    def members(self) -> tuple[Member, ...]:
        """Return all members with their machines, and of their folders those that one may see."""
        with self.searching() as connection:
            folders = connection.snapshot.rows(_FOLDERS)
            people = connection.snapshot.rows(_MEMBERS)
        known = {(person, machine) for person, machine, _, _ in people}
        silent = sorted({(owner, machine) for owner, machine, *_ in folders} - known)
        return tuple(
            Member(
                name=person,
                machine=machine,
                last_seen=seen,
                folders=tuple(
                    TeamFolder(path, documents, passages, changed, visible, tuple(readers))
                    for owner, where, path, documents, passages, changed, visible, readers in folders
                    if (owner, where) == (person, machine)
                ),
                own=own and machine == self.machine,
            )
            for person, machine, seen, own in [*people, *((*each, 0.0, False) for each in silent)]
        )

    # --- writing ------------------------------------------------------------------------------------------------

    @contextmanager
    def writing(self) -> Iterator[TeamWriter]:
        """Lend a session that writes; it ends with the block, and with it its locks."""
        writer = TeamWriter(self.url, self.schema)
        try:
            yield writer
        finally:
            writer.close()

    marking = writing

    def ask_to_embed(self, hashes: Collection[bytes]) -> None:
        """Have texts that wait embedded before all others, in folders that may be helped."""
        with self.writing() as writer:
            writer.ask(hashes)
