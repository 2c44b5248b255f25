"""Trains a matrix behind the query encoder on vectors that are there already: seconds, and nothing is embedded anew."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.embedding.adapter import Adapter
from engine.embedding.foreign import foreign_queries
from engine.evaluation.significance import paired_bootstrap
from training.development import Development, Encodes, Score
from training.finetune import SHARES, UNJUDGED_SHARE
from training.loss import Answers, batch_of, loss
from training.mining import Row
from training.plan import Recipe
from training.process_memory import resident_bytes
from training.protocol import Evaluated, Stepped
from training.telling import Teller

if TYPE_CHECKING:
    import torch

WEIGHT_DECAY = 0.1  # towards the identity, where nothing is moved
FIRST_SPREAD = 0.02  # of the random directions that are looked at first; nothing is moved along them yet
ANCHOR = 40.0  # weighs the mean cosine distance by which shipped foreign queries are moved
PATIENCE = 5  # epochs without a better figure, after which the training ends


class Adapting:
    """Trains an adapter. `queries` (n, d) are the base's vectors of all queries, `passages` (m, d) of the corpus."""

    def __init__(
        self,
        recipe: Recipe,
        rows: Sequence[Row],
        queries: NDArray[np.float32],
        passages: NDArray[np.float32],
        answers: Answers,
        development: Development,
        base: Encodes,
        teller: Teller,
        seed: int,
    ) -> None:
        self._recipe = recipe
        self._rows = rows
        self._queries = queries
        self._passages = passages
        self._answers = answers
        self._development = development
        self._base = Remembered(base)
        self._teller = teller
        self._seed = seed
        self._per_epoch = -(-len(rows) // recipe.batch)
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
        pool = self._passages[self._development.pool]
        base = self._development.score(self._base, pool)
        best, kept = float("-inf"), Adapter(*_arrays(up, down))
        waited, began = 0, time.monotonic()
        for epoch in range(self._recipe.epochs):
            if self._teller.stopped:
                break
            self._epoch(epoch, up, down, optimiser, began)
            found = Adapter(*_arrays(up, down))
            score = self._score(found, pool, base, (epoch + 1) * self._per_epoch, 1.0)
            waited = 0 if score > best else waited + 1
            if score > best or not self._development.queries:
                best, kept = score, found
            if waited == PATIENCE:  # without development queries, too, the training is short
                break
        return self._choose(kept, pool, base)

    def _epoch(
        self,
        epoch: int,
        up: torch.Tensor,
        down: torch.Tensor,
        optimiser: torch.optim.Optimizer,
        began: float,
    ) -> None:
        import torch

        foreign = torch.from_numpy(self._base.encode_queries(foreign_queries()))
        order = np.random.default_rng(self._seed + epoch).permutation(len(self._rows))
        for start in range(0, len(order), self._recipe.batch):
            self._teller.check()
            batch = batch_of([self._rows[each] for each in order[start : start + self._recipe.batch]])
            queries = torch.from_numpy(self._queries[[row.query for row in batch.rows]])
            moved = torch.nn.functional.normalize(queries + (queries @ down) @ up.T, dim=-1)
            passages = torch.from_numpy(self._passages[list(batch.passages)])
            worth = loss(batch, moved, passages, self._answers, self._recipe.distil)
            stayed = torch.nn.functional.normalize(foreign + (foreign @ down) @ up.T, dim=-1)
            worth = worth + ANCHOR * (1.0 - (stayed * foreign).sum(1)).mean()
            optimiser.zero_grad()
            worth.backward()
            optimiser.step()
        step = (epoch + 1) * self._per_epoch
        spent = max(time.monotonic() - began, 1e-9)
        triples = sum(row.triples for row in self._rows) * (epoch + 1)
        self._teller.tell(
            Stepped(
                step=step,
                of=self.steps,
                epoch=epoch + 1.0,
                loss=float(worth.detach()),
                learning_rate=self._recipe.learning_rate,
                triples_per_second=triples / spent,
                seconds_left=spent / step * (self.steps - step),
                memory=resident_bytes(),
            )
        )

    def _score(self, adapter: Adapter, pool: NDArray[np.float32], base: Score, step: int, share: float) -> float:
        found = self._development.score(Adapted(self._base, adapter), pool)
        low = high = 0.0
        if len(found.ndcg):
            difference = paired_bootstrap(found.ndcg, base.ndcg)
            low, high = difference.low, difference.high
        event = Evaluated(step=step, share=share, base=base.mean, candidate=found.mean, low=low, high=high, drift=0.0)
        self._teller.tell(event)
        return found.mean

    def _choose(self, tuned: Adapter, pool: NDArray[np.float32], base: Score) -> float:
        if not self._development.queries:
            self.adapter = _shrunk(tuned, UNJUDGED_SHARE)
            return UNJUDGED_SHARE
        scores = {0.0: base.mean}
        for share in SHARES:
            scores[share] = self._score(_shrunk(tuned, share), pool, base, self.steps, share)
        best = max(scores, key=lambda share: (scores[share], -share))
        self.adapter = _shrunk(tuned, best)
        return best


class Adapted:
    """A model with an adapter behind its query encoder."""

    def __init__(self, base: Encodes, adapter: Adapter) -> None:
        self._base, self._adapter = base, adapter

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the moved vectors of queries."""
        return self._adapter.apply(self._base.encode_queries(texts))

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of passages, which are the base's."""
        return self._base.encode_passages(texts)


class Remembered:
    """A model that encodes the same lists of texts once."""

    def __init__(self, base: Encodes) -> None:
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


def _shrunk(adapter: Adapter, share: float) -> Adapter:
    return Adapter(np.float32(share) * adapter.up, adapter.down)
