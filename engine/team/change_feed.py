"""Tells at once that a team's library has changed: by the server's notices, or where it gives none, by looking.

A notice says nothing, not even whose folder it was. A standby gives none, nor does what pools sessions: there the
state is looked at each second.
"""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from engine.errors import CarrelError
from engine.team.server_connection import connect, translated

if TYPE_CHECKING:
    import psycopg

GIVES_NO_NOTICES = ("25006", "0A000", "55000")  # of LISTEN: in recovery, not supported, not in this state
LOOK_SECONDS = 1.0  # between two looks at the state, notices or not: others are to see a change within two seconds
TRIED_AGAIN_SECONDS = 5.0  # after a connection for notices could not be had, or broke; until then one looks


class ChangeFeed:
    """Waits for changes on a connection of its own. `version` gives the number of the state that one sees now.

    There is no such connection while the server is not `reachable`. One thread waits; any may close.
    """

    def __init__(
        self, url: str, schema: str, version: Callable[[], int], reachable: Callable[[], bool] = lambda: True
    ) -> None:
        self._url = url
        self._schema = schema
        self._version = version
        self._reachable = reachable
        self._conn: psycopg.Connection | None = None
        self._seen: int | None = None
        self._deaf = False
        self._listens_from = 0.0  # on the monotonic clock
        self._using = threading.Lock()  # the connection: who waits, or who closes where nobody does
        self._closed = False
        self._woken, self._wake = socket.socketpair()

    def wait(self, seconds: float) -> bool:
        """Wait at most so long; return whether something changed that one may see. Raises TeamAway, TeamRefused.

        Once the feed is closed nothing is waited for.
        """
        until = time.monotonic() + seconds
        try:
            with self._using:
                while not self._closed:
                    now = self._version()
                    if now != self._seen:
                        changed = self._seen is not None
                        self._seen = now
                        if changed:
                            return True
                    left = until - time.monotonic()
                    if left <= 0:
                        break
                    self._pause(min(left, LOOK_SECONDS))
                return False
        finally:
            if self._closed:
                self._let_go()

    def _pause(self, seconds: float) -> None:
        """Sleep until a notice comes, the feed is closed or the time has passed."""
        conn = self._listening()
        with selectors.DefaultSelector() as selector:
            selector.register(self._woken, selectors.EVENT_READ)
            if conn is not None:
                selector.register(conn, selectors.EVENT_READ)
            ready = selector.select(seconds)
        if conn is None or not any(key.fileobj is conn for key, _ in ready):
            return
        try:
            with translated():
                for _ in conn.notifies(timeout=0):
                    pass
        except CarrelError:
            self._drop()

    def _listening(self) -> psycopg.Connection | None:
        """Return the connection that hears notices, None where the server gives none or cannot be reached now."""
        if self._conn is None and not self._deaf and time.monotonic() >= self._listens_from and self._reachable():
            try:
                self._listen()
            except CarrelError:  # whatever it is, looking tells it too, or finds that it is over
                self._drop()
        return self._conn

    def _listen(self) -> None:
        import psycopg

        conn = connect(self._url, self._schema)
        try:
            with translated():
                conn.execute(f'LISTEN "{self._schema}_change"')
        except CarrelError as error:
            conn.close()
            cause = error.__cause__
            if not isinstance(cause, psycopg.Error) or cause.sqlstate not in GIVES_NO_NOTICES:
                raise
            self._deaf = True
            return
        self._conn = conn

    def _drop(self) -> None:
        """Let go of a connection that broke."""
        if self._conn is not None:
            with suppress(Exception):
                self._conn.close()
        self._conn = None
        self._listens_from = time.monotonic() + TRIED_AGAIN_SECONDS

    def close(self) -> None:
        """End the feed; returns at once. A thread that still waits returns, and ends the connection as it does."""
        self._closed = True
        with suppress(OSError):  # it was closed before
            self._wake.send(b".")
        self._let_go()

    def _let_go(self) -> None:
        """End what is open, unless another thread is at it, which does so afterwards."""
        if self._using.acquire(blocking=False):
            self._drop()
            self._woken.close()
            self._wake.close()
            self._using.release()
