"""The leg by meaning over a team's library: the server finds the nearest, and they are compared exactly here.

The server's index is approximate and holds half precision; what it gives, some 400 passages, comes with its exact
vectors. Nothing else is kept of the library's vectors than those that were brought for a search. A passage's number
never stands for another text, so that a vector that was brought once serves later searches.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from engine.retrieval.vector_leg import BEST_COUNT, Cosines, Matrix, Rows, Scan
from engine.team.candidate_details import NAMES, of_passage
from engine.team.candidate_details import keep as keep_details
from engine.team.phrase_sql import Sql
from engine.team.team_filters import allowed_sql
from engine.team.vector_bytes import matrix_of
from engine.team.vector_functions import FETCHED

if TYPE_CHECKING:
    from engine.retrieval.cancellation import Cancellation
    from engine.store.allowed import Allowed
    from engine.store.store_connection import StoreConnection
    from engine.team.snapshot import Snapshot

KEPT_VECTORS = 20_000  # of one model: 30 MB at 384 components
_NEAREST = f"""SELECT c.passage, c.vector, t.* FROM nearest(%s, %s::real[], %s, {{within}}, %s)
    WITH ORDINALITY AS c(passage, vector, at), LATERAL ({of_passage()}) AS t({NAMES}) ORDER BY c.at"""


def nearest(
    snapshot: Snapshot,
    model_id: int,
    query: Cosines,
    most: int,
    allowed: Allowed | None = None,
    *,
    exactly: bool = False,
) -> tuple[Rows, Matrix]:
    """Return the nearest passages that may be found, best first by the server's index, and their vectors.

    `exactly` has the server compare all, which is what the index's recall is measured against.
    """
    rows = snapshot.answer(asking_nearest(snapshot, model_id, query, most, allowed, exactly=exactly))
    keep_details(snapshot, ((row[0], *row[2:]) for row in rows))
    _keep_vectors(snapshot, model_id, rows)
    return _columns(rows, len(query))


def asking_nearest(
    snapshot: Snapshot, model_id: int, query: Cosines, most: int, allowed: Allowed | None, *, exactly: bool = False
) -> Sql:
    """Return what selects the nearest passages with their vectors and their details."""
    within = None if allowed is None or allowed.everything else allowed_sql(snapshot, allowed)
    among = within or Sql("NULL")
    told = among.text if within is None else f"ARRAY({among.text})"
    vector = query.astype(np.float64).tolist()
    return Sql(_NEAREST.format(within=told), (model_id, vector, most, *among.values, exactly))


def most_of(depth: int) -> int:
    """Return how many of the nearest are asked for, so that the best `depth` are among them."""
    return max(FETCHED, 2 * depth)


def vectors_of(snapshot: Snapshot, model_id: int, ids: Sequence[int], dimension: int) -> tuple[Rows, Matrix]:
    """Return the vectors of passages, those that have one: ids (n,), ascending, and (n, dimension)."""
    known = snapshot.brought.vectors if model_id == snapshot.model_id else {}
    missing = [each for each in dict.fromkeys(ids) if each not in known]
    if missing:
        rows = snapshot.answer(asking_vectors(model_id, Sql("%s::bigint[]", (missing,))))
        known.update({**dict.fromkeys(missing), **dict(rows)})
    found = [(each, vector) for each in sorted(set(ids)) if (vector := known[each]) is not None]
    return _columns(found, dimension)


def asking_vectors(model_id: int, among: Sql) -> Sql:
    """Return what selects the vectors of an array of passages."""
    return Sql(f"SELECT passage, vector FROM vectors_of(%s, {among.text})", (model_id, *among.values))


def keep_asked(snapshot: Snapshot, passages: Sequence[int]) -> None:
    """Keep the active model's vectors that were asked ahead of these passages."""
    if snapshot.model_id:
        rows = snapshot.answer(asking_vectors(snapshot.model_id, Sql("%s::bigint[]", (list(passages),))))
        snapshot.brought.vectors.update({**dict.fromkeys(passages), **dict(rows)})


def _keep_vectors(snapshot: Snapshot, model_id: int, rows: Sequence[tuple[Any, ...]]) -> None:
    if model_id == snapshot.model_id:
        snapshot.brought.vectors.update((row[0], row[1]) for row in rows)


def _columns(rows: Sequence[tuple[Any, ...]], dimension: int) -> tuple[Rows, Matrix]:
    ids = np.fromiter((row[0] for row in rows), np.int64, len(rows))
    return ids, matrix_of([row[1] for row in rows], dimension)


class _OfSnapshot(Protocol):
    """A connection to a team's library, as far as vectors ask."""

    snapshot: Snapshot


class TeamVectorSource:
    """The vectors of one model that were brought so far, for all searches of this process."""

    def __init__(self, model_id: int) -> None:
        self.model_id = model_id
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, NDArray[np.float32]] = OrderedDict()

    def at(self, connection: StoreConnection) -> TeamVectors:
        """Return the vectors as a connection to the team's library sees them."""
        return TeamVectors(self, cast(_OfSnapshot, connection).snapshot)

    def keep(self, ids: Rows, matrix: Matrix) -> None:
        """Keep vectors for later."""
        with self._lock:
            for passage, vector in zip(ids.tolist(), matrix, strict=True):
                self._kept[passage] = vector
                self._kept.move_to_end(passage)
            while len(self._kept) > KEPT_VECTORS:
                self._kept.popitem(last=False)

    def kept(self, ids: Iterable[int]) -> dict[int, NDArray[np.float32]]:
        """Return those of these passages' vectors that are kept."""
        with self._lock:
            return {each: self._kept[each] for each in ids if each in self._kept}


class TeamVectors:
    """The vectors of one model in one state of the library. Rows are handed out in the order in which they came."""

    def __init__(self, source: TeamVectorSource, snapshot: Snapshot) -> None:
        self._source = source
        self._snapshot = snapshot
        self._row: dict[int, int] = {}  # of each passage, -1 where it has no vector
        self._ids: list[int] = []
        self._vectors: list[NDArray[np.float32]] = []

    @property
    def count(self) -> int:
        """How many passages there are, of which nearly all have a vector."""
        return self._snapshot.statistics.rows

    @property
    def dimension(self) -> int:
        """Components of a vector."""
        return self._snapshot.dimension

    def ids_of(self, rows: Rows) -> Rows:
        """Return the passages of rows."""
        return np.array(self._ids, np.int64)[rows]

    def positions(self, ids: Rows) -> Rows:
        """Return the row of each passage, -1 where it has no vector; what was not brought before is brought now."""
        listed = ids.tolist()
        unknown = [each for each in listed if each not in self._row]
        if unknown:
            kept = self._source.kept(unknown)
            self._add(np.array([*kept], np.int64), np.array([*kept.values()], np.float32))
            missing = [each for each in unknown if each not in kept]
            found = vectors_of(self._snapshot, self._source.model_id, missing, self.dimension) if missing else None
            if found is not None:
                self._add(*found)
                self._source.keep(*found)
            for each in missing:
                self._row.setdefault(each, -1)
        return np.array([self._row[each] for each in listed], np.int64)

    def exactly(self, connection: StoreConnection, rows: Rows) -> Matrix:
        """Return the vectors of a few rows, (n, dimension)."""
        return self.matrix(rows)

    def matrix(self, rows: Rows) -> Matrix:
        """Return the vectors of rows, (n, dimension)."""
        if not len(rows):
            return np.zeros((0, self.dimension), np.float32)
        return np.stack([self._vectors[row] for row in rows.tolist()])

    def begin(self, connection: StoreConnection, query: Cosines, depth: int, allowed: Allowed) -> Scan:
        """Ask the server for the nearest passages, and return what compares them exactly."""
        ids, matrix = nearest(self._snapshot, self._source.model_id, query, most_of(depth), allowed)
        self._add(ids, matrix)
        self._source.keep(ids, matrix)
        rows = np.array([self._row[each] for each in ids.tolist()], np.int64)

        def scan(_cancel: Cancellation) -> TeamLeg:
            return TeamLeg(self, rows, ids, matrix @ query, depth)

        return scan

    def _add(self, ids: Rows, matrix: Matrix) -> None:
        for passage, vector in zip(ids.tolist(), matrix, strict=True):
            if self._row.get(passage, -1) < 0:
                self._row[passage] = len(self._ids)
                self._ids.append(passage)
                self._vectors.append(vector)


class TeamLeg:
    """The passages nearest to one query. Behind those that the server gave no rank is known."""

    def __init__(self, vectors: TeamVectors, rows: Rows, ids: Rows, cosines: Cosines, depth: int) -> None:
        order = np.lexsort((ids, -cosines))
        self._vectors = vectors
        self._ordered, self._cosines = rows[order], cosines[order]
        self._depth = depth

    @property
    def rows(self) -> Rows:
        """The nearest rows, best first, equal cosines by id."""
        return self._ordered[: self._depth]

    @property
    def best(self) -> Cosines:
        """The greatest cosines of all, descending."""
        return self._cosines[:BEST_COUNT]

    @property
    def more(self) -> bool:
        """Whether there are more rows than were asked for."""
        return len(self._ordered) > self._depth

    def vectors(self, rows: Rows) -> Matrix:
        """Return the vectors of rows, (n, dimension)."""
        return self._vectors.matrix(rows)

    def ranks(self, rows: Rows) -> Rows:
        """Return the rank of each row, from 1; 0 where the server did not give it."""
        cosine = dict(zip(self._ordered.tolist(), self._cosines.tolist(), strict=True))
        known = np.array([cosine.get(row, -np.inf) for row in rows.tolist()], np.float32)
        return np.where(np.isneginf(known), 0, self.places(known))  # equal ones share a rank

    def places(self, cosines: Cosines) -> Rows:
        """Return the rank that a row of each cosine would have; 0 where it lies below all that the server gave."""
        if not len(self._cosines):
            return np.ones(len(cosines), np.int64)
        above = len(self._cosines) - np.searchsorted(self._cosines[::-1], cosines, side="right")
        return np.where(cosines >= self._cosines[-1], above + 1, 0).astype(np.int64)

    def settled(self, connection: StoreConnection) -> TeamLeg:
        """Return the leg: it was compared exactly."""
        return self
