"""Groups ranked passages into the rows of a list: one row a document, near-duplicates under the best of them.

Each entry of a file of several, as a message of a mailbox, is a row of its own, as if it were a document.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.lazy_dataclass import dataclass
from engine.records import SearchSettings
from engine.retrieval.candidate_retrieval import Candidates

NONE = -1


@dataclass(frozen=True, slots=True)
class Row:
    """One row to come: its passage and what stands under it, as positions in the candidates.

    `grouped` is its place, from 1, among the rows with near-duplicates still in rows of their own.
    """

    passage: int
    more: tuple[int, ...]
    duplicates: tuple[int, ...]
    grouped: int = 0


class _Twins:
    """Knows for every candidate the first listed passage of another document that says nearly the same."""

    def __init__(self, candidates: Candidates, threshold: float | None) -> None:
        self._candidates = candidates
        self._threshold = threshold
        self._leader = np.full(len(candidates), NONE, np.int64)
        self._meant = ~np.isnan(candidates.cosine)

    def of(self, position: int) -> int | None:
        leader = int(self._leader[position])
        return leader if leader != NONE else None

    def add(self, leader: int) -> None:
        """Take a newly listed passage into account: one product with all candidates."""
        if self._threshold is None or not self._meant[leader]:
            return
        vectors, documents = self._candidates.vectors, self._candidates.entries
        alike = (vectors @ vectors[leader] >= self._threshold) & self._meant
        alike &= (documents != documents[leader]) & (self._leader == NONE)
        self._leader[alike] = leader


def rows(candidates: Candidates, order: NDArray[np.int64], settings: SearchSettings, limit: int) -> list[Row]:
    """Take rows from the ranked candidates until `limit` is filled or the candidates are used up."""
    more: dict[int, list[int]] = {}
    duplicates: dict[int, list[int]] = {}
    leader_of: dict[int, int | None] = {}
    grouped: dict[int, int] = {}
    places = 0
    twins = _Twins(candidates, settings.collapse)
    documents = candidates.entries.tolist()
    grouping = settings.group and settings.diversity is None
    for position in order.tolist():
        document = documents[position]
        if grouping and document in leader_of:
            leader = leader_of[document]
            if leader is not None:
                more[leader].append(position)
            continue
        places += 1
        twin = twins.of(position)
        if twin is not None:
            duplicates[twin].append(position)
            leader_of[document] = None
        elif len(more) < limit:
            twins.add(position)
            leader_of[document] = position
            more[position], duplicates[position], grouped[position] = [], [], places
    return [Row(leader, tuple(below), tuple(duplicates[leader]), grouped[leader]) for leader, below in more.items()]
