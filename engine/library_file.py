"""Lends connections to one library file: for reading to any thread, for writing to one at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from engine.retrieval.connection_pool import ReaderPool
from engine.store import migrations
from engine.store.commit_watch import CommitWatch
from engine.store.connection import open_writer
from engine.store.faults import translated
from engine.store.stored_values import values_explained
from engine.store.transactions import transaction

if TYPE_CHECKING:
    from engine.records import Query
    from engine.retrieval.cancellation import Cancellation
    from engine.retrieval.vector_leg import VectorSource
    from engine.store.library_connection import LibraryConnection

_Answer = TypeVar("_Answer")


class LibraryFile:
    """The file of one library. What SQLite says against it, or a damaged value, is an error of `engine.errors`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._pool = ReaderPool(path)
        self._watch = CommitWatch(path)
        self._newest = False  # whether the library was seen to have the newest schema

    def read(self, question: Callable[[LibraryConnection], _Answer]) -> _Answer:
        """Return what a question finds in one state of the library."""
        with self.reading() as connection:
            return question(connection)

    @contextmanager
    def reading(self, cancel: Cancellation | None = None) -> Iterator[LibraryConnection]:
        """Lend a reader's connection, on which all reads see one state; `cancel` interrupts what it does."""
        with (
            values_explained(self.path),
            translated(self.path),
            self._pool.lend() as connection,
            cancel.guarding(connection) if cancel else nullcontext(),
        ):
            yield connection

    @contextmanager
    def searching(self, cancel: Cancellation | None = None, query: Query | None = None) -> Iterator[LibraryConnection]:
        """Lend a reader's connection; a library of an older Carrel is brought up to date before it is searched.

        What a `query` asks is asked later: it is no way to a file.

        Raises LibraryReadOnly where such a one cannot be written to, LibraryBusy where another process indexes it.
        """
        if not self._newest:
            if self.read(migrations.version) < migrations.newest_version():
                self.drain()
                open_writer(self.path).close()
            self._newest = True
        with self.reading(cancel) as connection:
            yield connection

    def vector_source(self, model_id: int) -> VectorSource:
        """Return what keeps the vectors of a model in memory."""
        from engine.retrieval.vector_index import VectorIndex

        return VectorIndex(model_id)

    def marking(self) -> AbstractContextManager[LibraryConnection]:
        """Lend a writer's connection, for marks."""
        return self.writing()

    def ask_to_embed(self, hashes: Collection[bytes]) -> None:
        """Have the indexer embed texts before all others. Raises LibraryError."""
        from engine.store import pending_vectors

        with self.writing() as connection, transaction(connection):
            pending_vectors.ask(connection, list(hashes))

    @contextmanager
    def writing(self, *, lock_held: bool = False) -> Iterator[LibraryConnection]:
        """Lend a writer's connection; `lock_held` says that the caller holds the indexer lock."""
        connection = open_writer(self.path, lock_held=lock_held)
        try:
            with values_explained(self.path), translated(self.path):
                yield connection
        finally:
            connection.close()

    @contextmanager
    def noting(self) -> Iterator[LibraryConnection]:
        """Lend a writer's connection for what changes nothing that is shown: `version` stays as it is."""
        with values_explained(self.path), translated(self.path), self._watch.noting() as connection:
            if connection is not None:
                yield connection
                return
        with self.writing() as connection:
            yield connection

    def version(self) -> int:
        """Return a number that changes whenever another connection has committed, but for what was `noting`."""
        return self._watch.version()

    def drain(self) -> None:
        """Close the readers: an open one keeps the last writer from folding the log into the file."""
        self._pool.drain()

    def close(self) -> None:
        """Let go of the file."""
        self._pool.close()
        self._watch.close()
