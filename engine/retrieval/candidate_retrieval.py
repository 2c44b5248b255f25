"""Candidate retrieval: both legs run and what they found is joined into parallel arrays, before any text is read.

Candidates are ids, ranks and raw scores only. This is the one place where a search meets the store before its rows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.lazy_dataclass import dataclass
from engine.records import SearchSettings
from engine.retrieval.cancellation import Cancellation
from engine.retrieval.distinct_ids import distinct
from engine.retrieval.fts_query import FtsQuery
from engine.retrieval.keyword_leg import coverage, keyword_leg, term_scores
from engine.retrieval.postings_cache import PostingsReader
from engine.retrieval.query_memory import NOTHING, Recollection
from engine.retrieval.rare_words import rare_share
from engine.retrieval.surroundings import Surroundings
from engine.retrieval.unread_passages import Reads, everything, unread
from engine.retrieval.vector_leg import VectorLeg, Vectors
from engine.store.allowed import Allowed

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from engine.store.store_connection import StoreConnection

DEPTH = 200  # candidates a leg; deeper changed no judged top 10 beyond noise
ENOUGH_EMBEDDED = 0.9  # share of the passages
KEYWORD_DEPTH = 1000  # best bm25 scores kept, so that a candidate of the vector leg rarely counts as wordless
ENTRY_BITS = 40  # above the numbers that documents have
WORTH_A_CORE = 300_000  # vectors: fewer are compared by a matrix product, which takes all cores by itself


@dataclass(frozen=True, slots=True)
class Candidates:
    """The joined candidates of both legs, each array of shape (n,) and `vectors` of shape (n, dimension).

    Ranks start at 1, are negative below the leg's candidates (the rank is known, but the leg did not bring the row),
    and 0 where there is none. `cosine` is NaN where a passage has no vector yet (`pending`), or one that says nothing,
    because the encoder cannot read it; `held` is then the idf-weighted share of the query's words in it, else 0. `tie`
    orders equal scores: by path, then ordinal. `rare` is the share of the query's idf that the rare words have which
    lift a passage. `truncated` tells that a leg had more to give than its depth. `recalled` is true for what only
    memory brought: where memory is off it is as if it were not there. `surroundings` tells what stands around the first
    of them.
    """

    ids: NDArray[np.int64]
    documents: NDArray[np.int64]
    tie: NDArray[np.int64]
    cosine: NDArray[np.float32]
    bm25: NDArray[np.float64]
    vector_rank: NDArray[np.int64]
    keyword_rank: NDArray[np.int64]
    vectors: NDArray[np.float32]
    query_vector: NDArray[np.float32] | None
    fts_query: FtsQuery
    background: float
    keyword_ceiling: float
    rare: NDArray[np.float64]
    truncated: bool
    recollection: Recollection = NOTHING
    recalled: NDArray[np.bool_] | None = None  # None: nothing was
    held: NDArray[np.float64] | None = None  # None: the encoder reads all of them
    pending: NDArray[np.bool_] | None = None  # None: all that the encoder reads have their vectors
    numbers: NDArray[np.int64] | None = None  # of the entry in a file of several, else 0; None: there is no such file
    surroundings: Surroundings | None = None
    late: NDArray[np.float64] | None = None  # late scores, NaN where there is none; None: they were not asked for

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def entries(self) -> NDArray[np.int64]:
        """What one row of a list stands for: a document, or an entry of one, such as a message of a mailbox."""
        return self.documents if self.numbers is None else self.documents + (self.numbers << ENTRY_BITS)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the vector leg needs: the query's unit vector, the passages' vectors, the model's background cosine.

    `reads` tells whether the model can read a text, `embedded` which share of what it reads has a vector by now.
    """

    query: NDArray[np.float32]
    vectors: Vectors
    background: float
    reads: Reads = everything
    embedded: float = 1.0


@dataclass(frozen=True, slots=True)
class Gathered:
    """The candidates, and what each leg cost in milliseconds; `best_cosines` are the ten best of the whole leg.

    In a large library the legs run side by side. `embedded` is the share of the passages that the leg by meaning knows.
    """

    candidates: Candidates
    keyword_ms: float
    vector_ms: float
    best_cosines: NDArray[np.float32]
    embedded: float = 1.0

    @property
    def so_far(self) -> bool:
        """Whether so many passages have no vector yet that the words must judge the query."""
        return self.embedded < ENOUGH_EMBEDDED


def gather(
    words: PostingsReader,
    fts_query: FtsQuery,
    allowed: Allowed,
    meaning: Meaning | None,
    settings: SearchSettings,
    *,
    depth: int = DEPTH,
    forced: Sequence[int] = (),
    recollection: Recollection = NOTHING,
    cancel: Cancellation | None = None,
) -> Gathered:
    """Run the legs that the fusion needs and join their best `depth`.

    Without `meaning` (no model yet, or keyword fusion) only the words count. `forced` ids join the candidates even
    where neither leg has them: "why not" asks so. So do the passages that the `recollection` lifts, and those that hold
    a rare word. Raises SearchCancelled; a scan that waits for a core is then waited for no more.
    """
    connection, cancel = words.connection, cancel or Cancellation()
    with _nearest(connection, meaning, allowed, depth, cancel) as found:
        started = time.perf_counter()
        keyword_ids, keyword_scores = keyword_leg(words, fts_query, allowed, max(KEYWORD_DEPTH, depth))
        keyword_done = time.perf_counter()
        cancel.check()
        leg, vector_ms = _settled(connection, found)
    wordless = settings.fusion == "vector" and (meaning is None or meaning.embedded == 1.0)
    leg_ids = [] if wordless else [keyword_ids[:depth]]  # by words is found what is to be embedded first
    if meaning is not None and leg is not None and settings.fusion != "keyword":
        leg_ids.append(meaning.vectors.ids_of(leg.rows))
    brought = np.concatenate([*leg_ids, np.asarray(forced, np.int64)]) if leg_ids else np.empty(0, np.int64)
    if fts_query.rare and settings.fusion != "vector":
        held = distinct(np.concatenate([word.passages for word in fts_query.rare]))
        brought = np.concatenate([brought, connection.let_through(held, allowed)])
    ids = distinct(np.concatenate([brought, recollection.lifted()]))
    cancel.check()
    candidates = _join(connection, ids, fts_query, meaning, keyword_ids, keyword_scores, leg, depth)
    best = leg.best if leg else np.empty(0, np.float32)
    cancel.check()
    if meaning is not None:
        illegible = _illegible(connection, candidates, meaning)
        pending = np.isnan(candidates.cosine) & ~illegible
        candidates = replace(candidates, pending=pending) if pending.any() else candidates
        if illegible.any():
            candidates = _without_meaning(connection, candidates, illegible)
            best = np.sort(candidates.cosine[candidates.vector_rank > 0])[::-1][: len(best)]
    recalled = ~np.isin(candidates.ids, brought) if len(recollection.ids) else None
    candidates = replace(candidates, recollection=recollection, recalled=recalled)
    return Gathered(
        candidates=candidates,
        keyword_ms=(keyword_done - started) * 1e3,
        vector_ms=vector_ms,
        best_cosines=best,
        embedded=meaning.embedded if meaning is not None else 1.0,
    )


def _illegible(connection: StoreConnection, candidates: Candidates, meaning: Meaning) -> NDArray[np.bool_]:
    """Return which candidates have no meaning to be compared: in a writing that is not read, or data and no words."""
    data = connection.held_back_among(candidates.ids.tolist())
    return unread(connection, candidates.ids, meaning.reads) | np.isin(candidates.ids, data)


def _without_meaning(connection: StoreConnection, candidates: Candidates, illegible: NDArray[np.bool_]) -> Candidates:
    """Return candidates of which some have no cosine, since the encoder cannot read them, but the words they hold."""
    fts_query = candidates.fts_query
    wordy = np.flatnonzero(illegible & (candidates.bm25 > 0))
    scores = term_scores(connection, fts_query, candidates.ids[wordy].tolist())
    held = np.zeros(len(candidates))
    for at in wordy.tolist():
        held[at] = coverage(fts_query, scores.get(int(candidates.ids[at]), ()))
    return replace(
        candidates,
        cosine=np.where(illegible, np.float32(np.nan), candidates.cosine),
        vector_rank=np.where(illegible, 0, candidates.vector_rank),
        held=held,
    )


@contextmanager
def _nearest(
    connection: StoreConnection, meaning: Meaning | None, allowed: Allowed, depth: int, cancel: Cancellation
) -> Iterator[Callable[[], tuple[VectorLeg, float]] | None]:
    """Begin to find the passages nearest in meaning among those allowed; None where nothing can be compared.

    Gives what returns the leg and the milliseconds that it took. In a large library another core finds it meanwhile.
    """
    if meaning is None or not meaning.vectors.count:
        yield None
        return
    listing = time.perf_counter()
    scan = meaning.vectors.begin(connection, meaning.query, depth, allowed)
    listed_ms = (time.perf_counter() - listing) * 1e3

    def find() -> tuple[VectorLeg, float]:
        started = time.perf_counter()
        leg = scan(cancel)
        return leg, listed_ms + (time.perf_counter() - started) * 1e3

    if meaning.vectors.count < WORTH_A_CORE:
        yield find
        return
    with cancel.dropping(_beside().submit(find)) as beside:
        yield beside.result


def _settled(
    connection: StoreConnection, found: Callable[[], tuple[VectorLeg, float]] | None
) -> tuple[VectorLeg | None, float]:
    """Return the leg that `_nearest` began, and the milliseconds that it took."""
    if found is None:
        return None, 0.0
    leg, milliseconds = found()
    started = time.perf_counter()
    settled = leg.settled(connection)
    return settled, milliseconds + (time.perf_counter() - started) * 1e3


@cache
def _beside() -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor  # 5 ms, and small libraries do without

    return ThreadPoolExecutor(2, "carrel-nearest")


def _join(
    connection: StoreConnection,
    ids: NDArray[np.int64],
    fts_query: FtsQuery,
    meaning: Meaning | None,
    keyword_ids: NDArray[np.int64],
    keyword_scores: NDArray[np.float64],
    leg: VectorLeg | None,
    depth: int,
) -> Candidates:
    documents, numbers, tie = _places(connection, ids)
    present = documents >= 0  # a passage may have gone between the legs and here
    ids, documents, numbers, tie = ids[present], documents[present], numbers[present], tie[present]
    by_id = np.argsort(keyword_ids, kind="stable")
    place = np.searchsorted(keyword_ids, ids, sorter=by_id).clip(max=max(len(keyword_ids) - 1, 0))
    if len(keyword_ids):
        at = by_id[place]
        hit = keyword_ids[at] == ids
        bm25 = np.where(hit, keyword_scores[at], 0.0)
        keyword_rank = np.where(hit, at + 1, 0).astype(np.int64)
    else:
        bm25, keyword_rank = np.zeros(len(ids)), np.zeros(len(ids), np.int64)
    cosine, vectors, vector_rank = _meaning_of(ids, meaning, leg)
    return Candidates(
        ids=ids,
        documents=documents,
        tie=tie,
        cosine=cosine,
        bm25=bm25,
        vector_rank=np.where(vector_rank > depth, -vector_rank, vector_rank),
        keyword_rank=np.where(keyword_rank > depth, -keyword_rank, keyword_rank),
        vectors=vectors,
        query_vector=meaning.query if meaning else None,
        fts_query=fts_query,
        background=meaning.background if meaning else 0.0,
        keyword_ceiling=fts_query.ceiling,
        rare=rare_share(fts_query.rare, ids),
        truncated=len(keyword_ids) > depth or (leg is not None and leg.more),
        numbers=numbers if numbers.any() else None,
    )


def _meaning_of(
    ids: NDArray[np.int64], meaning: Meaning | None, leg: VectorLeg | None
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
    """Return cosine, vector and rank by meaning of each id; NaN, zeros and 0 where it has no vector."""
    cosine = np.full(len(ids), np.nan, np.float32)
    rank = np.zeros(len(ids), np.int64)
    if meaning is None or leg is None:
        return cosine, np.zeros((len(ids), 1), np.float32), rank
    rows = meaning.vectors.positions(ids)
    has = rows >= 0
    found = leg.vectors(rows[has])
    cosine[has] = found @ meaning.query
    vectors = np.zeros((len(ids), meaning.vectors.dimension), np.float32)
    vectors[has] = found
    rank[has] = leg.ranks(rows[has])
    return cosine, vectors, rank


def _places(
    connection: StoreConnection, ids: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return each id's document (-1: gone), the entry in it, and its place when sorted by path and ordinal.

    The shortest path comes first: who keeps a copy puts it deeper, or adds to its name.
    """
    listed = connection.places(ids.tolist())
    documents = np.full(len(ids), -1, np.int64)
    numbers = np.zeros(len(ids), np.int64)
    tie = np.zeros(len(ids), np.int64)
    if listed:
        found = np.array(listed, np.int64)
        at = np.searchsorted(ids, found[:, 0])
        documents[at], numbers[at] = found[:, 1], found[:, 2]
        tie[at] = np.arange(len(listed))
    return documents, numbers, tie
