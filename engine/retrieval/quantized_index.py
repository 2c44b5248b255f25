"""Vectors of a library too large to keep in memory exactly: one bit and one byte a component, the rest from the file.

A search counts the bits in which the query's signs differ from a passage's, takes the nearest few thousand, compares
those by their bytes, and the best fifty by what the library holds. On 88,622 passages of notes the nearest 2,000 by
bits held .9985 of the true ten best, 4,000 held all of 200 queries.
"""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.lazy_dataclass import dataclass
from engine.retrieval.cancellation import Cancellation
from engine.retrieval.tie_break import best_of_leg, nearest_of_leg
from engine.retrieval.tombstones import OfPassages, PassageRows
from engine.retrieval.vector_leg import BEST_COUNT, Scan, chosen, within

if TYPE_CHECKING:
    from engine.store.allowed import Allowed
    from engine.store.store_connection import StoreConnection

CONSIDERED = 8000  # rows compared by their bytes
CONSIDERED_ROWS = 50  # or one of so many where there are more: the more rows, the more lie as near by bits alone
CONSIDERED_SHARE = 40  # or so many times as many as are asked for
EXACT = 50  # rows compared by the vectors in the file: .1 ms each; by bytes a cosine is true to .002
AT_ONCE = 512  # rows compared by their bytes at once: as numbers they fit into the processor's cache
BLOCK = 1 << 15  # rows whose bits are counted at once: their counts stay in the processor's cache
WORD_BITS = 64
STEPS = 127.0  # of a byte, either way

Bits = NDArray[np.uint64]  # (words, n): the signs of 64 components a word, so that one word of all rows lies together
Codes = NDArray[np.int8]  # (n, dimension)


def bits_of(matrix: NDArray[np.float32]) -> Bits:
    """Return the signs of vectors (n, dimension), 1 for positive, padded with zeros, as (words, n)."""
    spare = -matrix.shape[1] % WORD_BITS
    signs = np.packbits(np.pad(matrix > 0, ((0, 0), (0, spare))), axis=1)
    return np.ascontiguousarray(signs.view(np.uint64).T)


def codes_of(matrix: NDArray[np.float32]) -> tuple[Codes, NDArray[np.float32]]:
    """Return vectors as bytes and the factor (n,) that makes each row's components of them."""
    factors = np.abs(matrix).max(axis=1, initial=1e-12) / STEPS
    return np.rint(matrix / factors[:, None]).astype(np.int8), factors.astype(np.float32)


@dataclass(frozen=True, slots=True)
class QuantizedVectors(OfPassages):
    """A view of all rows (n): `bits` (words, n), `codes` (n, dimension), `factors` (n,)."""

    model_id: int
    rows: PassageRows
    bits: Bits
    codes: Codes
    factors: NDArray[np.float32]

    @property
    def dimension(self) -> int:
        """Components of a vector."""
        return int(self.codes.shape[1])

    def exactly(self, connection: StoreConnection, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the vectors of a few rows from the library, (n, dimension)."""
        wanted = self.ids[rows]
        found, vectors = connection.vectors_of(self.model_id, wanted.tolist())
        exact = self.decoded(rows)
        at = np.searchsorted(found, wanted).clip(max=max(len(found) - 1, 0))
        there = found[at] == wanted if len(found) else np.zeros(len(wanted), np.bool_)
        exact[there] = vectors[at[there]]
        return exact

    def decoded(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the vectors of rows as their bytes have them, (n, dimension)."""
        return self.codes[rows].astype(np.float32) * self.factors[rows, None]

    def begin(self, connection: StoreConnection, query: NDArray[np.float32], depth: int, allowed: Allowed) -> Scan:
        """Return what compares the rows that are allowed with a unit vector."""
        inside = within(connection, allowed)
        return lambda cancel: self.nearest(query, depth, inside, cancel)

    def nearest(
        self, query: NDArray[np.float32], depth: int, within: NDArray[np.int64] | None, cancel: Cancellation
    ) -> QuantizedLeg:
        """Find the best `depth` rows by bits, then by bytes; `settled` orders the first fifty by their cosines."""
        considered = max(CONSIDERED, CONSIDERED_SHARE * depth, len(self.ids) // CONSIDERED_ROWS)
        rows, count = self._near_by_bits(query, considered, within, cancel)
        cancel.check()
        cosine = self._by_bytes(query, rows)
        most = max(depth, EXACT)  # so that bytes alone cut none of the nearest off
        kept = nearest_of_leg(cosine, self.ids[rows], most)
        return QuantizedLeg(self, query, depth, rows[kept], cosine[kept], count)

    def _by_bytes(self, query: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the cosines of rows with a unit vector, (n,), as their bytes have them."""
        cosine = np.empty(len(rows), np.float32)
        codes = np.empty((AT_ONCE, self.dimension), np.int8)
        numbers = np.empty((AT_ONCE, self.dimension), np.float32)
        for start in range(0, len(rows), AT_ONCE):
            some = rows[start : start + AT_ONCE]
            np.take(self.codes, some, axis=0, out=codes[: len(some)], mode="clip")  # the other modes copy `out`
            numbers[: len(some)] = codes[: len(some)]
            np.dot(numbers[: len(some)], query, out=cosine[start : start + AT_ONCE])
        return cosine * self.factors[rows]

    def _near_by_bits(
        self, query: NDArray[np.float32], considered: int, within: NDArray[np.int64] | None, cancel: Cancellation
    ) -> tuple[NDArray[np.int64], int]:
        """Return about `considered` rows whose signs differ least from the query's, and how many were allowed."""
        allowed = self.rows.alive if within is None else chosen(len(self.ids), self.positions(within))
        count = int(np.count_nonzero(allowed))
        if count <= considered:
            return np.flatnonzero(allowed), count
        differing, histogram = self._differing(bits_of(query[None, :])[:, 0], cancel)
        if count < len(self.ids):
            histogram = np.bincount(differing[allowed], minlength=len(histogram))
        limit = int(np.searchsorted(np.cumsum(histogram), considered))
        return np.flatnonzero((differing <= limit) & allowed), count

    def _differing(self, query: Bits, cancel: Cancellation) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
        """Return in how many signs each row differs from the query, (n,), and how many rows differ in so many."""
        rows = self.bits.shape[1]
        differing = np.empty(rows, np.uint16)
        histogram = np.zeros(WORD_BITS * len(query) + 1, np.int64)
        for start in range(0, rows, BLOCK):
            cancel.check()
            block = self.bits[:, start : start + BLOCK]
            counts = np.zeros(block.shape[1], np.uint16)
            for word, signs in zip(block, query, strict=True):
                counts += np.bitwise_count(word ^ signs)
            differing[start : start + BLOCK] = counts
            histogram += np.bincount(counts, minlength=len(histogram))
        return differing, histogram


@dataclass(frozen=True, slots=True)
class QuantizedLeg:
    """The nearest rows with their cosines; `exact` holds by row the vectors that were read from the library.

    Until it is settled it may hold more than `depth` rows.
    """

    index: QuantizedVectors
    query: NDArray[np.float32]
    depth: int
    rows: NDArray[np.int64]
    cosine: NDArray[np.float32]
    allowed: int
    exact: dict[int, NDArray[np.float32]] = field(default_factory=dict)

    def settled(self, connection: StoreConnection) -> QuantizedLeg:
        """Order the first fifty by their true cosines."""
        rows, cosine = self.rows, self.cosine.copy()
        exact = self.index.exactly(connection, rows[:EXACT])
        cosine[:EXACT] = exact @ self.query
        order = best_of_leg(cosine, self.index.ids[rows], self.depth)
        known = dict(zip(rows[:EXACT].tolist(), exact, strict=True))
        return replace(self, rows=rows[order], cosine=cosine[order], exact=known)

    @property
    def best(self) -> NDArray[np.float32]:
        """The greatest cosines, descending."""
        return self.cosine[:BEST_COUNT]

    @property
    def more(self) -> bool:
        """Whether more rows were allowed than were kept."""
        return self.allowed > len(self.rows)

    def vectors(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the vectors of rows, true for those that were read from the library."""
        found = self.index.decoded(rows)
        for place, row in enumerate(rows.tolist()):
            if row in self.exact:
                found[place] = self.exact[row]
        return found

    def ranks(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rank of the rows that are among the nearest, 0 for the others: nobody compared those."""
        places = {row: place for place, row in enumerate(self.rows.tolist(), start=1)}
        return np.fromiter((places.get(row, 0) for row in rows.tolist()), np.int64, len(rows))

    def places(self, cosines: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the rank that a row of each cosine would have among the nearest, 0 for what lies behind them."""
        ahead = len(self.cosine) - np.searchsorted(np.sort(self.cosine), cosines, side="right")
        return np.where((ahead < len(self.cosine)) | (not self.more), ahead + 1, 0)


def of_block(matrix: NDArray[np.float32]) -> tuple[Bits, Codes, NDArray[np.float32]]:
    """Return bits, bytes and factors of vectors (n, dimension)."""
    return (bits_of(matrix), *codes_of(matrix))
