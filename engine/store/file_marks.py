"""What a reader leaves, marks and the vectors of the questions that they answer, kept in the single file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import apsw

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.records import Mark


class FileMarks(apsw.Connection):
    """The marks of a library file; what the methods give stands in `store_connection`."""

    def marks_stamp(self) -> tuple[int, int]:
        """Return what is another after every change of the marks."""
        from engine.store.judgements import stamp

        return stamp(self)

    def marks(self, query: str | None = None) -> tuple[Mark, ...]:
        """Return all marks, or those of a query."""
        from engine.store import judgements

        return judgements.every(self) if query is None else judgements.of_query(self, query)

    def query_vectors(self, model_id: int, queries: Sequence[str]) -> Mapping[str, NDArray[np.float32]]:
        """Return the vectors that are kept of these queries."""
        from engine.store.judgements import vectors

        return vectors(self, model_id, queries)

    def put_marks(self, marks: Sequence[Mark]) -> None:
        """Keep marks."""
        from engine.store.judgements import put

        put(self, marks)

    def remove_mark(self, query: str, passage_hash: bytes) -> bool:
        """Take a mark back."""
        from engine.store.judgements import remove

        return remove(self, query, passage_hash)

    def empty_marks(self) -> int:
        """Forget all marks."""
        from engine.store.judgements import empty

        return empty(self)

    def keep_query_vectors(self, model_id: int, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Keep the vectors that a model gave to queries."""
        from engine.store.judgements import keep_vectors

        keep_vectors(self, model_id, vectors)
