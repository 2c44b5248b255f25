"""Keeps what was made of the rows of the last questions: a key asks for the same ones by words and by both legs."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import TYPE_CHECKING

from engine.retrieval.versions import Versions

if TYPE_CHECKING:
    from engine.retrieval.fts_query import FtsQuery
    from engine.retrieval.hits import Read
    from engine.store.store_connection import StoreConnection


class RowMemory:
    """What was read of passages, by question; a question is another one in another version of the word index."""

    def __init__(self) -> None:
        self._made: Versions[Hashable, dict[int, Read]] = Versions()
        self._guard = threading.Lock()

    def of(self, connection: StoreConnection, fts_query: FtsQuery) -> dict[int, Read]:
        """Return what is kept for a question, by passage, to be added to.

        It holds as long as the passage's row is the same one, which the reader compares.
        """
        words = fts_query.phrases, fts_query.readings, fts_query.known, fts_query.signs
        question = connection.file, connection.words_version(), *words
        with self._guard:
            return self._made.at(question, dict)
