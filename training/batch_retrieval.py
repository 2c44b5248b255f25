"""Runs the vector leg and the keyword leg for many queries over all passages of a library at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.records import DEFAULT_CONSTANTS
from engine.retrieval.fts_query import FtsQuery, fts_query_of
from engine.retrieval.fusion import LONG_QUERY_STEMS, LONG_QUERY_WEIGHTS, similarity
from engine.retrieval.keyword_leg import keyword_leg
from engine.retrieval.postings_cache import PostingsCache
from engine.retrieval.query import plain
from engine.retrieval.rare_words import rare_share
from engine.store.allowed import EVERYTHING
from training.corpus import Corpus

if TYPE_CHECKING:
    from engine.store.library_connection import LibraryConnection

QUERIES_AT_ONCE = 64  # 64 x 50,000 cosines take 13 MB
VECTOR_HEAVY = (0.95, 0.05)  # arXiv 2604.15484: what each leg alone would show, ties broken by the other
KEYWORD_HEAVY = (0.05, 0.95)
USUAL_WEIGHTS = (DEFAULT_CONSTANTS.meaning, 1.0 - DEFAULT_CONSTANTS.meaning)
HEAVY_DEPTH = 10
FUSED_DEPTH = 20

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LexicalScores:
    """The keyword leg of one query: the rows that hold any of its words, their bm25, and the ceiling to scale it by."""

    rows: NDArray[np.int64]
    bm25: Floats
    ceiling: float
    fts_query: FtsQuery


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The rows that one query finds, best first, under each of three weightings of the legs.

    `fused` is the default weighting; `score(row)` its figure, `best(row)` the greatest of the three.
    """

    vector_heavy: NDArray[np.int64]
    keyword_heavy: NDArray[np.int64]
    fused: NDArray[np.int64]
    s: Floats
    k: Floats
    weights: tuple[float, float]

    def score(self, rows: NDArray[np.int64]) -> Floats:
        """Return the fused scores of rows."""
        return self.weights[0] * self.s[rows] + self.weights[1] * self.k[rows]

    def best(self, row: int) -> float:
        """Return what the kindest of the three weightings gives a row."""
        pairs = (VECTOR_HEAVY, KEYWORD_HEAVY, self.weights)
        return max(float(v * self.s[row] + k * self.k[row]) for v, k in pairs)


class BatchRetriever:
    """Searches one corpus for many queries with both legs."""

    def __init__(self, connection: LibraryConnection, corpus: Corpus) -> None:
        self._connection = connection
        self.corpus = corpus
        self._postings = PostingsCache(keeps_scores=True)

    def words(self, text: str) -> LexicalScores:
        """Return what the words of a query say, exactly as a search would have it."""
        asked = self._postings.of(self._connection)
        fts_query = fts_query_of(plain(text), asked)
        ids, scores = keyword_leg(asked, fts_query, EVERYTHING, len(self.corpus.ids) + 1)
        at = np.searchsorted(self.corpus.ids, ids).clip(max=len(self.corpus.ids) - 1)
        known = self.corpus.ids[at] == ids
        return LexicalScores(at[known], scores[known], fts_query.ceiling, fts_query)

    def search(self, texts: Sequence[str], vectors: NDArray[np.float32]) -> Iterator[Retrieved]:
        """Yield what each query finds; `vectors` (n, dimension) are those of the texts."""
        for start in range(0, len(texts), QUERIES_AT_ONCE):
            block = vectors[start : start + QUERIES_AT_ONCE] @ self.corpus.vectors.T
            for text, cosines in zip(texts[start : start + QUERIES_AT_ONCE], block, strict=True):
                yield self._retrieved(self.words(text), cosines.astype(np.float64))

    def _retrieved(self, words: LexicalScores, cosines: Floats) -> Retrieved:
        s = similarity(cosines, self.corpus.model.background_cosine)
        s = s / (1.0 + max(float(s.max(initial=0.0)), 0.0))
        k = np.zeros(len(cosines))
        ceiling = max(float(words.bm25.max(initial=0.0)), words.ceiling)
        if ceiling > 0:
            k[words.rows] = words.bm25 / ceiling
        weights = LONG_QUERY_WEIGHTS if len(words.fts_query.readings) > LONG_QUERY_STEMS else USUAL_WEIGHTS
        by_vector, by_words = (_first(v * s + w * k, HEAVY_DEPTH) for v, w in (VECTOR_HEAVY, KEYWORD_HEAVY))
        k += DEFAULT_CONSTANTS.rare * rare_share(words.fts_query.rare, self.corpus.ids)
        return Retrieved(by_vector, by_words, _first(weights[0] * s + weights[1] * k, FUSED_DEPTH), s, k, weights)


def _first(scores: Floats, depth: int) -> NDArray[np.int64]:
    """Return the places of the best scores, best first, equal ones in order."""
    if len(scores) > depth:
        least = -np.partition(-scores, depth - 1)[depth - 1]
        near = np.flatnonzero(scores >= least)
    else:
        near = np.arange(len(scores))
    return near[np.lexsort((near, -scores[near]))][:depth].astype(np.int64)
