"""What a search needs of a store beside its connections: the single file is one, the library of a team another."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from engine.records import Query
    from engine.retrieval.cancellation import Cancellation
    from engine.retrieval.vector_leg import VectorSource
    from engine.store.store_connection import MarkWrites, StoreConnection


class SearchedStore(Protocol):
    """Lends connections to a store, to any thread; each sees one state until it is given back."""

    def searching(
        self, cancel: Cancellation | None = None, query: Query | None = None
    ) -> AbstractContextManager[StoreConnection]:
        """Lend a connection; `cancel` interrupts what it does. Raises LibraryError.

        A store a network away brings what a `query` asks first together with the connection.
        """

    def vector_source(self, model_id: int) -> VectorSource:
        """Return what gives the vectors of a model."""

    def marking(self) -> AbstractContextManager[MarkWrites]:
        """Lend what keeps the reader's marks. Raises LibraryError."""

    def ask_to_embed(self, hashes: Collection[bytes]) -> None:
        """Have texts embedded before all others; raises LibraryError where that cannot be asked for now."""
