"""What a process keeps from one search of a library to the next: the model with its vectors, postings, rows."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.embedding.encoder import Encoder
    from engine.retrieval.active_model import ActiveModel
    from engine.retrieval.fts_query import FtsQuery
    from engine.retrieval.hits import Read
    from engine.retrieval.postings_cache import PostingsCache
    from engine.retrieval.row_memory import RowMemory
    from engine.retrieval.vector_leg import VectorSource
    from engine.store.store_connection import StoreConnection


class SearchCaches:
    """Made when they are first asked for, from any thread. `encoder` stands in for the library's own model."""

    def __init__(self, encoder: Encoder | None, vectors: Callable[[int], VectorSource]) -> None:
        self._encoder = encoder
        self._vectors = vectors
        self._active: ActiveModel | None = None
        self._postings: PostingsCache | None = None
        self._rows: RowMemory | None = None
        self._stays = False  # whether this process will search again and again
        self._closed = False  # a search that goes on keeps nothing for later ones
        self._guard = threading.Lock()

    def stay(self) -> None:
        """Keep from now on what is read: this process will search again and again."""
        with self._guard:
            self._stays, self._postings = True, None

    def active_model(self) -> ActiveModel:
        """Return what gives the model that searches use."""
        from engine.retrieval.active_model import ActiveModel

        with self._guard:
            active = self._active or ActiveModel(self._encoder, vectors=self._vectors)
            self._active = None if self._closed else active
            return active

    def postings(self) -> PostingsCache:
        """Return what the word index answered before."""
        from engine.retrieval.postings_cache import PostingsCache

        with self._guard:
            if self._postings is None:
                self._postings = PostingsCache(keeps_scores=self._stays)
            return self._postings

    def rows_made(self, connection: StoreConnection, fts_query: FtsQuery) -> dict[int, Read]:
        """Return what was made of this query's rows, in a process that searches again and again."""
        from engine.retrieval.row_memory import RowMemory

        with self._guard:
            if not self._stays or self._closed:
                return {}
            self._rows = self._rows or RowMemory()
        return self._rows.of(connection, fts_query)

    def close(self) -> None:
        """Let go of the vectors and the model."""
        with self._guard:
            self._active, self._rows, self._closed = None, None, True
