"""Rows of passages that are only added to: what is gone or replaced keeps its row, and each view marks it as dead.

So a view that a search holds never changes under it, and following an edited note copies no vectors. The dead rows, the
tombstones, go when the room is used up and all that lives is copied into wider arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

SPARE_SHARE = 0.05  # room beside what is there, so that a few more passages copy nothing
SPARE_ROWS = 1024

Column: TypeAlias = NDArray[Any]  # (n, ...): a row for each passage
Ids: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PassageRows:
    """Which row holds which passage, in one version of the library: `ids` (n,), `alive` (n,) false for tombstones.

    An id stands in one living row at most.
    """

    ids: Ids
    alive: NDArray[np.bool_]
    _sorted: tuple[Ids, Ids] | None = field(init=False, repr=False)  # living ids, ascending, and their rows

    def __post_init__(self) -> None:
        """Sort the living rows by id, once, unless the rows are sorted as they stand."""
        living = np.flatnonzero(self.alive)
        ids = self.ids[living]
        ascending = bool(np.all(ids[1:] > ids[:-1]))
        if not ascending:
            order = np.argsort(ids, kind="stable")
            ids, living = ids[order], living[order]
        as_they_stand = ascending and len(living) == len(self.ids)
        object.__setattr__(self, "_sorted", None if as_they_stand else (ids, living))

    @classmethod
    def of(cls, ids: Ids) -> PassageRows:
        """Make rows that are all alive."""
        return cls(ids, np.ones(len(ids), np.bool_))

    def positions(self, wanted: Ids) -> Ids:
        """Return the living row of each wanted id, -1 where there is none."""
        ids, rows = self._sorted or (self.ids, None)
        if not len(ids):
            return np.full(len(wanted), -1, np.int64)
        found = np.searchsorted(ids, wanted).clip(max=len(ids) - 1)
        return np.where(ids[found] == wanted, found if rows is None else rows[found], -1)


class AppendOnlyRows:
    """Ids and columns of `count` rows in arrays with room behind them. No row is ever written twice."""

    def __init__(self, ids: Ids, columns: Sequence[Column], count: int) -> None:
        self._ids = ids
        self._columns = list(columns)
        self.count = count

    @classmethod
    def of(cls, ids: Ids, columns: Sequence[Column]) -> AppendOnlyRows:
        """Take over arrays as they are; columns may be longer than `ids`, and then have that much room."""
        wider = np.empty(min(len(each) for each in columns), np.int64)
        wider[: len(ids)] = ids
        return cls(wider, columns, len(ids))

    @classmethod
    def like(cls, columns: Sequence[Column], count: int) -> AppendOnlyRows:
        """Make no rows, with room for `count` of such columns and some more."""
        size = count + spare(count)
        return cls(np.empty(size, np.int64), [_wider(each, size) for each in columns], 0)

    def has_room(self, number: int) -> bool:
        """Whether so many rows can be appended."""
        return self.count + number <= len(self._ids)

    def ids(self) -> Ids:
        """Return the ids of all rows (n,), the dead ones too."""
        return self._ids[: self.count]

    def columns(self) -> list[Column]:
        """Return the columns without the room behind them."""
        return [each[: self.count] for each in self._columns]

    def append(self, ids: Ids, columns: Sequence[Column]) -> None:
        """Write rows behind the last; there must be room."""
        end = self.count + len(ids)
        self._ids[self.count : end] = ids
        for column, values in zip(self._columns, columns, strict=True):
            column[self.count : end] = values
        self.count = end

    def compacted(self, alive: NDArray[np.bool_], more: int = 0) -> AppendOnlyRows:
        """Copy the rows that are alive (n,) into arrays of their own, with room for `more` and some beside."""
        living = slice(len(alive)) if alive.all() else np.flatnonzero(alive)
        copied = AppendOnlyRows.like(self._columns, int(np.count_nonzero(alive)) + more)
        copied.append(self._ids[living], [each[living] for each in self._columns])
        return copied


def spare(count: int) -> int:
    """Return how much room is left behind `count` rows."""
    return int(count * SPARE_SHARE) + SPARE_ROWS


def by_columns(column: Column) -> bool:
    """Whether the values of a component lie together in memory, not those of a row."""
    return column.ndim > 1 and column.strides[0] < column.strides[1]


def _wider(column: Column, size: int) -> Column:
    return np.empty((size, *column.shape[1:]), column.dtype, order="F" if by_columns(column) else "C")
