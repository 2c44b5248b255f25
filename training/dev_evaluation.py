"""Judges a model on the development queries over a small pool of passages, cheaply enough to do it while it learns.

The pool holds what either leg shows for these queries and what answers them. Ranking it is the engine's own fusion with
feedback; only the other passages of the library are missing, so figures are comparable with each other alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.embedding.out_of_domain import TextEncoder, background_passages, foreign_queries
from engine.evaluation.metrics import ndcg
from engine.evaluation.significance import paired_bootstrap
from engine.records import SearchSettings
from engine.retrieval.candidate_retrieval import Candidates
from engine.retrieval.fusion import rank
from engine.retrieval.rare_words import rare_share
from training.batch_retrieval import BatchRetriever, LexicalScores, Retrieved
from training.corpus import Corpus
from training.hard_negatives import positives
from training.known_queries import KnownQuery
from training.protocol import Evaluated

MOST_QUERIES = 150
MOST_PASSAGES = 600  # at 35 a second on two cores, an evaluation takes 20 seconds
FOREIGN = 100  # foreign queries that give a model its scale
SETTINGS = SearchSettings(collapse=0.0, memory=False)
MIXTURES = (0.25, 0.5, 0.75)  # shares of the tuned model that are judged beside none of it and all of it
UNJUDGED_SHARE = 0.5  # where no development query can choose: halfway keeps most of what the base knows


class Development(Protocol):
    """What judges a model while it learns."""

    @property
    def queries(self) -> Sequence[KnownQuery]:
        """The questions that it judges by."""

    def score(self, encoder: TextEncoder) -> Any:
        """Return a `Score`, or what else has its `mean` and `against`."""


@dataclass(frozen=True, slots=True)
class Score:
    """NDCG@10 of each development query, and the vectors of the pool that gave it."""

    ndcg: NDArray[np.float64]
    passages: NDArray[np.float32]

    @property
    def mean(self) -> float:
        """The mean over the queries, 0 where there are none."""
        return float(self.ndcg.mean()) if len(self.ndcg) else 0.0

    def against(self, base: Score, step: int, *, share: float = 1.0, mixed: bool = False) -> Evaluated:
        """Return the event that holds this score against the base's; `step`, `share` and `mixed` are the event's."""
        low = high = drift = 0.0
        if len(self.ndcg):
            difference = paired_bootstrap(self.ndcg, base.ndcg)
            low, high = difference.low, difference.high
            drift = max(float(1.0 - np.sum(self.passages * base.passages, axis=1).mean()), 0.0)
        return Evaluated(
            step=step,
            share=share,
            base=base.mean,
            candidate=self.mean,
            low=low,
            high=high,
            drift=drift,
            mixed=mixed,
        )


class DevEvaluation:
    """The development queries and their pool, on which one model after another is judged."""

    def __init__(
        self,
        corpus: Corpus,
        retriever: BatchRetriever,
        queries: Sequence[KnownQuery],
        retrieved: Sequence[Retrieved],
        texts: Sequence[str],
        most_passages: int = MOST_PASSAGES,
    ) -> None:
        self._corpus = corpus
        self.queries = list(queries)
        self.pool = _pool(corpus, self.queries, retrieved, most_passages)
        self._texts = [texts[row] for row in self.pool]
        self._words = [retriever.words(query.text) for query in self.queries]
        self._grades = [{str(document): grade for document, grade in query.relevant.items()} for query in self.queries]
        self._documents = corpus.documents[self.pool]

    def score(self, model: TextEncoder, passages: NDArray[np.float32] | None = None) -> Score:
        """Judge a model; `passages` are the vectors of the pool where they are known already."""
        if not self.queries:
            return Score(np.empty(0), np.empty((0, 0), np.float32))
        vectors = model.encode_passages(self._texts) if passages is None else passages
        queries = model.encode_queries([query.text for query in self.queries])
        foreign = model.encode_queries(foreign_queries()[:FOREIGN]).mean(axis=0)
        prefix = self._corpus.model.passage_prefix
        chance = model.encode_passages([prefix + text for text in background_passages()]).mean(axis=0)
        background = float(foreign @ chance)
        found = [
            ndcg(self._ranked(query, words, vectors, background), grades)
            for query, words, grades in zip(queries, self._words, self._grades, strict=True)
        ]
        return Score(np.array(found), vectors)

    def _ranked(
        self, query: NDArray[np.float32], words: LexicalScores, vectors: NDArray[np.float32], background: float
    ) -> list[str]:
        bm25 = np.zeros(len(self._corpus.ids))
        bm25[words.rows] = words.bm25
        count = len(self.pool)
        unranked = np.ones(count, np.int64)
        candidates = Candidates(
            ids=self._corpus.ids[self.pool],
            documents=self._documents,
            tie=self._corpus.places[self.pool],
            cosine=vectors @ query,
            bm25=bm25[self.pool],
            vector_rank=unranked,
            keyword_rank=unranked,
            vectors=vectors,
            query_vector=query,
            fts_query=words.fts_query,
            background=background,
            keyword_ceiling=max(words.ceiling, float(words.bm25.max(initial=0.0))),
            rare=rare_share(words.fts_query.rare, self._corpus.ids[self.pool]),
            truncated=False,
        )
        order = rank(candidates, SETTINGS, "likely").order
        return [str(document) for document in dict.fromkeys(self._documents[order].tolist())]


def _pool(
    corpus: Corpus, queries: Sequence[KnownQuery], retrieved: Sequence[Retrieved], most: int
) -> NDArray[np.int64]:
    """Take what answers the queries, and then what they find, rank by rank, until the pool is full."""
    pool: dict[int, None] = {}
    for query, each in zip(queries, retrieved, strict=True):
        pool.update(dict.fromkeys(positives(corpus, query, each)))
    longest = max((len(each.fused) for each in retrieved), default=0)
    for place in range(longest):
        for each in retrieved:
            for listed in (each.fused, each.vector_heavy, each.keyword_heavy):
                if place < len(listed) and len(pool) < most:
                    pool[int(listed[place])] = None
    return np.array(sorted(pool), np.int64)


def best_mixture(development: Development, base: float, tuned: float, judge: Callable[[float], float]) -> float:
    """Return the share of the tuned model in its best mixture with the base; of equal ones the least.

    `base` and `tuned` are the scores of either alone, `judge` gives that of a mixture. Wortsman et al., WiSE-FT, 2022.
    """
    if not development.queries:
        return UNJUDGED_SHARE
    scores = {0.0: base, 1.0: tuned, **{share: judge(share) for share in MIXTURES}}
    return max(scores, key=lambda share: (scores[share], -share))
