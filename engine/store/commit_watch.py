"""Tells of commits to a library file, but for the notes that are made here, which change nothing that is shown.

SQLite counts for a connection the commits of all others (`data_version`). So who watches writes the notes: a log of
searches by another connection would have its own search made again, and everything looked at anew, at each line.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.store.library_connection import LibraryConnection

ANOTHER = 2**32  # more than a connection counts: the number of the next one is none that was told before


class CommitWatch:
    """Watches one library file. Every method from any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: LibraryConnection | None = None
        self._writes = False  # whether the connection can
        self._counted = 0  # by the connections before this one
        self._closed = False

    def version(self) -> int:
        """Return a number that changes whenever somebody else has committed; cheap enough to poll."""
        with self._lock:
            connection = self._connection or self._opened()
            found = self._counted + int(connection.pragma("data_version"))
            if self._closed:  # whoever still asks keeps no file open
                self._let_go()
            return found

    @contextmanager
    def noting(self) -> Iterator[LibraryConnection | None]:
        """Lend a connection to write with, whose commits `version` does not tell; None where nobody watches."""
        with self._lock:
            if self._connection is None:
                yield None
                return
            try:
                yield self._writer(self._connection)
            except BaseException:  # whatever it was: a file that was exchanged, or is full
                self._let_go()
                raise

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._let_go()
            self._closed = True

    def _opened(self) -> LibraryConnection:
        from engine.store.connection import open_reader

        self._connection, self._writes = open_reader(self._path), False
        return self._connection

    def _writer(self, watching: LibraryConnection) -> LibraryConnection:
        """Return the connection that watches, as one that can write and has the settings as they are now."""
        from engine.effective_settings import effective
        from engine.store import migrations
        from engine.store.connection import open_writer
        from engine.store.transactions import transaction

        if self._writes and migrations.version(watching) == migrations.newest_version():
            watching.pragma("secure_delete", effective().secure_delete)
            return watching
        writer = open_writer(self._path)
        with transaction(writer):  # nobody commits between the two looks
            self._counted += int(watching.pragma("data_version")) - int(writer.pragma("data_version"))
        watching.close()
        self._connection, self._writes = writer, True
        return writer

    def _let_go(self) -> None:
        """Close the connection; the next one tells another number, as if something had been committed."""
        if self._connection is not None:
            self._counted += ANOTHER
            self._connection.close()
            self._connection = None
