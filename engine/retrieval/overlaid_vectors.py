"""The library's vectors with a few more laid over them: those that this process made of passages that wait for theirs.

A search sees one set of vectors and cannot tell where a row comes from. The added rows come after the library's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.retrieval.tie_break import best_of_leg
from engine.retrieval.vector_leg import BEST_COUNT, Cosines, Matrix, Rows, Scan, VectorLeg, Vectors

if TYPE_CHECKING:
    from engine.store.allowed import Allowed
    from engine.store.store_connection import StoreConnection

ADDED = 1 << 48  # above the rows that any store has: those laid over it are counted from here


@dataclass(frozen=True)
class OverlaidVectors:
    """`base` and, behind its rows, the vectors `added` (m, dimension) of the passages `added_ids` (m,), ascending.

    No passage may be in both.
    """

    base: Vectors
    added_ids: Rows
    added: Matrix

    @property
    def count(self) -> int:
        """How many vectors there are."""
        return self.base.count + len(self.added_ids)

    def ids_of(self, rows: Rows) -> Rows:
        """Return the passages of rows."""
        found = np.empty(len(rows), np.int64)
        own = rows < ADDED
        found[own] = self.base.ids_of(rows[own])
        found[~own] = self.added_ids[rows[~own] - ADDED]
        return found

    @property
    def dimension(self) -> int:
        """Components of a vector."""
        return self.base.dimension

    def positions(self, ids: Rows) -> Rows:
        """Return the row of each passage, -1 where it has no vector."""
        rows = self.base.positions(ids)
        at = np.searchsorted(self.added_ids, ids).clip(max=len(self.added_ids) - 1)
        return np.where(self.added_ids[at] == ids, ADDED + at, rows)

    def begin(self, connection: StoreConnection, query: Cosines, depth: int, allowed: Allowed) -> Scan:
        """Return what finds the `depth` rows nearest to a unit vector among both."""
        inside = np.isin(self.added_ids, connection.let_through(self.added_ids, allowed))
        cosine = (self.added @ query).astype(np.float32)
        scan = self.base.begin(connection, query, depth, allowed)
        return lambda cancel: OverlaidLeg(self, scan(cancel), query, depth, cosine, inside)

    def exactly(self, connection: StoreConnection, rows: Rows) -> Matrix:
        """Return the vectors of a few rows, (n, dimension)."""
        return self.parted(rows, lambda own: self.base.exactly(connection, own))

    def parted(self, rows: Rows, of_base: Callable[[Rows], Matrix]) -> Matrix:
        """Return the vectors of rows, those of the library's own by `of_base`."""
        own = rows < ADDED
        found = np.empty((len(rows), self.dimension), np.float32)
        found[own] = of_base(rows[own])
        found[~own] = self.added[rows[~own] - ADDED]
        return found


@dataclass(frozen=True)
class OverlaidLeg:
    """What the library's own leg found, with the added rows in their places among it.

    `cosine` (m,) and `allowed` (m,) are of the added rows.
    """

    index: OverlaidVectors
    own: VectorLeg
    query: Cosines
    depth: int
    cosine: Cosines
    allowed: NDArray[np.bool_]

    @cached_property
    def rows(self) -> Rows:
        """The nearest rows, best first."""
        added = ADDED + np.flatnonzero(self.allowed)
        rows = np.concatenate([self.own.rows, added])
        cosines = np.concatenate([self.own.vectors(self.own.rows) @ self.query, self.cosine[self.allowed]])
        return rows[best_of_leg(cosines, self.index.ids_of(rows), self.depth)]

    @property
    def best(self) -> Cosines:
        """The greatest cosines of all, descending."""
        found = np.concatenate([self.own.best, self.cosine[self.allowed]])
        return -np.sort(-found)[:BEST_COUNT]

    @property
    def more(self) -> bool:
        """Whether there are more rows than were asked for."""
        return self.own.more or len(self.own.rows) + int(self.allowed.sum()) > self.depth

    def vectors(self, rows: Rows) -> Matrix:
        """Return the vectors of rows as this leg compared them, (n, dimension)."""
        return self.index.parted(rows, self.own.vectors)

    def ranks(self, rows: Rows) -> Rows:
        """Return the rank of each row among all that were allowed, from 1; 0 where it is not known."""
        mine = rows >= ADDED
        added = rows[mine] - ADDED
        ranks = np.zeros(len(rows), np.int64)
        ranks[~mine] = self._moved_down(self.own.ranks(rows[~mine]), self.own.vectors(rows[~mine]) @ self.query)
        ranks[mine] = self._moved_down(self.own.places(self.cosine[added]), self.cosine[added])
        ranks[mine] *= self.allowed[added]
        return ranks

    def places(self, cosines: Cosines) -> Rows:
        """Return the rank that a row of each cosine would have; 0 where it is not known."""
        return self._moved_down(self.own.places(cosines), cosines)

    def _moved_down(self, ranks: Rows, cosines: Cosines) -> Rows:
        """Return ranks among the library's own rows as ranks among all."""
        added = np.sort(self.cosine[self.allowed])
        return np.where(ranks > 0, ranks + len(added) - np.searchsorted(added, cosines, side="right"), 0)

    def settled(self, connection: StoreConnection) -> OverlaidLeg:
        """Return the leg with its nearest rows compared by what the library holds."""
        return replace(self, own=self.own.settled(connection))
