"""Mines training rows: a query, a passage that answers it, and hard negatives that one leg takes for answers.

A row teaches most where meaning and words disagree: the hard negatives come from what the vector-heavy and the
keyword-heavy search show first. What may be an answer itself is dropped and counted by reason.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from training.batch_retrieval import Retrieved
from training.corpus import Corpus
from training.known_queries import KnownQuery

TOO_GOOD = 0.95  # of the positive's score: above it a "negative" is as likely an answer (NV-Retriever, TopK-PercPos)
NEAR_DUPLICATE_COSINE = 0.95  # from which two passages say the same
POSITIVES = 4  # of one query, so that one with dozens of answers does not drown the others
LEAST_NEGATIVES = 1
UNLABELLED_ROWS = 8  # passages that a query without a known answer is distilled over
TEMPERATURE = 0.5  # folders are drawn by the square root of their rows

VECTOR_BLIND, KEYWORD_BLIND, AGREED = "vector blind", "keyword blind", "agreed"


@dataclass(frozen=True, slots=True)
class Row:
    """One row to learn from; `passages` are rows of the corpus, the positive first, `teacher` their fused scores.

    Without `labelled` there is no positive: the row teaches by the teacher's scores alone. `number` counts the rows of
    a run from 1, in the order of mining. `meaning` and `words` are the ranks of the passages in the vector-heavy and
    the keyword-heavy search, 0 where one is not among the first.
    """

    query: int
    passages: tuple[int, ...]
    teacher: tuple[float, ...]
    kind: str
    labelled: bool = True
    number: int = 0
    meaning: tuple[int, ...] = ()
    words: tuple[int, ...] = ()

    @property
    def triples(self) -> int:
        """How many triples of query, positive and negative it stands for."""
        return len(self.passages) - 1

    @property
    def doubt(self) -> float:
        """How near the best of its negatives comes to its positive in the fused score: 1 is as near as itself."""
        positive, *others = self.teacher
        return max(others, default=0.0) / positive if positive > 0 else float("inf")

    def to_json(self) -> dict[str, Any]:
        """Give the row as JSON takes it."""
        return asdict(self)

    @classmethod
    def from_json(cls, written: dict[str, Any]) -> Row:
        """Read what `to_json` gave."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in written.items()
        }
        return cls(**values)


@dataclass
class MiningCounts:
    """The counts of a mining: queries, blind spots of each leg, rows, triples, and what was dropped, by reason."""

    queries: int = 0
    judged: int = 0
    vector_blind: int = 0
    keyword_blind: int = 0
    rows: int = 0
    triples: int = 0
    dropped: Counter[str] = field(default_factory=Counter)

    def share(self, count: int) -> float:
        """Return a count as a share of the queries with known answers."""
        return count / self.judged if self.judged else 0.0


class Miner:
    """Makes rows of queries one after another, and keeps count."""

    def __init__(self, corpus: Corpus, queries: Sequence[KnownQuery], group: Sequence[int], negatives: int) -> None:
        self._corpus = corpus
        self._queries = queries
        self._group = group
        self._negatives = negatives
        self.counts = MiningCounts()
        self._answers: defaultdict[int, set[int]] = defaultdict(set)
        for index, query in enumerate(queries):
            self._answers[group[index]].update(query.relevant)

    def rows(self, index: int, retrieved: Retrieved) -> Iterator[Row]:
        """Yield the rows that one query gives."""
        query = self._queries[index]
        self.counts.queries += 1
        if not query.relevant:
            yield from self._unlabelled(index, retrieved)
            return
        kind = self._kind(query, retrieved)
        self.counts.judged += 1
        self.counts.vector_blind += kind == VECTOR_BLIND
        self.counts.keyword_blind += kind == KEYWORD_BLIND
        for positive in positives(self._corpus, query, retrieved):
            chosen = self._negatives_of(index, positive, retrieved)
            if chosen:
                yield self._row(index, (positive, *chosen), retrieved, kind)

    def _kind(self, query: KnownQuery, retrieved: Retrieved) -> str:
        by_vector = self._has(query, retrieved.vector_heavy)
        by_words = self._has(query, retrieved.keyword_heavy)
        if by_vector == by_words:
            return AGREED
        return KEYWORD_BLIND if by_vector else VECTOR_BLIND

    def _has(self, query: KnownQuery, rows: np.ndarray[Any, Any]) -> bool:
        return any(int(document) in query.relevant for document in self._corpus.documents[rows])

    def _negatives_of(self, index: int, positive: int, retrieved: Retrieved) -> list[int]:
        """Return the hard negatives that may stand against a positive, none where there are too few."""
        chosen: list[int] = []
        ceiling = TOO_GOOD * retrieved.best(positive)
        for candidate in _disagreed_first(retrieved):
            reason = self._refusal(index, positive, candidate, chosen, retrieved, ceiling)
            if reason:
                self.counts.dropped[reason] += 1
            else:
                chosen.append(candidate)
                if len(chosen) == self._negatives:
                    break
        if len(chosen) < LEAST_NEGATIVES:
            self.counts.dropped["no negative left"] += 1
            return []
        return chosen

    def _row(
        self, index: int, passages: tuple[int, ...], retrieved: Retrieved, kind: str, *, labelled: bool = True
    ) -> Row:
        """Make a row, and count it."""
        self.counts.rows += 1
        self.counts.triples += len(passages) - 1
        meaning, words = (_ranks(listed, passages) for listed in (retrieved.vector_heavy, retrieved.keyword_heavy))
        return Row(index, passages, _scores(retrieved, passages), kind, labelled, self.counts.rows, meaning, words)

    def _refusal(
        self, index: int, positive: int, candidate: int, chosen: Sequence[int], retrieved: Retrieved, ceiling: float
    ) -> str:
        """Say why a passage may not serve as a negative; "" where it may."""
        documents, vectors = self._corpus.documents, self._corpus.vectors
        document = int(documents[candidate])
        if document == documents[positive]:
            return "same document"
        if document in self._answers[self._group[index]]:
            return "answers a query of the group"
        if float(vectors[candidate] @ vectors[positive]) >= NEAR_DUPLICATE_COSINE:
            return "near-duplicate"
        if float(retrieved.score(np.array([candidate]))[0]) > ceiling:
            return "too good"
        if any(float(vectors[candidate] @ vectors[other]) >= NEAR_DUPLICATE_COSINE for other in chosen):
            return "near-duplicate"
        return ""

    def _unlabelled(self, index: int, retrieved: Retrieved) -> Iterator[Row]:
        passages = tuple(int(each) for each in retrieved.fused[:UNLABELLED_ROWS])
        if len(passages) < 2:
            self.counts.dropped["nothing found"] += 1
            return
        yield self._row(index, passages, retrieved, AGREED, labelled=False)


def positives(corpus: Corpus, query: KnownQuery, retrieved: Retrieved) -> list[int]:
    """Return the passages that answer a query, the best of each document, best grades and scores first."""
    exact = set(query.passages)
    found: list[tuple[int, float, int]] = []
    for document, grade in query.relevant.items():
        rows = corpus.rows_of(document)
        named = rows[np.isin(corpus.ids[rows], list(exact))] if exact else rows[:0]
        rows = named if len(named) else rows
        if len(rows):
            scores = retrieved.score(rows)
            best = int(np.argmax(scores))
            found.append((-grade, -float(scores[best]), int(rows[best])))
    return [row for _, _, row in sorted(found)[:POSITIVES]]


def sample(rows: Sequence[Row], folders: Mapping[int, int], budget: int, seed: int) -> list[Row]:
    """Draw rows up to a budget of triples, folders by the square root of their rows, those of blind spots first.

    `folders` gives the folder of a corpus row. The same rows, budget and seed give the same draw.
    """
    chance = random.Random(seed)
    if sum(row.triples for row in rows) <= budget:
        kept = list(rows)
        chance.shuffle(kept)
        return kept
    stacks: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        stacks[folders[row.passages[0]]].append(row)
    for folder, stack in stacks.items():
        chance.shuffle(stack)
        stack.sort(key=lambda row: row.kind != AGREED)  # taken from the end
        stacks[folder] = stack
    weights = {folder: len(stack) ** TEMPERATURE for folder, stack in stacks.items()}
    kept = []
    while budget > 0 and weights:
        folder = chance.choices(list(weights), list(weights.values()))[0]
        row = stacks[folder].pop()
        if not stacks[folder]:
            del weights[folder]
        kept.append(row)
        budget -= row.triples
    chance.shuffle(kept)
    return kept


def _disagreed_first(retrieved: Retrieved) -> list[int]:
    """Return what either leg shows, what only one of them shows first, each by its own rank."""
    ranks: dict[int, int] = {}
    for listed in (retrieved.vector_heavy, retrieved.keyword_heavy):
        for rank, row in enumerate(listed.tolist()):
            ranks[row] = min(ranks.get(row, rank), rank)
    both = set(retrieved.vector_heavy.tolist()) & set(retrieved.keyword_heavy.tolist())
    return sorted(ranks, key=lambda row: (row in both, ranks[row], row))


def _ranks(listed: np.ndarray[Any, Any], passages: Sequence[int]) -> tuple[int, ...]:
    places = {row: place for place, row in enumerate(listed.tolist(), 1)}
    return tuple(places.get(each, 0) for each in passages)


def _scores(retrieved: Retrieved, passages: tuple[int, ...]) -> tuple[float, ...]:
    return tuple(round(float(score), 5) for score in retrieved.score(np.array(passages)))
