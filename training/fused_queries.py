"""What constants of the fusion give for many queries at once, from arrays that are made of their candidates once.

The same figures as `engine.retrieval.fusion.rank` and `near_duplicates.rows` give one query after another, as a test
holds them; what these arrays cannot say is asked of the engine: near-duplicates among the first rows, late interaction,
passages without a vector, and files of several entries.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.evaluation.metrics import NDCG_DEPTH
from engine.records import FusionConstants
from engine.retrieval.fusion import FEEDBACK_DEPTH, convex_weights
from engine.retrieval.query_memory import NOTHING
from training.fusion_candidates import AskedQuery, settings_of

TOGETHER = 64  # queries of one block: its arrays of 80 KB each stay in a core's cache
LEAST_COLLAPSE = 0.9  # cosine; nearer passages are remembered as near-duplicates
ROUNDING = 1e-4  # of a cosine: so much nearer than asked counts as near, and is left to the engine
DIGEST_BYTES = 16  # of an order of candidates, which itself takes 1 KB; constants often leave it as it was
BEYOND = np.iinfo(np.int64).max
DISCOUNT = 1.0 / np.log2(np.arange(2, NDCG_DEPTH + 2))

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Query:
    """One query's candidates, the nearest first: of `n` of them, `m` with something around them.

    `gram` (n, n) are their cosines with each other, `around_gram` (m, n) those of what is around with each of them;
    `entries` (n,) numbers their documents, `gains` has the grade of each of those. `near` (k, 3) are near-duplicates:
    two places and their cosine. `asked` is kept only where the engine may be asked.
    """

    first: Places
    cosine: Floats
    own: Floats
    bm25: Floats
    rare: Floats
    gram: NDArray[np.float32]
    places: Places
    around_cosine: Floats
    around_own: Floats
    around_bm25: Floats
    around_gram: NDArray[np.float32]
    entries: Places
    gains: Floats
    ideal: float
    near: Floats
    feeds_back: bool
    length: float
    background: float
    ceiling: float
    fts_query: Any
    asked: AskedQuery | None


class FusedQueries:
    """Judged queries with their candidates; `ndcg` fuses all of them by other constants."""

    def __init__(self, asked: Iterable[AskedQuery]) -> None:
        self._others: dict[int, AskedQuery] = {}
        made: list[tuple[int, _Query]] = []
        for at, each in enumerate(asked):
            if _plain(each):
                made.append((at, _made(each)))
            else:
                self._others[at] = each
        self._count = len(made) + len(self._others)
        made.sort(key=lambda pair: len(pair[1].first))  # those of one block have about as many candidates
        parts = [made[begin : begin + TOGETHER] for begin in range(0, len(made), TOGETHER)]
        self._blocks = [(np.array([at for at, _ in part]), _Block([each for _, each in part])) for part in parts]

    def ndcg(self, constants: FusionConstants) -> Floats:
        """Return NDCG@10 (n,) of each query by these constants, in the order in which they came."""
        found = np.empty(self._count)
        for places, block in self._blocks:
            found[places] = block.ndcg(constants)
        for place, asked in self._others.items():
            found[place] = asked.ndcg(constants)
        return found


class _Block:
    """Queries side by side: (q,) or (q, width), padded with candidates that come last and have no cosine."""

    def __init__(self, queries: Sequence[_Query]) -> None:
        self._found_by = [each.fts_query for each in queries]
        self._asked = [(each.first, each.asked) for each in queries]
        self._width = width = max(len(each.first) for each in queries) + 1  # the last one is never a candidate
        most = max(max(len(each.places) for each in queries), 1)
        self._codes = max(max(len(each.gains) for each in queries), NDCG_DEPTH)

        def wide(name: str, fill: float) -> Floats:
            return _padded([getattr(each, name) for each in queries], (width,), fill)

        def column(name: str) -> Floats:
            return np.array([[getattr(each, name)] for each in queries], np.float64)

        self._row = np.arange(len(queries))[:, np.newaxis]
        self._pad = np.arange(width)[np.newaxis] >= np.array([[len(each.first)] for each in queries])
        self._cosine = wide("cosine", np.nan)
        self._missing = np.isnan(self._cosine)
        self._own, self._bm25, self._rare = wide("own", 0.0), wide("bm25", 0.0), wide("rare", 0.0)
        self._entries = wide("entries", self._codes).astype(np.int64)
        self._places = _padded([each.places for each in queries], (most,), width - 1).astype(np.int64)
        self._around_own = _padded([each.around_own for each in queries], (most,), 0.0)
        self._around_cosine, self._around_bm25 = (
            self._scattered(queries, name) for name in ("around_cosine", "around_bm25")
        )
        self._gram = _padded([each.gram for each in queries], (width, width), 0.0, np.float32)
        self._around_gram = _padded([each.around_gram.T for each in queries], (width, most), 0.0, np.float32)
        self._gains = _padded([each.gains for each in queries], (self._codes + 1,), 0.0)
        self._background, self._ceiling, self._length = column("background"), column("ceiling"), column("length")
        self._ideal, self._feeds_back = column("ideal")[:, 0], column("feeds_back").astype(np.bool_)
        self._judged_before: dict[tuple[int, float, bytes], float] = {}
        near = np.concatenate(
            [np.insert(each.near, 0, at, axis=1) for at, each in enumerate(queries)] or [np.empty((0, 4))]
        )
        self._near_places = np.ascontiguousarray(near[:, :3].T, np.int64)  # (3, k): the query, and two of its places
        self._near_cosine = near[:, 3].copy()

    def _scattered(self, queries: Sequence[_Query], name: str) -> Floats:
        """Return what belongs to the candidates with something around them, (q, width)."""
        found = np.zeros((len(queries), self._width))
        for at, each in enumerate(queries):
            found[at, each.places] = getattr(each, name)
        return found

    def ndcg(self, constants: FusionConstants) -> Floats:
        """Return the NDCG@10 of each query under some constants, (q,)."""
        order = _best_first(self._scores(constants))
        return self._judged(order, constants)

    def _scores(self, constants: FusionConstants) -> Floats:
        """Return the score of each candidate, (q, width), as `engine.retrieval.fusion` has it."""
        settings = settings_of(constants)
        weights = [convex_weights(each, settings) for each in self._found_by]
        meaning, words = (np.array([[getattr(each, leg)] for each in weights]) for leg in ("vector", "keyword"))
        bm25 = self._bm25 + constants.around * self._around_bm25

        def convex(cosine: Floats) -> Floats:
            nearness = np.nan_to_num((cosine - self._background) / (1.0 - self._background), nan=0.0)
            best = np.maximum(nearness.max(axis=1, keepdims=True), 0.0)
            ceiling = np.maximum(bm25.max(axis=1, keepdims=True), self._ceiling)
            by_words = bm25 / np.where(ceiling > 0, ceiling, 1.0)
            score = meaning * nearness / (1.0 + best) + words * by_words
            score += constants.rare * words * self._rare
            score[self._pad] = -np.inf
            return np.asarray(score, np.float64)

        plain = convex(self._cosine + constants.around * self._around_cosine)
        moved = self._moved(plain, constants)
        return plain if moved is None else np.where(self._feeds_back & moved[1], convex(moved[0]), plain)

    def _moved(self, plain: Floats, constants: FusionConstants) -> tuple[Floats, NDArray[np.bool_]] | None:
        """Return the cosines with the vector that feedback makes, and which queries have one."""
        top = _best_first(plain)[:, :FEEDBACK_DEPTH]
        known = ~self._missing[self._row, top]
        steering = np.where(known, plain[self._row, top], -np.inf)
        greatest = steering.max(axis=1, keepdims=True)
        heat = np.exp(constants.sharpness * (steering - np.where(np.isfinite(greatest), greatest, 0.0)))
        total = heat.sum(axis=1, keepdims=True)
        share = (1.0 - constants.keep) * heat / np.where(total > 0, total, 1.0)
        cosine = constants.keep * self._own
        around = constants.keep * self._around_own
        for place in range(top.shape[1]):
            weight, chosen = share[:, [place]], top[:, place]
            cosine = cosine + weight * self._gram[self._row[:, 0], chosen]
            around = around + weight * self._around_gram[self._row[:, 0], chosen]
        # |moved|^2 = sum of share x its product with each + keep x its product with the query
        with_top = np.take_along_axis(cosine, top, axis=1)
        with_query = constants.keep * self._length**2 + (share * self._own[self._row, top]).sum(axis=1, keepdims=True)
        square = (share * with_top).sum(axis=1, keepdims=True) + constants.keep * with_query
        norm = np.sqrt(np.maximum(square, 0.0))
        there = (total > 0) & (norm > 0)
        norm = np.where(there, norm, 1.0)
        cosine, around = cosine / norm, around / norm
        cosine[self._row, self._places] += constants.around * (around - cosine[self._row, self._places])
        cosine[self._missing] = np.nan
        return cosine, there

    def _judged(self, order: Places, constants: FusionConstants) -> Floats:
        """Return NDCG@10 of the first ten documents of each order, near-duplicates folded by the engine."""
        listed = np.take_along_axis(self._entries, order, axis=1)
        place = np.arange(self._width)
        first = np.full((len(order), self._codes + 1), BEYOND)
        np.minimum.at(first, (self._row, listed), place)
        first[:, self._codes] = BEYOND
        rows = np.argsort(first, axis=1, kind="stable")[:, :NDCG_DEPTH]
        gained = (np.take_along_axis(self._gains, rows, axis=1) * DISCOUNT).sum(axis=1)
        found = gained / np.where(self._ideal > 0, self._ideal, 1.0)
        for at in self._folded(order, np.take_along_axis(first, rows[:, -1:], axis=1)[:, 0], constants.collapse):
            found[at] = self._judged_by_engine(at, order[at], constants)
        return np.asarray(found, np.float64)

    def _judged_by_engine(self, at: int, order: Places, constants: FusionConstants) -> float:
        """Return the NDCG@10 of one query with its near-duplicates folded, asked once for each order of candidates."""
        key = at, constants.collapse, blake2b(order.tobytes(), digest_size=DIGEST_BYTES).digest()
        if key not in self._judged_before:
            first, asked = self._asked[at]
            assert asked is not None
            self._judged_before[key] = asked.ndcg_of(first[order[: len(first)]], constants)
        return self._judged_before[key]

    def _folded(self, order: Places, reach: Places, collapse: float) -> list[int]:
        """Return the queries of which near-duplicates are met up to the tenth row, at the place `reach` (q,)."""
        if not collapse or not len(self._near_cosine):
            return []
        if collapse < LEAST_COLLAPSE:
            raise ValueError(f"no cosine below {LEAST_COLLAPSE:g} is remembered as that of near-duplicates")
        place = np.empty_like(order)
        np.put_along_axis(place, order, np.broadcast_to(np.arange(self._width), order.shape), axis=1)
        query, one, other = self._near_places[:, self._near_cosine >= collapse - ROUNDING]
        met = np.maximum(place[query, one], place[query, other]) <= reach[query]
        found: list[int] = np.unique(query[met]).tolist()
        return found


def _plain(asked: AskedQuery) -> bool:
    """Whether a query is one that these arrays can fuse: judged by its legs and feedback alone."""
    found = asked.candidates
    parts = (found.late, found.pending, found.held, found.numbers, found.recalled)
    nothing_else = all(part is None for part in parts) and found.recollection is NOTHING
    return nothing_else and found.query_vector is not None and len(found) > 0


def _made(asked: AskedQuery) -> _Query:
    found = asked.candidates
    assert found.query_vector is not None
    first = np.lexsort((found.tie, -np.nan_to_num(found.cosine, nan=-2.0)))
    vectors, query = found.vectors[first], found.query_vector
    documents, entries = np.unique(found.documents[first], return_inverse=True)
    gram = vectors @ vectors.T
    one, other = np.nonzero(np.triu(gram >= LEAST_COLLAPSE - ROUNDING, 1) & (entries[:, None] != entries))
    cosine, bm25 = found.cosine[first].astype(np.float64), found.bm25[first]
    around = found.surroundings
    places = np.argsort(first)[around.places] if around is not None else np.empty(0, np.int64)
    means = around.vectors if around is not None else np.empty((0, len(query)), np.float32)
    best = around.bm25 if around is not None else np.empty(0)
    grades = sorted((max(grade, 0) for grade in asked.grades.values()), reverse=True)[:NDCG_DEPTH]
    return _Query(
        first=first,
        cosine=cosine,
        own=(vectors @ query).astype(np.float64),
        bm25=bm25,
        rare=found.rare[first],
        gram=gram,
        places=places,
        around_cosine=means @ query - cosine[places],
        around_own=(means @ query).astype(np.float64),
        around_bm25=np.maximum(best - bm25[places], 0.0),
        around_gram=means @ vectors.T,
        entries=entries,
        gains=np.array([max(asked.grades.get(str(each), 0), 0) for each in documents.tolist()], np.float64),
        ideal=float(np.dot(grades, DISCOUNT[: len(grades)])),
        near=np.stack([one, other, gram[one, other]], axis=1),
        feeds_back=asked.verdict != "none",
        length=float(np.linalg.norm(query)),
        background=found.background,
        ceiling=found.keyword_ceiling,
        fts_query=found.fts_query,
        asked=asked if len(one) else None,
    )


def _best_first(score: Floats) -> Places:
    """Return the places of scores (q, width), greatest first; equal ones stay as they come: by cosine, then by tie."""
    return np.argsort(-score, axis=1, kind="stable")


def _padded(values: Sequence[NDArray[Any]], shape: tuple[int, ...], fill: float, kind: Any = float) -> NDArray[Any]:
    """Return arrays of several sizes as one of (q, *shape)."""
    found = np.full((len(values), *shape), fill, kind)
    for at, value in enumerate(values):
        found[at][tuple(slice(size) for size in value.shape)] = value
    return found
