"""Vectors on their way to and from the server, in the binary form of pgvector, and not as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import psycopg

_HEAD_BYTES = 4  # the number of components and an unused number, two bytes each, before big-endian float32


class VectorBytes:
    """A vector as the server reads it."""

    __slots__ = ("data",)

    def __init__(self, vector: NDArray[np.float32]) -> None:
        size = len(vector)
        self.data = size.to_bytes(2, "big") + b"\0\0" + np.asarray(vector, ">f4").tobytes()


def matrix_of(sent: Sequence[bytes], dimension: int) -> NDArray[np.float32]:
    """Return vectors that the server sent, (n, dimension)."""
    joined = b"".join(each[_HEAD_BYTES:] for each in sent)
    return np.frombuffer(joined, ">f4").reshape(len(sent), dimension).astype(np.float32)


def unit(vectors: Iterable[NDArray[np.float32]]) -> list[VectorBytes]:
    """Return vectors for the server, each brought to length 1: models give it, give or take a rounding."""
    return [VectorBytes(each / np.linalg.norm(each)) for each in vectors]


def register(conn: psycopg.Connection) -> None:
    """Let a connection take `VectorBytes`, alone and in lists; does nothing where the server has no pgvector."""
    from psycopg.adapt import Buffer, Dumper
    from psycopg.pq import Format
    from psycopg.types import TypeInfo

    row = conn.execute(
        "SELECT t.oid, t.typarray FROM pg_type t JOIN pg_extension e ON e.extnamespace = t.typnamespace"
        " WHERE e.extname = 'vector' AND t.typname = 'vector'"
    ).fetchone()
    if row is None:
        return
    number: int = row[0]
    TypeInfo("vector", number, row[1]).register(conn)

    class VectorDumper(Dumper):
        """Hands over what is binary already."""

        format = Format.BINARY
        oid = number

        def dump(self, obj: VectorBytes) -> Buffer:
            """Return the bytes."""
            return obj.data

    conn.adapters.register_dumper(VectorBytes, VectorDumper)
