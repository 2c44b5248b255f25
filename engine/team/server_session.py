"""One session of a member who writes: reopened when it breaks, and what was to be done is done again, once.

Whatever is written is one transaction that gives the same result when it is done a second time, so that a connection
that broke during a commit, of which nobody knows whether it arrived, is no fault.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from engine.errors import LibraryBusy
from engine.team.server_connection import AGAIN, connect, explained, one, translated
from engine.team.vector_bytes import register

if TYPE_CHECKING:
    import psycopg

ATTEMPTS = 5
FIRST_PAUSE_SECONDS = 0.05  # before the second attempt; each pause is twice the one before, and a part of it by chance
_FOLDER_LOCK = 0x6361726C  # the first key of all advisory locks of folders: "carl"
_Done = TypeVar("_Done")


class ServerSession:
    """A connection, the folders that it holds locked, and transactions that survive its breaking."""

    def __init__(self, url: str, schema: str) -> None:
        self._url = url
        self.schema = schema
        self._conn: psycopg.Connection | None = None
        self._held: set[int] = set()

    @property
    def connection(self) -> psycopg.Connection:
        """The connection, opened where there is none; locks that were held are taken again.

        Raises TeamAway, TeamRefused, and LibraryBusy where another session took a folder meanwhile.
        """
        if self._conn is None or self._conn.closed:
            self._conn = connect(self._url, self.schema)
            with translated():
                register(self._conn)
            for folder in sorted(self._held):
                if not self._locked(folder):
                    self.close()
                    raise LibraryBusy(
                        "Another session brings this folder to the team by now.",
                        cause="The connection broke, and that one was first.",
                        fix="This one stays out of it until that one ends.",
                    )
        return self._conn

    def close(self) -> None:
        """End the session, and with it all its locks."""
        if self._conn is not None:
            self._conn.close()
        self._conn = None

    def claim(self, folder: int) -> bool:
        """Take the advisory lock of a folder, which this session keeps; False where another one has it."""
        if folder not in self._held and self.retried(lambda: self._locked(folder)):
            self._held.add(folder)
        return folder in self._held

    def release(self, folder: int) -> None:
        """Give the lock of a folder back."""
        if folder in self._held:
            self._held.discard(folder)
            self.retried(lambda: self._value("SELECT pg_advisory_unlock(%s, %s)", folder))

    def _locked(self, folder: int) -> bool:
        return bool(self._value("SELECT pg_try_advisory_lock(%s, %s)", folder))

    def _value(self, sql: str, folder: int) -> Any:
        key = f"{self.schema}:{folder}"  # libraries of one database each have a schema
        return one(self.connection, sql.replace("%s, %s", "%s, hashtext(%s)"), (_FOLDER_LOCK, key))

    def transaction(self, work: Callable[[psycopg.Connection], _Done]) -> _Done:
        """Run `work` in one transaction, again where it failed for another's sake or the connection broke.

        It is called anew each time, so it may keep nothing. Raises what `server_connection.explained` makes of errors.
        """

        def run() -> _Done:
            with self.connection.transaction():
                return work(self.connection)

        return self.retried(run)

    def retried(self, work: Callable[[], _Done]) -> _Done:
        """Run `work`, again after a pause where that may help."""
        import psycopg

        for attempt in range(1, ATTEMPTS + 1):
            try:
                return work()
            except psycopg.Error as error:
                broken = self._conn is None or self._conn.closed or self._conn.broken
                if broken:
                    self.close()
                if attempt == ATTEMPTS or not (broken or error.sqlstate in AGAIN):
                    raise explained(error) from error
            time.sleep(FIRST_PAUSE_SECONDS * 2**attempt * random.uniform(0.5, 1.0))
        raise AssertionError("unreachable")
