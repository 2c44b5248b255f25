"""The candidates of judged queries, gathered once, so that other constants only fuse them again.

The engine's own fusion ranks them; only what both legs list far down is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.evaluation.metrics import NDCG_DEPTH, QueryScore, ndcg, score
from engine.records import FusionConstants, SearchSettings, Verdict
from engine.retrieval import search_pipeline
from engine.retrieval.candidate_retrieval import Candidates
from engine.retrieval.fusion import rank
from engine.retrieval.near_duplicates import first_of_rows
from engine.retrieval.postings_cache import PostingsCache
from engine.retrieval.query import plain
from engine.retrieval.query_memory import PastQueries
from training.known_queries import KnownQuery

if TYPE_CHECKING:
    from engine.retrieval import tiers
    from engine.store.library_connection import LibraryConnection

LEG_DEPTH = 50  # candidates of each leg: 100 of both are 150 KB of vectors, and feedback rarely lifts from below
ARRAYS = (
    *("ids", "documents", "tie", "cosine", "bm25", "vector_rank", "keyword_rank", "vectors", "rare"),
    *("recalled", "held", "pending", "numbers", "late"),
)  # of the candidates, each with a row for every one
LISTED = 100  # documents, for recall@100
PLAIN = SearchSettings(memory=False)


@dataclass(frozen=True, slots=True)
class AskedQuery:
    """What a query found, and the grades of the documents that answer it, by the name of each."""

    candidates: Candidates
    verdict: Verdict
    grades: Mapping[str, int]

    def ndcg(self, constants: FusionConstants) -> float:
        """Return NDCG@10 of the rows that constants give, near-duplicates folded as they say."""
        return self.ndcg_of(rank(self.candidates, settings_of(constants), self.verdict).order, constants)

    def ndcg_of(self, order: NDArray[np.int64], constants: FusionConstants) -> float:
        """Return NDCG@10 of the rows that constants make of candidates in some order (n,)."""
        listed = first_of_rows(self.candidates, order, settings_of(constants), NDCG_DEPTH)
        return ndcg(_documents(self.candidates, listed), self.grades)


def settings_of(constants: FusionConstants) -> SearchSettings:
    """Return the settings that constants are tried by: nothing is remembered of the judged queries themselves."""
    return replace(PLAIN, constants=constants)


class JudgedSearch:
    """The search of a library, as a person has it, for queries with known answers."""

    def __init__(self, connection: LibraryConnection, model: search_pipeline.Model, cuts: tiers.Cuts) -> None:
        self._connection = connection
        self._model = replace(model, encode=cache(model.encode))  # each query is asked twice
        self._cuts = cuts
        self._postings = PostingsCache(keeps_scores=True)

    def gather(self, queries: Sequence[KnownQuery], check: Callable[[], None]) -> Iterator[AskedQuery]:
        """Yield what each query finds; `check` is called before each and may raise."""
        for query in queries:
            check()
            found = self._run(query, PLAIN, NDCG_DEPTH, None)
            yield AskedQuery(_nearest(found.gathered.candidates), found.verdict, _grades(query))

    def scores(
        self, query: KnownQuery, ways: Sequence[SearchSettings], past: PastQueries
    ) -> list[tuple[QueryScore, tuple[int, ...]]]:
        """Return the measures and the first documents of a query by each of several settings, of one search.

        `past` are the judged queries that the settings may remember.
        """
        found = self._run(query, SearchSettings(), LISTED, past)

        @cache
        def told(settings: SearchSettings) -> tuple[QueryScore, tuple[int, ...]]:
            again = search_pipeline.reorder(found, settings, LISTED)
            listed = _documents(again.gathered.candidates, [row.passage for row in again.rows])
            return score(query.text, listed, _grades(query)), tuple(map(int, listed[:NDCG_DEPTH]))

        return [told(settings) for settings in ways]  # a fold's constants are often those in use

    def _run(
        self, query: KnownQuery, settings: SearchSettings, limit: int, past: PastQueries | None
    ) -> search_pipeline.Search:
        model = replace(self._model, past_queries=past or PastQueries())
        return search_pipeline.run(
            self._connection, plain(query.text), settings, model, self._cuts, limit=limit, postings=self._postings
        )


def _grades(query: KnownQuery) -> dict[str, int]:
    return {str(document): grade for document, grade in query.relevant.items()}


def _documents(candidates: Candidates, passages: Sequence[int]) -> list[str]:
    return [str(document) for document in dict.fromkeys(candidates.documents[passages].tolist())]


def _nearest(candidates: Candidates) -> Candidates:
    """Return the candidates without those that neither leg lists among its first."""
    legs = (candidates.vector_rank, candidates.keyword_rank)
    kept = np.zeros(len(candidates), np.bool_)
    for ranks in legs:
        kept |= (ranks > 0) & (ranks <= LEG_DEPTH)
    kept |= candidates.rare > 0
    around = candidates.surroundings
    if around is not None:
        kept[around.places] = True
        around = replace(around, places=(np.cumsum(kept) - 1)[around.places])

    def of(values: Any) -> Any:
        return None if values is None else values[kept]

    return replace(candidates, surroundings=around, **{name: of(getattr(candidates, name)) for name in ARRAYS})
