"""Rows of several arrays that belong to passages and grow, change and vanish with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.retrieval.vector_leg import located

SPARE = 1.05  # room beside what is there, so that a few more passages copy nothing
SPARE_ROWS = 1024

Column: TypeAlias = NDArray[Any]  # (n, ...): a row for each passage


class GrowingRows:
    """`ids` (n,), which of them are alive, and columns of n rows. A row whose passage is gone stays until the end."""

    def __init__(self, ids: NDArray[np.int64], alive: NDArray[np.bool_], columns: Sequence[Column], count: int) -> None:
        self._ids = ids
        self._alive = alive
        self._columns = list(columns)
        self.count = count

    @classmethod
    def empty(cls) -> GrowingRows:
        """Make rows without columns."""
        return cls(np.empty(0, np.int64), np.empty(0, np.bool_), [], 0)

    @classmethod
    def of(cls, ids: NDArray[np.int64], columns: Sequence[Column]) -> GrowingRows:
        """Take over arrays as they are."""
        return cls(ids, np.ones(len(ids), np.bool_), columns, len(ids))

    @classmethod
    def like(cls, columns: Sequence[Column], count: int) -> GrowingRows:
        """Make no rows, with room for `count` of such columns and some more."""
        room = _room(count)
        return cls(np.empty(room, np.int64), np.zeros(room, np.bool_), [_wider(each, room) for each in columns], 0)

    def view(self) -> tuple[NDArray[np.int64], NDArray[np.bool_], list[Column]]:
        """Return ids, which are alive, and the columns, without the room behind them."""
        return self._ids[: self.count], self._alive[: self.count], [each[: self.count] for each in self._columns]

    def bury(self, ids: NDArray[np.int64]) -> None:
        """Take passages away."""
        rows = self._located(ids)
        self._alive[rows[rows >= 0]] = False

    def put(self, ids: NDArray[np.int64], columns: Sequence[Column]) -> None:
        """Write the rows of passages, each id once: over those that they have, else behind the last."""
        rows = self._located(ids)
        new = rows < 0
        added = int(np.count_nonzero(new))
        self._grow(self.count + added)
        rows[new] = np.arange(self.count, self.count + added)
        self._ids[rows] = ids
        self._alive[rows] = True
        for column, values in zip(self._columns, columns, strict=True):
            column[rows] = values
        self.count += added

    def _located(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        return located(self._ids[: self.count], np.ones(self.count, np.bool_), ids)

    def _grow(self, count: int) -> None:
        if count <= len(self._ids):
            return
        room = _room(count)
        self._ids = _copied(self._ids, room)
        self._alive = _copied(self._alive, room)
        self._columns = [_copied(each, room) for each in self._columns]


def _room(count: int) -> int:
    return int(count * SPARE) + SPARE_ROWS


def by_columns(column: Column) -> bool:
    """Whether the values of a component lie together in memory, not those of a row."""
    return column.ndim > 1 and column.strides[0] < column.strides[1]


def _wider(column: Column, room: int) -> Column:
    return np.empty((room, *column.shape[1:]), column.dtype, order="F" if by_columns(column) else "C")


def _copied(column: Column, room: int) -> Column:
    wider = _wider(column, room)
    wider[: len(column)] = column
    return wider
