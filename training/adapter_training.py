"""Trains an adapter, a low-rank matrix behind the query encoder, on vectors that exist: nothing is embedded anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.embedding.adapter import Adapter
from engine.embedding.out_of_domain import TextEncoder, foreign_queries
from training.dev_evaluation import DevEvaluation, Score, best_mixture
from training.hard_negatives import Row
from training.loss import Answers, batch_of, loss
from training.run_channel import Teller
from training.run_plan import Recipe
from training.throughput import Throughput

if TYPE_CHECKING:
    import torch

WEIGHT_DECAY = 0.1  # towards the identity, where nothing is moved
FIRST_SPREAD = 0.02  # of the random directions that are looked at first; nothing is moved along them yet
ANCHOR = 40.0  # weighs the mean cosine distance by which shipped foreign queries are moved
PATIENCE = 5  # epochs without a better figure, after which the training ends


@dataclass(frozen=True, slots=True)
class Best:
    """The best so far: after which step, its mean NDCG@10 in development, and the adapter, None before the first."""

    step: int = 0
    score: float = float("-inf")
    adapter: Adapter | None = None


class AdapterTraining:
    """Trains an adapter. `queries` (n, d) are the base's vectors of all queries, `passages` (m, d) of the corpus."""

    def __init__(
        self,
        recipe: Recipe,
        rows: Sequence[Row],
        queries: NDArray[np.float32],
        passages: NDArray[np.float32],
        answers: Answers,
        development: DevEvaluation,
        base: TextEncoder,
        teller: Teller,
        seed: int,
    ) -> None:
        self._recipe = recipe
        self._rows = rows
        self._queries = queries
        self._passages = passages
        self._answers = answers
        self._development = development
        self._base = CachedEncoder(base)
        self._teller = teller
        self._seed = seed
        self._per_epoch = -(-len(rows) // recipe.batch)
        self._pool = np.empty((0, passages.shape[1]), np.float32)
        self._base_score = Score(np.empty(0), self._pool)
        self.adapter = Adapter(np.zeros((queries.shape[1], 0), np.float32), np.zeros((queries.shape[1], 0), np.float32))

    @property
    def steps(self) -> int:
        """How many steps the whole training has."""
        return self._per_epoch * self._recipe.epochs

    def run(self) -> float:
        """Train and return the share of the best mixture with the identity, 0 where nothing was better."""
        import torch

        chance = torch.Generator().manual_seed(self._seed)
        dimension = self._queries.shape[1]
        down = torch.nn.Parameter(FIRST_SPREAD * torch.randn(dimension, self._recipe.rank, generator=chance))
        up = torch.nn.Parameter(torch.zeros(dimension, self._recipe.rank))
        optimiser = torch.optim.AdamW([up, down], lr=self._recipe.learning_rate, weight_decay=WEIGHT_DECAY)
        self._pool = self._passages[self._development.pool]
        self._base_score = self._development.score(self._base, self._pool)
        best, waited, throughput = Best(), 0, Throughput(0, self.steps)
        for epoch in range(self._recipe.epochs):
            if self._teller.stopped:
                break
            self._epoch(epoch, up, down, optimiser, throughput)
            step = (epoch + 1) * self._per_epoch
            found = Best(step, self._score(adapter := Adapter(*_arrays(up, down)), step), adapter)
            waited = 0 if found.score > best.score else waited + 1
            if not waited or not self._development.queries:
                best = found
            if waited == PATIENCE:  # without development queries, too, the training is short
                break
        return self._choose(best)

    def _epoch(
        self, epoch: int, up: torch.Tensor, down: torch.Tensor, optimiser: torch.optim.Optimizer, throughput: Throughput
    ) -> None:
        import torch

        foreign = torch.from_numpy(self._base.encode_queries(foreign_queries()))
        order = np.random.default_rng(self._seed + epoch).permutation(len(self._rows))
        for start in range(0, len(order), self._recipe.batch):
            self._teller.check()
            batch = batch_of([self._rows[each] for each in order[start : start + self._recipe.batch]])
            queries = torch.from_numpy(self._queries[[row.query for row in batch.rows]])
            passages = torch.from_numpy(self._passages[list(batch.passages)])
            worth = loss(batch, _moved(queries, up, down), passages, self._answers, self._recipe.distil)
            worth = worth + ANCHOR * (1.0 - (_moved(foreign, up, down) * foreign).sum(1)).mean()
            optimiser.zero_grad()
            worth.backward()
            optimiser.step()
            throughput.count(sum(row.triples for row in batch.rows))
        step = (epoch + 1) * self._per_epoch
        speed = throughput.stepped(step, epoch + 1.0, float(worth.detach()), self._recipe.learning_rate)
        self._teller.tell(speed)

    def _score(self, adapter: Adapter, step: int, share: float = 1.0, *, mixed: bool = False) -> float:
        """Judge an adapter, tell it, and return the mean."""
        found = self._development.score(AdaptedEncoder(self._base, adapter), self._pool)
        self._teller.tell(found.against(self._base_score, step, share=share, mixed=mixed))
        return found.mean

    def _choose(self, best: Best) -> float:
        """Judge mixtures of the identity and the best adapter, keep the best of them, and return its share."""
        adapter = best.adapter
        if adapter is None:
            return 0.0

        def judge(share: float) -> float:
            return self._score(_shrunk(adapter, share), best.step, share, mixed=True)

        share = best_mixture(self._development, self._base_score.mean, best.score, judge)
        self.adapter = _shrunk(adapter, share)
        return share


class AdaptedEncoder:
    """An encoder with an adapter behind its queries."""

    def __init__(self, base: TextEncoder, adapter: Adapter) -> None:
        self._base, self._adapter = base, adapter

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the moved vectors of queries."""
        return self._adapter.apply(self._base.encode_queries(texts))

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of passages, which are the base's."""
        return self._base.encode_passages(texts)


class CachedEncoder:
    """An encoder that keeps the vectors of every list of texts that it was given."""

    def __init__(self, base: TextEncoder) -> None:
        self._base = base
        self._kept: dict[tuple[bool, tuple[str, ...]], NDArray[np.float32]] = {}

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of queries."""
        key = (True, tuple(texts))
        if key not in self._kept:
            self._kept[key] = self._base.encode_queries(texts)
        return self._kept[key]

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of passages."""
        key = (False, tuple(texts))
        if key not in self._kept:
            self._kept[key] = self._base.encode_passages(texts)
        return self._kept[key]


def _arrays(up: torch.Tensor, down: torch.Tensor) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return up.detach().numpy().copy(), down.detach().numpy().copy()


def _moved(queries: torch.Tensor, up: torch.Tensor, down: torch.Tensor) -> torch.Tensor:
    """Return the unit vectors of queries behind the adapter, shape (n, dimension)."""
    import torch

    return torch.nn.functional.normalize(queries + (queries @ down) @ up.T, dim=-1)


def _shrunk(adapter: Adapter, share: float) -> Adapter:
    return Adapter(np.float32(share) * adapter.up, adapter.down)
