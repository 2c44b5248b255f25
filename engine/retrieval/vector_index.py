"""The active model's vectors in memory: an index that follows the library's own list of changes, version by version.

A search gets the vectors as its own snapshot of the library has them, and they never change under it. Versions share
one set of rows that is only added to: a newer one adds what changed, and so does an older one that comes late, without
taking the newer one's place. So neither reads the whole matrix anew.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.lazy_dataclass import dataclass
from engine.retrieval import vector_cache
from engine.retrieval.cancellation import Cancellation
from engine.retrieval.quantized_index import QuantizedVectors, of_block
from engine.retrieval.tie_break import nearest_of_leg
from engine.retrieval.tombstones import AppendOnlyRows, Column, OfPassages, PassageRows, spare
from engine.retrieval.vector_leg import BEST_COUNT, Scan, Vectors, chosen, within
from engine.retrieval.versions import Versions
from engine.store import change_log
from engine.store.vector_tables import dimension, live_ids, read_blocks, read_matrix, row_count, vectors_of

if TYPE_CHECKING:
    import apsw

    from engine.store.allowed import Allowed
    from engine.store.store_connection import StoreConnection

EXACT_BYTES = 512 * 2**20  # of vectors in memory: 349,525 of 384 components
COMPONENT_BYTES = 4
WORTH_KEEPING = 2000  # changes that are followed in .3 s; with more the quantized vectors are kept anew
READ_AT_ONCE = 1000
LOOKED_BACK = 1000  # changes before the first load that an older search may need; a sync commits a few hundred at once


GONE = -2.0  # stands for the cosine of what may not be found


@dataclass(frozen=True, slots=True)
class ExactVectors(OfPassages):
    """Vectors as they are: `matrix` (n, dimension) of unit rows, of which some may be dead."""

    rows: PassageRows
    matrix: NDArray[np.float32]

    @property
    def dimension(self) -> int:
        """Components of a vector."""
        return int(self.matrix.shape[1])

    def exactly(self, connection: StoreConnection, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the vectors of rows, (n, dimension)."""
        return self.matrix[rows]

    def begin(self, connection: StoreConnection, query: NDArray[np.float32], depth: int, allowed: Allowed) -> Scan:
        """Return what compares the rows that are allowed with a unit vector."""
        inside = within(connection, allowed)
        return lambda cancel: self.nearest(query, depth, inside, cancel)

    def nearest(
        self, query: NDArray[np.float32], depth: int, within: NDArray[np.int64] | None, cancel: Cancellation
    ) -> ExactLeg:
        """Compare every row with a unit vector and keep the best `depth`."""
        cancel.check()
        cosine = self.matrix @ query
        cosine[~self.rows.alive] = GONE
        if within is not None:
            cosine[~chosen(len(cosine), self.positions(within))] = GONE
        best = nearest_of_leg(cosine, self.ids, depth)
        return ExactLeg(self.matrix, cosine, best[cosine[best] > GONE])


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
        return np.where(self.cosine[rows] > GONE, self.places(self.cosine[rows]), 0)

    def places(self, cosines: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the rank that a row of each cosine would have."""
        ordered = np.sort(self.cosine[self.cosine > GONE])
        return len(ordered) - np.searchsorted(ordered, cosines, side="right") + 1

    def settled(self, connection: StoreConnection) -> ExactLeg:
        """Return the leg as it is: every row was compared exactly."""
        return self


class VectorIndex:
    """Holds the vectors of one model of one library file. Safe to use from several threads.

    Up to `exact_bytes` of them are kept as they are; of a larger library bits and bytes, as `quantized_index` has it.
    """

    def __init__(self, model_id: int, exact_bytes: int = EXACT_BYTES) -> None:
        self._model_id = model_id
        self._exact_bytes = exact_bytes
        self._lock = threading.Lock()
        self._versions: Versions[int, Vectors] = Versions()
        self._pool = AppendOnlyRows(np.empty(0, np.int64), [], 0)
        self._newest = PassageRows.of(self._pool.ids())
        self._sequence = -1  # of the newest version
        self._changes: list[tuple[int, int]] = []  # (sequence, passage), oldest first
        self._known_from = 0  # the change number after which `changes` lacks none

    def at(self, connection: StoreConnection) -> Vectors:
        """Return the vectors as `connection` sees them; the caller holds a snapshot of the library."""
        import apsw

        assert isinstance(connection, apsw.Connection)  # other stores keep their vectors otherwise
        with self._lock:
            sequence = change_log.latest(connection)
            return self._versions.at(sequence, lambda: self._version(connection, sequence))

    def _version(self, connection: apsw.Connection, sequence: int) -> Vectors:
        if sequence < self._sequence:
            return self._older(connection, sequence)
        if self._sequence >= 0 and change_log.reaches(connection, self._sequence):
            self._follow(connection, sequence)
        else:
            self._load(connection, sequence)
        return self._view(self._pool, self._newest)

    def _older(self, connection: apsw.Connection, sequence: int) -> Vectors:
        """Return the vectors of a version before the newest, which stays what it is."""
        if sequence < self._known_from:  # more has happened since than is listed
            pool = self._read(connection, len(self._pool.columns()) > 1)
            return self._view(pool, PassageRows.of(pool.ids()))
        since = {passage for number, passage in self._changes if number > sequence}
        rows = self._with(connection, since)
        return self._view(self._pool, rows)

    def _follow(self, connection: apsw.Connection, sequence: int) -> None:
        entries = change_log.entries(connection, self._sequence)
        self._newest = self._with(connection, {passage for _, passage in entries})
        self._sequence = sequence
        self._changes += entries
        if len(self._changes) > change_log.KEPT:
            self._known_from = self._changes[-change_log.KEPT - 1][0]
            self._changes = self._changes[-change_log.KEPT :]

    def _with(self, connection: apsw.Connection, passages: Iterable[int]) -> PassageRows:
        """Return the newest rows, but these passages as `connection` has them."""
        changed = sorted(passages)
        if not self._pool.has_room(len(changed)):
            self._pool = self._pool.compacted(self._newest.alive, len(changed))
            self._newest = PassageRows.of(self._pool.ids())
            self._versions.forget()  # they hold on to the arrays of before
        old = self._newest.positions(np.array(changed, np.int64))
        alive = self._newest.alive.copy()
        alive[old[old >= 0]] = False
        first = self._pool.count
        for start in range(0, len(changed), READ_AT_ONCE):
            ids, vectors = vectors_of(connection, self._model_id, changed[start : start + READ_AT_ONCE])
            self._pool.append(ids, _columns(vectors, len(self._pool.columns()) > 1))
        ids = self._pool.ids()
        grown = np.zeros(len(ids), np.bool_)
        grown[: len(alive)] = alive
        grown[first:] = True
        return self._newest.changed(ids, grown)

    def _load(self, connection: apsw.Connection, sequence: int) -> None:
        began = time.time()
        count, size = row_count(connection, self._model_id), dimension(connection, self._model_id)
        quantized = count * size * COMPONENT_BYTES > self._exact_bytes
        vector_cache.prune(connection, self._model_id, needed=quantized)
        kept = vector_cache.load(connection, self._model_id) if quantized else None
        if kept is None:
            self._take(connection, self._read(connection, quantized), sequence)
        else:
            self._take(connection, kept.rows, kept.sequence)
            self._follow(connection, sequence)
        if quantized and (kept is None or sequence - kept.sequence > WORTH_KEEPING):
            whole = self._pool if self._newest.alive.all() else self._pool.compacted(self._newest.alive)
            vector_cache.keep(connection, self._model_id, whole, sequence, began)

    def _take(self, connection: apsw.Connection, pool: AppendOnlyRows, sequence: int) -> None:
        """Make rows that were just read the newest, with the changes that led to them."""
        entries = [each for each in change_log.entries(connection, 0, LOOKED_BACK) if each[0] <= sequence]
        self._pool, self._newest, self._sequence = pool, PassageRows.of(pool.ids()), sequence
        self._changes, self._known_from = entries, entries[0][0] - 1 if entries else sequence

    def _read(self, connection: apsw.Connection, quantized: bool) -> AppendOnlyRows:
        if not quantized:
            ids, matrix = read_matrix(connection, self._model_id, spare)
            return AppendOnlyRows.of(ids, [matrix])
        pool: AppendOnlyRows | None = None
        for ids, vectors in read_blocks(connection, self._model_id):
            columns = _columns(vectors, quantized)
            pool = pool or AppendOnlyRows.like(columns, len(live_ids(connection, self._model_id)))
            pool.append(ids, columns)
        assert pool is not None  # nobody quantizes what is not there
        return pool

    def _view(self, pool: AppendOnlyRows, rows: PassageRows) -> Vectors:
        columns = [each[: len(rows.ids)] for each in pool.columns()]
        if len(columns) > 1:
            codes, factors, bits = columns
            return QuantizedVectors(self._model_id, rows, bits.T, codes, factors)
        return ExactVectors(rows, columns[0])


def _columns(vectors: NDArray[np.float32], quantized: bool) -> list[Column]:
    """Return vectors (n, dimension) as an index keeps them, a row each: as they are, or as bytes, factors and bits."""
    if not quantized:
        return [vectors]
    bits, codes, factors = of_block(vectors)
    return [codes, factors, bits.T]
