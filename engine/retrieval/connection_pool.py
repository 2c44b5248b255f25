"""Reader connections of one process: one for each search in flight, kept for the next when it ends well."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import apsw

from engine.retrieval.cancellation import SearchCancelled
from engine.store.connection import open_reader
from engine.store.transactions import snapshot

if TYPE_CHECKING:
    from engine.store.library_connection import LibraryConnection

KEPT = 4  # idle connections; more searches than that are never in flight while a person types


class ReaderPool:
    """Lends read-only connections to any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._idle: list[LibraryConnection] = []
        self._drained = 0  # how often; a connection lent before the last time is not kept
        self._kept = KEPT

    @contextmanager
    def lend(self) -> Iterator[LibraryConnection]:
        """Lend a connection on which all reads see one state of the library. One that failed is not lent again.

        One whose search was given up is: the next key would have to open another, which takes a third of its search.
        """
        with self._lock:
            drained = self._drained
            connection = self._idle.pop() if self._idle else None
        connection = connection or open_reader(self._path)
        try:
            with snapshot(connection):
                yield connection
        except SearchCancelled:
            if connection.txn_state() == apsw.SQLITE_TXN_NONE:  # no statement is open that somebody still reads from
                self._keep(connection, drained)
            else:
                connection.close(True)
            raise
        except BaseException:
            connection.close(True)
            raise
        self._keep(connection, drained)

    def _keep(self, connection: LibraryConnection, drained: int) -> None:
        """Keep a connection for the next search, where it is not one too many."""
        with self._lock:
            if drained == self._drained and len(self._idle) < self._kept:
                self._idle.append(connection)
                return
        connection.close()

    def drain(self) -> None:
        """Close the idle connections now and those that are lent when they come back; later ones are kept again."""
        with self._lock:
            self._drained += 1
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def close(self) -> None:
        """Close all connections, those that are lent when they come back; none is kept from now on."""
        self._kept = 0
        self.drain()
