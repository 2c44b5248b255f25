"""Tells at once that a team's library has changed: by the server's notices, or where it gives none, by looking.

A notice says nothing, not even whose folder it was. A standby gives none, nor does what pools sessions: there the
state is looked at each second.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from engine.team.server_connection import connect, translated

if TYPE_CHECKING:
    import psycopg

GIVES_NO_NOTICES = ("25006", "0A000", "55000")  # of LISTEN: in recovery, not supported, not in this state
LOOK_SECONDS = 1.0  # between two looks at the state, notices or not: others are to see a change within two seconds


class ChangeFeed:
    """Waits for changes on a connection of its own. `version` gives the number of the state that one sees now."""

    def __init__(self, url: str, schema: str, version: Callable[[], int]) -> None:
        self._url = url
        self._schema = schema
        self._version = version
        self._conn: psycopg.Connection | None = None
        self._seen: int | None = None
        self._deaf = False

    def wait(self, seconds: float) -> bool:
        """Wait at most so long; return whether something changed that one may see. Raises TeamAway, TeamRefused."""
        until = time.monotonic() + seconds
        while True:
            now = self._version()
            if now != self._seen:
                changed = self._seen is not None
                self._seen = now
                if changed:
                    return True
            left = until - time.monotonic()
            if left <= 0:
                return False
            self._pause(min(left, LOOK_SECONDS))

    def _pause(self, seconds: float) -> None:
        """Sleep until a notice comes or the time has passed."""
        with translated():
            conn = self._listening()
            if conn is None:
                time.sleep(seconds)
                return
            try:
                for _ in conn.notifies(timeout=seconds, stop_after=1):
                    pass
            except BaseException:
                self.close()
                raise

    def _listening(self) -> psycopg.Connection | None:
        """Return the connection that hears notices, None where the server gives none."""
        import psycopg

        if self._conn is not None or self._deaf:
            return self._conn
        conn = connect(self._url, self._schema)
        try:
            conn.execute(f'LISTEN "{self._schema}_change"')
        except psycopg.Error as error:
            conn.close()
            if error.sqlstate not in GIVES_NO_NOTICES:
                raise
            self._deaf = True
            return None
        self._conn = conn
        return conn

    def close(self) -> None:
        """End the connection; waiting again opens another."""
        if self._conn is not None:
            with suppress(Exception):
                self._conn.close()
        self._conn = None
