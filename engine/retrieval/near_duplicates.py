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

    def __init__(self, candidates: Candidates, threshold: float) -> None:
        self._vectors, self._documents = candidates.vectors, candidates.entries
        self._threshold = threshold
        self._leader = np.full(len(candidates), NONE, np.int64)
        self._meant = ~np.isnan(candidates.cosine)

    def of(self, position: int) -> int | None:
        """Return the passage that says nearly the same as one, None where none does."""
        leader = int(self._leader[position])
        return leader if leader != NONE else None

    def add(self, leader: int) -> None:
        """Take a newly listed passage into account: one product with all candidates."""
        if not self._threshold or not self._meant[leader]:
            return
        alike = (self._vectors @ self._vectors[leader] >= self._threshold) & self._meant
        alike &= (self._documents != self._documents[leader]) & (self._leader == NONE)
        self._leader[alike] = leader

    def replace(self, leader: int, other: int) -> None:
        """Let another passage lead what `leader` has led, itself among it."""
        self._leader[self._leader == leader] = other
        self._leader[leader] = other
        self._leader[(self._documents == self._documents[other]) & (self._leader == other)] = NONE
        self.add(other)


class _List:
    """The rows so far, each by its passage, in order."""

    def __init__(self, candidates: Candidates, threshold: float) -> None:
        self._documents = candidates.entries.tolist()
        self._tie = candidates.tie
        self._twins = _Twins(candidates, threshold)
        self._latest = NONE  # the row begun last, as long as no other passage has asked for a row after it
        self.more: dict[int, list[int]] = {}
        self.duplicates: dict[int, list[int]] = {}
        self.grouped: dict[int, int] = {}
        self.leader_of: dict[int, int | None] = {}  # by document; None where it stands in another's row, or in none

    def collapse(self, position: int) -> bool:
        """Put a passage under one that says nearly the same, or that one under it; False where none is listed.

        Of copies that follow each other in the ranking the one with the shorter path leads: who keeps a copy puts it
        deeper, or adds to its name.
        """
        twin = self._twins.of(position)
        if twin is None:
            return False
        leads = twin == self._latest and self._tie[position] < self._tie[twin]
        self.leader_of[self._documents[position]] = position if leads else None
        if not leads:
            self.duplicates[twin].append(position)
            return True
        self.leader_of[self._documents[twin]] = None
        del self.more[twin]
        self._begin(position, [twin, *self.duplicates.pop(twin)], self.grouped.pop(twin))
        self._twins.replace(twin, position)
        return True

    def begin(self, position: int, place: int) -> None:
        """Give a passage a row of its own."""
        self.leader_of[self._documents[position]] = position
        self._begin(position, [], place)
        self._twins.add(position)

    def pass_over(self) -> None:
        """Note that a passage found no room for a row of its own."""
        self._latest = NONE

    def _begin(self, position: int, duplicates: list[int], place: int) -> None:
        self.more[position], self.duplicates[position], self.grouped[position] = [], duplicates, place
        self._latest = position


def rows(candidates: Candidates, order: NDArray[np.int64], settings: SearchSettings, limit: int) -> list[Row]:
    """Take rows from the ranked candidates until `limit` is filled or the candidates are used up."""
    listed = _listed(candidates, order, settings, limit, whole=True)
    return [
        Row(leader, tuple(below), tuple(listed.duplicates[leader]), listed.grouped[leader])
        for leader, below in listed.more.items()
    ]


def first_of_rows(candidates: Candidates, order: NDArray[np.int64], settings: SearchSettings, limit: int) -> list[int]:
    """Return the passages of the same rows alone; what stands below the last of them is not looked at."""
    return list(_listed(candidates, order, settings, limit, whole=False).more)


def _listed(
    candidates: Candidates, order: NDArray[np.int64], settings: SearchSettings, limit: int, *, whole: bool
) -> _List:
    """Return the list that ranked candidates make; unless `whole`, only until none of its rows can become another."""
    listed = _List(candidates, settings.used_constants.collapse)
    documents = candidates.entries.tolist()
    grouping = settings.group and settings.diversity is None
    places = 0
    for position in order.tolist():
        document = documents[position]
        if grouping and document in listed.leader_of:
            leader = listed.leader_of[document]
            if leader is not None:
                listed.more[leader].append(position)
            continue
        places += 1
        if listed.collapse(position):
            continue
        if len(listed.more) < limit:
            listed.begin(position, places)
        elif whole:
            listed.pass_over()
        else:
            break
    return listed
