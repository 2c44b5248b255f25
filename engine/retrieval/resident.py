"""The active model's vectors as one matrix in memory, kept up to date from the library's own list of changes."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.store import changes
from engine.store.vectors import read_matrix, vectors_of

if TYPE_CHECKING:
    import apsw

SPARE = 1.25  # room for new passages, so that one more does not copy the matrix
RELOAD_SHARE = 0.25  # changed passages above which reading everything anew is cheaper


@dataclass(frozen=True, slots=True)
class Vectors:
    """A view of the matrix: `ids` (n,), `matrix` (n, dimension) of unit rows, `alive` (n,) false for removed ones."""

    ids: NDArray[np.int64]
    matrix: NDArray[np.float32]
    alive: NDArray[np.bool_]

    def cosines(self, query: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the cosine of every row with a unit query vector; -2 for removed passages."""
        cosine = self.matrix @ query
        cosine[~self.alive] = -2.0
        return cosine

    def positions(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the row of each id, -1 where it has no vector."""
        if not len(self.ids):
            return np.full(len(ids), -1, np.int64)
        order = np.argsort(self.ids, kind="stable") if np.any(self.ids[1:] < self.ids[:-1]) else None
        found = np.searchsorted(self.ids, ids, sorter=order).clip(max=len(self.ids) - 1)
        rows = order[found] if order is not None else found
        hit = (self.ids[rows] == ids) & self.alive[rows]
        return np.where(hit, rows, -1)


class Resident:
    """Holds the matrix of one model and refreshes it. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._model_id: int | None = None
        self._sequence = -1
        self._count = 0
        self._ids = np.empty(0, np.int64)
        self._matrix = np.empty((0, 0), np.float32)
        self._alive = np.empty(0, np.bool_)
        self._row_of: dict[int, int] = {}

    def refresh(self, connection: apsw.Connection, model_id: int) -> Vectors:
        """Bring the matrix up to what `connection` sees of `model_id`, and return a view of it."""
        with self._lock:
            newest = changes.latest(connection)
            if model_id != self._model_id:
                self._load(connection, model_id, newest)
            elif newest != self._sequence:
                self._follow(connection, model_id, newest)
            return Vectors(self._ids[: self._count], self._matrix[: self._count], self._alive[: self._count])

    def _load(self, connection: apsw.Connection, model_id: int, newest: int) -> None:
        self._ids, self._matrix = read_matrix(connection, model_id)
        self._count = len(self._ids)
        self._alive = np.ones(self._count, np.bool_)
        self._row_of = {}
        self._model_id, self._sequence = model_id, newest

    def _follow(self, connection: apsw.Connection, model_id: int, newest: int) -> None:
        changed = changes.since(connection, self._sequence)
        if changed is None or len(changed.put) + len(changed.deleted) > RELOAD_SHARE * max(self._count, 1):
            self._load(connection, model_id, newest)
            return
        if not self._row_of:
            self._row_of = dict(zip(self._ids[: self._count].tolist(), range(self._count), strict=True))
        ids, vectors = vectors_of(connection, model_id, changed.put)
        for passage in changed.deleted:
            if passage in self._row_of:
                self._alive[self._row_of[passage]] = False
        for passage, vector in zip(ids.tolist(), vectors, strict=True):
            row = self._row_of.get(passage)
            row = self._append(passage) if row is None else row
            self._matrix[row] = vector
            self._alive[row] = True
        self._sequence = newest

    def _append(self, passage: int) -> int:
        row = self._count
        if row == len(self._ids):
            room = max(int(row * SPARE), row + 1024)
            self._ids = np.concatenate([self._ids, np.zeros(room - row, np.int64)])
            self._alive = np.concatenate([self._alive, np.zeros(room - row, np.bool_)])
            grown = np.zeros((room, self._matrix.shape[1]), np.float32)
            grown[:row] = self._matrix[:row]
            self._matrix = grown
        self._ids[row] = passage
        self._row_of[passage] = row
        self._count += 1
        return row
