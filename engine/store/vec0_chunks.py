"""Reads vec0's own tables, which hold vectors in blobs of a thousand: 30 ms for 50,000, row by row 300 ms.

The layout is that of sqlite-vec 0.1 (its ARCHITECTURE.md): `<table>_chunks` has for each chunk its size, a bitmap of
the slots in use, lowest bit first, and the rowids of the slots as int64; `<table>_vector_chunks00` has the slots'
float32 components. Sizes are checked, and whoever finds another layout reads through SQL instead.
"""

from __future__ import annotations

from typing import TypeAlias, cast

import apsw
import numpy as np
from numpy.typing import NDArray

from engine.lazy_dataclass import dataclass

_Row: TypeAlias = tuple[int, int, bytes, bytes, int | None]


class UnknownLayout(Exception):
    """The tables are not laid out as this module knows them; no error that a person meets."""


@dataclass(frozen=True, slots=True)
class Place:
    """One chunk: its id, its slots in use (bool, one a slot), and the rowid in each slot."""

    chunk_id: int
    used: NDArray[np.bool_]
    rowids: NDArray[np.int64]

    @property
    def ids(self) -> NDArray[np.int64]:
        """The rowids of the slots in use (n,)."""
        return self.rowids if self.used.all() else self.rowids[self.used]

    @property
    def is_filled_from_first(self) -> bool:
        """Whether no slot in use comes behind one that is free."""
        return bool(self.used[: np.count_nonzero(self.used)].all())


def places(conn: apsw.Connection, table: str, dimension: int) -> list[Place]:
    """Return the chunks of a vec0 table in order, sizes checked. Raises UnknownLayout."""
    try:
        rows = conn.execute(
            f"""SELECT chunk_id, size, validity, chunk.rowids, length(vectors)
            FROM {table}_chunks AS chunk LEFT JOIN {table}_vector_chunks00 AS content ON content.rowid = chunk_id
            ORDER BY chunk_id"""
        ).fetchall()
    except apsw.SQLError as error:
        raise UnknownLayout from error
    return [_place(cast("_Row", row), dimension) for row in rows]


def _place(row: _Row, dimension: int) -> Place:
    chunk_id, size, validity, rowids, length = row
    if (len(validity) * 8, len(rowids), length) != (size, size * 8, size * dimension * 4):
        raise UnknownLayout
    used = np.unpackbits(np.frombuffer(validity, dtype=np.uint8), bitorder="little").astype(np.bool_)
    return Place(chunk_id, used, np.frombuffer(rowids, dtype=np.int64))


def read(
    conn: apsw.Connection, table: str, place: Place, dimension: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the rowids and the vectors (n, dimension) of one chunk's slots in use."""
    blob = conn.execute(f"SELECT vectors FROM {table}_vector_chunks00 WHERE rowid = ?", (place.chunk_id,)).get
    vectors = np.frombuffer(blob, dtype=np.float32).reshape(-1, dimension)
    return place.ids, vectors if place.used.all() else vectors[place.used]


def read_into(conn: apsw.Connection, table: str, place: Place, rows: NDArray[np.float32]) -> None:
    """Write the first vectors of a chunk into `rows` (n, dimension), which lie in one piece: nothing is copied twice.

    Python's lock is let go of meanwhile, so that the model is loaded beside.
    """
    with conn.blob_open("main", f"{table}_vector_chunks00", "vectors", place.chunk_id, False) as blob:
        blob.read_into(rows.data.cast("B"))
