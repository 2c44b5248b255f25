"""The active model's vectors as one matrix in memory, kept up to date from the library's own list of changes."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.retrieval import vector_cache
from engine.retrieval.quantized_index import CompressedVectors, of_block
from engine.retrieval.tombstones import Column, GrowingRows
from engine.retrieval.vector_leg import BEST_COUNT, VectorIndex, chosen, located
from engine.store import change_log
from engine.store.vector_tables import dimension, live_ids, read_blocks, read_matrix, vectors_of

if TYPE_CHECKING:
    import apsw

EXACT_BYTES = 512 * 2**20  # of vectors in memory: 349,525 of 384 components
COMPONENT_BYTES = 4
WORTH_KEEPING = 2000  # changes that are followed in .3 s; with more the compressed vectors are kept anew
READ_AT_ONCE = 1000
RELOAD_SHARE = 0.25  # changed passages above which reading everything anew is cheaper


GONE = -2.0  # stands for the cosine of what may not be found


@dataclass(frozen=True, slots=True)
class Vectors:
    """A view of the matrix: `ids` (n,), `matrix` (n, dimension) of unit rows, `alive` (n,) false for removed ones."""

    ids: NDArray[np.int64]
    matrix: NDArray[np.float32]
    alive: NDArray[np.bool_]

    @property
    def dimension(self) -> int:
        """Components of a vector."""
        return int(self.matrix.shape[1])

    def positions(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the row of each id, -1 where it has no vector."""
        return located(self.ids, self.alive, ids)

    def exactly(self, connection: apsw.Connection, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the vectors of rows, (n, dimension)."""
        return self.matrix[rows]

    def nearest(self, query: NDArray[np.float32], depth: int, within: NDArray[np.int64] | None) -> ExactLeg:
        """Compare every row with a unit vector and keep the best `depth`."""
        cosine = self.matrix @ query
        cosine[~self.alive] = GONE
        if within is not None:
            cosine[~chosen(len(cosine), self.positions(within))] = GONE
        best = np.argpartition(-cosine, depth)[:depth] if len(cosine) > depth else np.arange(len(cosine))
        best = best[cosine[best] > GONE]
        return ExactLeg(self.matrix, cosine, best[np.lexsort((self.ids[best], -cosine[best]))])


@dataclass(frozen=True, slots=True)
class ExactLeg:
    """What every row's cosine is known of: `cosine` (n,), with `GONE` for what may not be found."""

    matrix: NDArray[np.float32]
    cosine: NDArray[np.float32]
    rows: NDArray[np.int64]

    @property
    def best(self) -> NDArray[np.float32]:
        """The greatest cosines, descending."""
        greatest = self.cosine if len(self.cosine) <= BEST_COUNT else np.partition(self.cosine, -BEST_COUNT)
        found = -np.sort(-greatest[-BEST_COUNT:])
        return found[found > GONE]

    @property
    def more(self) -> bool:
        """Whether more rows were allowed than were kept."""
        return int((self.cosine > GONE).sum()) > len(self.rows)

    def vectors(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the vectors of rows, (n, dimension)."""
        return self.matrix[rows]

    def ranks(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the exact rank of each row; equal cosines share one."""
        ordered = np.sort(self.cosine[self.cosine > GONE])
        reached = self.cosine[rows]
        return np.where(reached > GONE, len(ordered) - np.searchsorted(ordered, reached, side="right") + 1, 0)

    def settled(self, connection: apsw.Connection) -> ExactLeg:
        """Return the leg as it is: every row was compared exactly."""
        return self


class Resident:
    """Holds the vectors of one model and refreshes them. Safe to use from several threads.

    Up to `exact_bytes` of them are kept as they are; of a larger library bits and bytes, as `compressed` has it.
    """

    def __init__(self, exact_bytes: int = EXACT_BYTES) -> None:
        self._exact_bytes = exact_bytes
        self._lock = threading.Lock()
        self._model_id: int | None = None
        self._sequence = -1
        self._rows = GrowingRows.empty()
        self._compressed = False

    def refresh(self, connection: apsw.Connection, model_id: int) -> VectorIndex:
        """Bring the vectors up to what `connection` sees of `model_id`, and return a view of them."""
        with self._lock:
            newest = change_log.latest(connection)
            if model_id != self._model_id:
                self._load(connection, model_id, newest)
            elif newest != self._sequence:
                self._follow(connection, model_id, newest)
            ids, alive, columns = self._rows.view()
            if self._compressed:
                codes, factors, bits = columns
                return CompressedVectors(model_id, ids, bits.T, codes, factors, alive)
            return Vectors(ids, columns[0], alive)

    def _load(self, connection: apsw.Connection, model_id: int, newest: int) -> None:
        count, size = len(live_ids(connection, model_id)), dimension(connection, model_id)
        self._compressed = count * size * COMPONENT_BYTES > self._exact_bytes
        self._model_id, self._sequence = model_id, newest
        if not self._compressed:
            ids, matrix = read_matrix(connection, model_id)
            self._rows = GrowingRows.of(ids, [matrix])
            return
        kept = vector_cache.load(connection, model_id)
        if kept is not None:
            self._rows, self._sequence = kept.rows, kept.sequence
            self._follow(connection, model_id, newest)
            if newest - kept.sequence <= WORTH_KEEPING:
                return
        else:
            self._rows = compressed_rows(connection, model_id, count)
        vector_cache.keep(connection, model_id, self._rows, newest)

    def _follow(self, connection: apsw.Connection, model_id: int, newest: int) -> None:
        changed = change_log.since(connection, self._sequence)
        touched = 0 if changed is None else len(changed.put) + len(changed.deleted)
        if changed is None or touched > RELOAD_SHARE * max(self._rows.count, 1):
            self._load(connection, model_id, newest)
            return
        self._rows.bury(np.array(changed.deleted, np.int64))
        for start in range(0, len(changed.put), READ_AT_ONCE):
            ids, vectors = vectors_of(connection, model_id, changed.put[start : start + READ_AT_ONCE])
            self._rows.put(ids, columns_of(vectors) if self._compressed else [vectors])
        self._sequence = newest


def columns_of(vectors: NDArray[np.float32]) -> list[Column]:
    """Return vectors (n, dimension) as a compressed index keeps them: bytes, factors, bits, a row each."""
    bits, codes, factors = of_block(vectors)
    return [codes, factors, bits.T]


def compressed_rows(connection: apsw.Connection, model_id: int, count: int) -> GrowingRows:
    """Read all vectors of a model, a block at a time, and keep their bits and bytes."""
    rows: GrowingRows | None = None
    for ids, vectors in read_blocks(connection, model_id):
        columns = columns_of(vectors)
        rows = rows or GrowingRows.like(columns, count)
        rows.put(ids, columns)
    assert rows is not None  # nobody compresses what is not there
    return rows
