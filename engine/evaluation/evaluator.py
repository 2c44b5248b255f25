"""Runs a collection's judged queries through a searcher, and compares two such runs.

What is judged is a `Searcher`: a temporary library that holds the collection's documents, cut and embedded the real
way, and answers through the real retrieval. This module only asks and measures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from engine.errors import UsageError
from engine.evaluation.beir import Collection, JudgedQuery
from engine.evaluation.leakage import Leakage
from engine.evaluation.metrics import RECALL_DEPTH, QueryScore, score
from engine.evaluation.significance import Difference, macro_bootstrap
from engine.records import Document


@dataclass(frozen=True, slots=True)
class Ranking:
    """The answer of a searcher: document ids with scores, best first, each once; and what it took, in milliseconds.

    A document's place is that of its best passage. `search_ms` is everything but encoding the query.
    """

    documents: Sequence[tuple[str, float]]
    encode_ms: float = 0.0
    search_ms: float = 0.0


class Searcher(Protocol):
    """A retrieval over one collection that has been indexed."""

    @property
    def documents(self) -> int:
        """Documents that it holds."""

    @property
    def passages(self) -> int:
        """Passages that they were cut into."""

    @property
    def index_seconds(self) -> float:
        """What indexing them took."""

    def rank(self, text: str, limit: int) -> Ranking:
        """Rank the best `limit` documents for a query."""


BuildSearcher = Callable[[Iterator[tuple[str, Document]]], AbstractContextManager[Searcher]]
"""Indexes documents (with their ids) for as long as the context lasts."""
OnQuery = Callable[[int, int], None]
"""Called after each query with how many are done, and of how many."""


@dataclass(frozen=True, slots=True)
class CollectionResult:
    """The result of one system on one collection: measures per query in the order of the split, and what it took."""

    name: str
    documents: int
    passages: int
    scores: tuple[QueryScore, ...]
    encode_ms: tuple[float, ...]
    search_ms: tuple[float, ...]
    index_seconds: float
    leakage: Leakage | None = None  # held against the collection's train split, where that was not the one judged

    def mean(self, measure: str) -> float:
        """Give the mean of one measure over the queries, by its name in `QueryScore`."""
        return sum(self.values(measure)) / len(self.scores) if self.scores else 0.0

    def values(self, measure: str) -> list[float]:
        """Give one measure of each query."""
        return [getattr(row, measure) for row in self.scores]

    def mean_of(self, queries: Iterable[str], measure: str) -> float | None:
        """Give the mean of one measure over some of the queries; None where there are none."""
        wanted = frozenset(queries)
        found = [getattr(row, measure) for row in self.scores if row.query in wanted]
        return sum(found) / len(found) if found else None


def evaluate(
    folder: Path, build: BuildSearcher, *, split: str = "test", on_query: OnQuery | None = None
) -> CollectionResult:
    """Index a collection, ask its judged queries, measure; raise UsageError where the collection cannot be used.

    Everything of the collection is read and checked before anything is indexed, the corpus excepted.
    """
    collection = Collection.open(folder)
    queries = collection.queries(split)
    if not queries:
        raise UsageError(
            f'The split "{split}" of {collection.name} has no query with a relevant document.',
            fix=f"Take another split: {', '.join(collection.splits)}.",
        )
    with build(collection.documents()) as searcher:
        return judge(collection.name, queries, searcher, on_query=on_query)


def judge(
    name: str, queries: Sequence[JudgedQuery], searcher: Searcher, *, on_query: OnQuery | None = None
) -> CollectionResult:
    """Ask a searcher that stands already, so that several settings can be judged on one index."""
    scores: list[QueryScore] = []
    rankings: list[Ranking] = []
    for done, query in enumerate(queries, 1):
        ranking = searcher.rank(query.text, RECALL_DEPTH)
        rankings.append(ranking)
        scores.append(score(query.id, [document for document, _ in ranking.documents], query.grades))
        if on_query is not None:
            on_query(done, len(queries))
    return CollectionResult(
        name=name,
        documents=searcher.documents,
        passages=searcher.passages,
        scores=tuple(scores),
        encode_ms=tuple(ranking.encode_ms for ranking in rankings),
        search_ms=tuple(ranking.search_ms for ranking in rankings),
        index_seconds=searcher.index_seconds,
    )


def compare(
    candidate: Sequence[CollectionResult], baseline: Sequence[CollectionResult], measure: str = "ndcg_at_10"
) -> Difference:
    """Compare two systems judged on the same collections, each collection counting the same."""
    for left, right in zip(candidate, baseline, strict=True):
        if left.name != right.name or [row.query for row in left.scores] != [row.query for row in right.scores]:
            raise ValueError(f"{left.name} and {right.name} were not judged on the same queries")
    return macro_bootstrap(
        [(left.values(measure), right.values(measure)) for left, right in zip(candidate, baseline, strict=True)]
    )
