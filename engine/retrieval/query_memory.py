"""Query memory: how a mark changes a score, where it was made for a past query that is near the new one in meaning.

A past query within a cosine of .6 hands its judgements on: a passage marked right gets `.2 x (cosine - .6) / .4`, one
marked wrong loses as much, one that was opened gets a quarter. Where several past queries judged one passage, the
strongest counts alone, so that a score never rests on how often something was asked. Memory is a leg of its own: what
it lifts joins the candidates even where neither meaning nor words brought it, up to the depth of the other legs, and
within the query's filters. `fusion._with_memory` adds the amount to the score, before late interaction looks at the
best; what was marked also steers which passages lead the feedback (`fusion._steering`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.lazy_dataclass import dataclass
from engine.records import Grade, Mark, Remembered
from engine.retrieval.marked_passages import MarkedPassages, passages_of_marks
from engine.retrieval.query import parse
from engine.retrieval.versions import Versions
from engine.store import judgements

if TYPE_CHECKING:
    from engine.retrieval.vector_leg import Vectors
    from engine.store.allowed import Allowed
    from engine.store.library_connection import LibraryConnection
    from engine.store.store_connection import StoreConnection

NEAR_COSINE = 0.6  # from which a past query counts; unrelated queries of one subject lie below .5 (MiniLM)
GREATEST_LIFT = 0.2  # of the score, at a cosine of 1
OF_OTHERS = 0.5  # of what a judgement counts, where another member of a team shares it: one's own outweighs it
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


class PastQueries:
    """The past queries of one version of a library with what was judged, as one search sees them.

    `matrix` (q, dimension) holds the queries' unit vectors; `asked_by` (m,) is each mark's row in it, `strength` (m,)
    what the mark counts.
    """

    def __init__(
        self,
        marks: Sequence[Mark] = (),
        vectors: Mapping[str, NDArray[np.float32]] | None = None,
        passages: MarkedPassages | None = None,
    ) -> None:
        self._passages = passages or MarkedPassages()
        self._vectors = dict(vectors or {})
        row_of = {query: row for row, query in enumerate(self._vectors)}
        self._marks = tuple(mark for mark in marks if mark.query in row_of)
        self._matrix = np.stack(list(self._vectors.values())) if row_of else np.empty((0, 0), np.float32)
        self._asked_by = np.array([row_of[mark.query] for mark in self._marks], np.int64)
        self._strength = np.array(
            [judgements.STRENGTH.get(mark.grade, 0.0) * (OF_OTHERS if mark.by else 1.0) for mark in self._marks]
        )
        opened = [mark.at if mark.grade == judgements.OPENED else -np.inf for mark in self._marks]
        self._opened_at = np.array(opened, np.float64)  # (m,), before all moments where it was marked

    def recall(
        self,
        connection: StoreConnection,
        query: NDArray[np.float32],
        vectors: Vectors,
        allowed: Allowed,
        opened_until: float | None = None,
    ) -> Recollection:
        """Return what is remembered for a query, a unit vector, among the passages that its filters allow.

        What was opened after `opened_until`, in seconds since the epoch, is passed over.
        """
        if not self._vectors:
            return NOTHING
        cosines = (self._matrix @ query).astype(np.float64)
        lifts = GREATEST_LIFT * (cosines - NEAR_COSINE).clip(0.0, 1.0 - NEAR_COSINE) / (1.0 - NEAR_COSINE)
        amounts = lifts[self._asked_by] * self._strength
        if opened_until is not None:
            amounts[self._opened_at > opened_until] = 0.0
        near = np.flatnonzero(amounts)
        if not len(near):
            return NOTHING
        near = near[np.lexsort((-cosines[self._asked_by[near]], -np.abs(amounts[near])))][:MOST_MARKS]
        chosen = [self._marks[at] for at in near.tolist()]
        asked = self._matrix[self._asked_by[near]]
        best: dict[int, tuple[float, Remembered]] = {}
        placed = self._passages.of(connection, chosen, asked, vectors)
        for at, mark, passages in zip(near.tolist(), chosen, placed, strict=True):
            reason = Remembered(mark.query, float(cosines[self._asked_by[at]]), mark.grade, mark.by)
            for passage in passages:
                best.setdefault(passage, (float(amounts[at]), reason))  # the strongest comes first
        inside = connection.let_through(np.array(sorted(best), np.int64), allowed)
        kept = inside.tolist()
        return Recollection(
            inside, np.array([best[passage][0] for passage in kept]), {passage: best[passage][1] for passage in kept}
        )

    def judged(self, connection: StoreConnection, query: str, vectors: Vectors) -> dict[int, Grade]:
        """Return what the person thinks of passages for this very query, by passage."""
        marks = connection.marks(query)
        known = self._vectors.get(query)
        if not marks or known is None:
            return {}
        placed = passages_of_marks(connection, marks, np.repeat(known[np.newaxis], len(marks), axis=0), vectors)
        return {passage: mark.grade for mark, passages in zip(marks, placed, strict=True) for passage in passages}


class QueryMemory:
    """Keeps the past queries of one library and one model, version by version. Safe to use from several threads."""

    def __init__(self, model_id: int) -> None:
        self._model_id = model_id
        self._lock = threading.Lock()
        self._vectors: dict[str, NDArray[np.float32]] = {}  # of a model and a text, so of no version
        self._versions: Versions[tuple[int, int], PastQueries] = Versions()
        self._passages = MarkedPassages()

    def at(self, connection: StoreConnection, encode: Encode, at_once: int = ENCODED_AT_ONCE) -> PastQueries:
        """Return the past queries that `connection` sees, encoding at most `at_once` that have no vector yet."""
        with self._lock:
            stamp = connection.marks_stamp()
            if stamp in self._versions:
                return self._versions.at(stamp, PastQueries)
            past, complete = self._read(connection, encode, at_once)
            return self._versions.at(stamp, lambda: past) if complete else past

    def _read(self, connection: StoreConnection, encode: Encode, at_once: int) -> tuple[PastQueries, bool]:
        """Return the past queries that have a vector by now, and whether that is all of them."""
        marks = connection.marks()
        queries = list(dict.fromkeys(mark.query for mark in marks))
        wanted = [query for query in queries if query not in self._vectors]
        vectors = {**self._vectors, **connection.query_vectors(self._model_id, wanted)}
        unknown = [query for query in wanted if query not in vectors]
        vectors |= {query: vector_of(query, encode) for query in unknown[:at_once]}
        self._vectors = {query: vectors[query] for query in queries if query in vectors}
        return PastQueries(marks, self._vectors, self._passages), len(unknown) <= at_once


def vector_of(query: str, encode: Encode) -> NDArray[np.float32]:
    """Return the unit vector of what a past query meant, its operators and filters left out."""
    return encode(parse(query).meaning or query)


def asked_vectors(query: str, number: int, encode: Encode) -> NDArray[np.float32]:
    """Return the vector of a query `number` times, shape (number, dimension)."""
    return np.repeat(vector_of(query, encode)[np.newaxis], number, axis=0)


def complete(connection: LibraryConnection, model_id: int, encode: Encode) -> None:
    """Encode and keep the past queries that a model has no vectors of, as after it was taken into use."""
    queries = list(dict.fromkeys(mark.query for mark in judgements.every(connection)))
    kept = judgements.vectors(connection, model_id, queries)
    missing = [query for query in queries if query not in kept]
    if missing:
        judgements.keep_vectors(connection, model_id, {query: vector_of(query, encode) for query in missing})
