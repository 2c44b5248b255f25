"""Rows of passages that are only added to: what is gone or replaced keeps its row, and each view marks it as dead.

So a view that a search holds never changes under it, and following an edited note copies no vectors. The dead rows, the
tombstones, go when the room is used up and all that lives is copied into wider arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.lazy_dataclass import dataclass

SPARE_SHARE = 0.05  # room beside what is there, so that a few more passages copy nothing
SPARE_ROWS = 1024

Column: TypeAlias = NDArray[Any]  # (n, ...): a row for each passage
Ids: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _SortedIds:
    """Ids, ascending and each once, with the row of each; the rows are left out where they count up from 0."""

    ids: Ids
    rows: Ids | None

    @classmethod
    def of(cls, ids: Ids) -> _SortedIds:
        """Sort the ids of rows that count up from 0."""
        if np.all(ids[1:] > ids[:-1]):
            return cls(ids, None)
        order = np.argsort(ids, kind="stable")
        return cls(ids[order], order)

    def rows_of(self, wanted: Ids) -> Ids:
        """Return the row of each wanted id, -1 where there is none."""
        if not len(self.ids):
            return np.full(len(wanted), -1, np.int64)
        found = np.searchsorted(self.ids, wanted).clip(max=len(self.ids) - 1)
        return np.where(self.ids[found] == wanted, found if self.rows is None else self.rows[found], -1)


@dataclass(frozen=True, slots=True)
class PassageRows:
    """Which row holds which passage, in one version of the library: `ids` (n,), `alive` (n,) false for tombstones.

    An id stands in one living row at most. The first rows are sorted once for all versions, what came later for each.
    """

    ids: Ids
    alive: NDArray[np.bool_]
    _first: _SortedIds
    _later: _SortedIds  # the living rows among the others, of which there are few

    @classmethod
    def of(cls, ids: Ids) -> PassageRows:
        """Make rows that are all alive."""
        return cls(ids, np.ones(len(ids), np.bool_), _SortedIds.of(ids), _SortedIds.of(ids[:0]))

    def changed(self, ids: Ids, alive: NDArray[np.bool_]) -> PassageRows:
        """Return another version: `ids` begins with these, and other rows may be alive."""
        count = len(self._first.ids)
        living = count + np.flatnonzero(alive[count:])
        order = np.argsort(ids[living], kind="stable")
        return PassageRows(ids, alive, self._first, _SortedIds(ids[living][order], living[order]))

    def positions(self, wanted: Ids) -> Ids:
        """Return the living row of each wanted id, -1 where there is none."""
        later, first = self._later.rows_of(wanted), self._first.rows_of(wanted)
        living = (first >= 0) & self.alive[first] if len(self.alive) else first >= 0
        return np.where(later >= 0, later, np.where(living, first, -1))


class OfPassages:
    """What is kept a row a passage: the rows are told by their passages."""

    __slots__ = ()
    rows: PassageRows

    @property
    def ids(self) -> Ids:
        """The passage of each row."""
        return self.rows.ids

    def ids_of(self, rows: Ids) -> Ids:
        """Return the passages of rows."""
        return self.ids[rows]

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.ids)

    def positions(self, ids: Ids) -> Ids:
        """Return the row of each id, -1 where it has none."""
        return self.rows.positions(ids)


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
        living = np.flatnonzero(alive)
        copied = AppendOnlyRows.like(self._columns, len(living) + more)
        for old, new in zip([self._ids, *self._columns], [copied._ids, *copied._columns], strict=True):
            np.take(old, living, axis=0, out=new[: len(living)], mode="clip")  # the other modes copy twice
        copied.count = len(living)
        return copied


def spare(count: int) -> int:
    """Return how much room is left behind `count` rows."""
    return int(count * SPARE_SHARE) + SPARE_ROWS


def by_columns(column: Column) -> bool:
    """Whether the values of a component lie together in memory, not those of a row."""
    return column.ndim > 1 and column.strides[0] < column.strides[1]


def _wider(column: Column, size: int) -> Column:
    return np.empty((size, *column.shape[1:]), column.dtype, order="F" if by_columns(column) else "C")
