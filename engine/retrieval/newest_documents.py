"""Lists documents newest first: those that pass the filters, or those that hold signs as they stand (🍕, →, ???).

For signs there is no index, so documents are read until enough are found. The work has an end in any library: so many
passages are looked through at most, and it is told how many were not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from engine.lazy_dataclass import dataclass
from engine.retrieval.cancellation import Cancellation
from engine.retrieval.candidate_retrieval import Candidates
from engine.retrieval.fts_query import FtsQuery
from engine.store.allowed import Allowed

if TYPE_CHECKING:
    from engine.store.store_connection import StoreConnection

MOST_PASSAGES = 200_000  # looked through for one search: a second or two
DOCUMENTS_AT_ONCE = 200  # so that a cancelled search ends soon


@dataclass(frozen=True, slots=True)
class Newest:
    """The passages (id, document, number of the entry in it or 0) that are listed, one a document or an entry.

    `left` is how many passages were not looked through.
    """

    passages: tuple[tuple[int, int, int], ...]
    left: int = 0

    def candidates(self, fts_query: FtsQuery) -> Candidates:
        """Return them as candidates that neither leg has ranked, in their order."""
        count = len(self.passages)
        zeros = np.zeros(count)
        numbers = np.fromiter((number for _, _, number in self.passages), np.int64, count)
        return Candidates(
            ids=np.fromiter((passage for passage, _, _ in self.passages), np.int64, count),
            documents=np.fromiter((document for _, document, _ in self.passages), np.int64, count),
            tie=np.arange(count, dtype=np.int64),
            cosine=np.full(count, np.nan, np.float32),
            bm25=zeros,
            vector_rank=np.zeros(count, np.int64),
            keyword_rank=np.zeros(count, np.int64),
            vectors=np.zeros((count, 1), np.float32),
            query_vector=None,
            fts_query=fts_query,
            background=0.0,
            keyword_ceiling=0.0,
            rare=zeros,
            truncated=False,
            numbers=numbers if numbers.any() else None,
        )


def newest(connection: StoreConnection, within: Allowed, limit: int) -> Newest:
    """Return the allowed documents of latest date, newest first, each by its first allowed passage.

    An entry, as a message of a mailbox, stands at its own date, but never after that of its file.
    """
    return Newest(tuple(connection.newest(within, limit)))


def newest_holding(
    connection: StoreConnection,
    signs: Sequence[str],
    within: Allowed,
    limit: int,
    cancel: Cancellation,
) -> Newest:
    """Return the first passage of each document that holds all the signs in its text, title or path, newest first.

    At most `limit` documents are given. Raises SearchCancelled.
    """
    documents = connection.documents_by_date()
    found: list[tuple[int, int, int]] = []
    looked = 0
    for first in range(0, len(documents), DOCUMENTS_AT_ONCE):
        cancel.check()
        if looked >= MOST_PASSAGES or len(found) >= limit:
            break
        chosen = documents[first : first + DOCUMENTS_AT_ONCE]
        looked += connection.passages_in(chosen)
        found += connection.holding_signs(signs, within, chosen)
    left = max(0, connection.statistics().rows - looked) if looked >= MOST_PASSAGES and len(found) < limit else 0
    return Newest(tuple(found[:limit]), left)
