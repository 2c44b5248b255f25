"""What a search remembers: passages marked for past queries that lie near the new one in meaning.

A past query within a cosine of .6 hands its judgements on: a passage marked right gets `.2 x (cosine - .6) / .4`, one
marked wrong loses as much, one that was opened gets a quarter. Where several past queries judged one passage, the
strongest counts alone, so that a score never rests on how often something was asked. Memory is a leg of its own: what
it lifts joins the candidates even where neither meaning nor words brought it, up to the depth of the other legs, and
within the query's filters.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.errors import QueryError
from engine.records import Grade, Mark, Remembered
from engine.retrieval.filters import let_through
from engine.retrieval.marked_passages import Places
from engine.retrieval.query import parse
from engine.store import judgements

if TYPE_CHECKING:
    import apsw

    from engine.retrieval.filters import Allowed
    from engine.retrieval.vector_leg import VectorIndex

NEAR_COSINE = 0.6  # from which a past query counts; unrelated queries of one subject lie below .5 (MiniLM)
GREATEST_LIFT = 0.2  # of the score, at a cosine of 1
DEPTH = 200  # lifted passages that join the candidates, as many as of each leg
MOST_MARKS = 2000  # of near past queries, the strongest; a person's own rarely are a hundred
ENCODED_AT_ONCE = 8  # past queries without a vector that one search encodes, newest first: some 40 ms

Encode = Callable[[str], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Recollection:
    """What memory gives to passages for one query: `ids` (n,) ascending, `amounts` (n,), and why, by passage."""

    ids: NDArray[np.int64]
    amounts: NDArray[np.float64]
    reasons: Mapping[int, Remembered]

    def lifted(self, depth: int = DEPTH) -> NDArray[np.int64]:
        """Return the passages that are lifted most, which join the candidates."""
        best = np.lexsort((self.ids, -self.amounts))[:depth]
        return self.ids[best[self.amounts[best] > 0]]

    def given_to(self, ids: NDArray[np.int64], *, by_marks_alone: bool = False) -> NDArray[np.float64]:
        """Return what each of these passages gets, shape (n,); 0 where nothing is remembered of it.

        With `by_marks_alone` what was opened counts nothing.
        """
        amounts = np.zeros(len(ids))
        if len(self.ids):
            at = np.searchsorted(self.ids, ids).clip(max=len(self.ids) - 1)
            hit = self.ids[at] == ids
            given = self.amounts * self.marked if by_marks_alone else self.amounts
            amounts[hit] = given[at[hit]]
        return amounts

    @property
    def marked(self) -> NDArray[np.bool_]:
        """Which of the passages were marked, rather than opened."""
        return np.array([self.reasons[passage].grade != judgements.OPENED for passage in self.ids.tolist()], np.bool_)


NOTHING = Recollection(np.empty(0, np.int64), np.empty(0), {})


@dataclass(frozen=True, slots=True)
class Past:
    """All judgements as arrays: `matrix` (q, dimension) of past queries, and for each mark its query's row."""

    queries: tuple[str, ...] = ()
    matrix: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), np.float32))
    marks: tuple[Mark, ...] = ()
    asked_by: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    strength: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))


class Memory:
    """Keeps the past queries of one library and one model. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._model_id = -1
        self._stamp: tuple[int, int] | None = None
        self._vectors: dict[str, NDArray[np.float32]] = {}
        self._past = Past()
        self._complete = True  # whether every past query has a vector
        self._places = Places()

    def recall(
        self, connection: apsw.Connection, query: NDArray[np.float32], vectors: VectorIndex, allowed: Allowed
    ) -> Recollection:
        """Return what is remembered for a query, a unit vector, among the passages that its filters allow."""
        past = self._past
        if not len(past.queries):
            return NOTHING
        cosines = (past.matrix @ query).astype(np.float64)
        lifts = GREATEST_LIFT * (cosines - NEAR_COSINE).clip(0.0, 1.0 - NEAR_COSINE) / (1.0 - NEAR_COSINE)
        amounts = lifts[past.asked_by] * past.strength
        near = np.flatnonzero(amounts)
        if not len(near):
            return NOTHING
        near = near[np.lexsort((-cosines[past.asked_by[near]], -np.abs(amounts[near])))][:MOST_MARKS]
        chosen = [past.marks[at] for at in near.tolist()]
        asked = past.matrix[past.asked_by[near]]
        best: dict[int, tuple[float, Remembered]] = {}
        placed = self._places.of(connection, chosen, asked, vectors)
        for at, mark, passages in zip(near.tolist(), chosen, placed, strict=True):
            reason = Remembered(mark.query, float(cosines[past.asked_by[at]]), mark.grade)
            for passage in passages:
                best.setdefault(passage, (float(amounts[at]), reason))  # the strongest comes first
        inside = let_through(connection, np.array(sorted(best), np.int64), allowed)
        kept = inside.tolist()
        return Recollection(
            inside, np.array([best[passage][0] for passage in kept]), {passage: best[passage][1] for passage in kept}
        )

    def judged(self, connection: apsw.Connection, query: str, vectors: VectorIndex) -> dict[int, Grade]:
        """Return what the person thinks of passages for this very query, by passage."""
        marks = judgements.of_query(connection, query)
        known = self._vectors.get(query)
        if not marks or known is None:
            return {}
        placed = self._places.of(connection, marks, np.repeat(known[np.newaxis], len(marks), axis=0), vectors)
        return {passage: mark.grade for mark, passages in zip(marks, placed, strict=True) for passage in passages}

    def refresh(
        self, connection: apsw.Connection, model_id: int, encode: Encode, at_once: int = ENCODED_AT_ONCE
    ) -> None:
        """Bring the past queries up to what `connection` sees, encoding at most `at_once` that have no vector yet."""
        with self._lock:
            stamp = judgements.stamp(connection)
            if model_id != self._model_id:
                self._vectors, self._model_id, self._stamp = {}, model_id, None
            if stamp != self._stamp or not self._complete:
                self._read(connection, model_id, encode, at_once)
                self._stamp = stamp

    def _read(self, connection: apsw.Connection, model_id: int, encode: Encode, at_once: int) -> None:
        marks = judgements.every(connection)
        queries = list(dict.fromkeys(mark.query for mark in marks))
        wanted = [query for query in queries if query not in self._vectors]
        self._vectors.update(judgements.vectors(connection, model_id, wanted))
        unknown = [query for query in wanted if query not in self._vectors]
        for query in unknown[:at_once]:
            self._vectors[query] = vector_of(query, encode)
        self._complete = len(unknown) <= at_once
        self._past = _past(marks, {query: self._vectors[query] for query in queries if query in self._vectors})
        self._vectors = {query: self._vectors[query] for query in self._past.queries}


def vector_of(query: str, encode: Encode) -> NDArray[np.float32]:
    """Return the unit vector of what a past query meant, its operators and filters left out."""
    try:
        meaning = parse(query + " ", typing=True).meaning
    except QueryError:  # a question from a file, with signs that mean nothing in it
        meaning = query
    return encode(meaning or query)


def asked_vectors(query: str, number: int, encode: Encode) -> NDArray[np.float32]:
    """Return the vector of a query `number` times, shape (number, dimension)."""
    return np.repeat(vector_of(query, encode)[np.newaxis], number, axis=0)


def complete(connection: apsw.Connection, model_id: int, encode: Encode) -> None:
    """Encode and keep the past queries that a model has no vectors of, as after it was taken into use."""
    queries = list(dict.fromkeys(mark.query for mark in judgements.every(connection)))
    kept = judgements.vectors(connection, model_id, queries)
    missing = [query for query in queries if query not in kept]
    if missing:
        judgements.keep_vectors(connection, model_id, {query: vector_of(query, encode) for query in missing})


def _past(marks: Sequence[Mark], known: Mapping[str, NDArray[np.float32]]) -> Past:
    if not known:
        return Past()
    row_of = {query: row for row, query in enumerate(known)}
    usable = tuple(mark for mark in marks if mark.query in row_of)
    return Past(
        queries=tuple(known),
        matrix=np.stack(list(known.values())),
        marks=usable,
        asked_by=np.array([row_of[mark.query] for mark in usable], np.int64),
        strength=np.array([judgements.STRENGTH.get(mark.grade, 0.0) for mark in usable]),
    )
