"""The vector leg as the other rooms see it: what it is asked and what it answers, however the vectors are kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from engine.retrieval.cancellation import Cancellation
    from engine.store.allowed import Allowed
    from engine.store.store_connection import StoreConnection

BEST_COUNT = 10  # of the greatest cosines that a leg tells: the verdict is read from them

Rows = NDArray[np.int64]
Cosines = NDArray[np.float32]
Matrix = NDArray[np.float32]


class VectorLeg(Protocol):
    """The passages nearest to one query, as rows of the index that found them."""

    @property
    def rows(self) -> Rows:
        """The nearest rows, best first, equal cosines by id."""

    @property
    def best(self) -> Cosines:
        """The greatest cosines of all, descending, at most `BEST_COUNT`."""

    @property
    def more(self) -> bool:
        """Whether there are more rows than were asked for."""

    def vectors(self, rows: Rows) -> Matrix:
        """Return the vectors of rows as this leg compared them, (n, dimension)."""

    def ranks(self, rows: Rows) -> Rows:
        """Return the rank of each row among all that were allowed, from 1; 0 where it is not known."""

    def places(self, cosines: Cosines) -> Rows:
        """Return the rank that a row of each cosine would have among all that were allowed; 0 where it is not known."""

    def settled(self, connection: StoreConnection) -> VectorLeg:
        """Return the leg with its nearest rows compared by what the library holds, where they were not."""


class Vectors(Protocol):
    """The vectors of all passages in one version of the library, for reading; nothing in it ever changes.

    A store that keeps them elsewhere has rows for what was brought from there so far: those that it adds come behind.
    """

    def ids_of(self, rows: Rows) -> Rows:
        """Return the passages of rows."""

    @property
    def count(self) -> int:
        """How many vectors there are, here or elsewhere."""

    @property
    def dimension(self) -> int:
        """Components of a vector."""

    def positions(self, ids: Rows) -> Rows:
        """Return the row of each passage, -1 where it has no vector."""

    def begin(self, connection: StoreConnection, query: Cosines, depth: int, allowed: Allowed) -> Scan:
        """Return what finds the `depth` rows nearest to a unit vector among those allowed.

        What it must read of the store is read now, so that the scan can run beside what reads. `settled` brings the leg
        to its end.
        """

    def exactly(self, connection: StoreConnection, rows: Rows) -> Matrix:
        """Return the vectors of a few rows as the library holds them, (n, dimension)."""


class VectorSource(Protocol):
    """Gives the vectors of one model, version by version."""

    def at(self, connection: StoreConnection) -> Vectors:
        """Return the vectors as `connection` sees them."""


Scan = Callable[["Cancellation"], VectorLeg]
"""Finds the nearest rows. Raises SearchCancelled."""


def within(connection: StoreConnection, allowed: Allowed) -> Rows | None:
    """Return the passages that are allowed, None for all."""
    return None if allowed.everything else connection.allowed_ids(allowed)


def chosen(count: int, positions: Rows) -> NDArray[np.bool_]:
    """Return a mask of `count` rows that is true at these positions; -1 stands for none."""
    inside = np.zeros(count, np.bool_)
    inside[positions[positions >= 0]] = True
    return inside
