"""Fine-tunes an encoder: steps, checkpoints, evaluations, and the choice of the best mixture with the base."""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from training.dev_evaluation import Development, Score, best_mixture
from training.hard_negatives import Row
from training.loss import Answers, Batch, batch_of, loss
from training.run_channel import Teller
from training.run_plan import Recipe
from training.throughput import Throughput
from training.weights import Learner, by_length, mixed

if TYPE_CHECKING:
    import torch

CHECKPOINT_SECONDS = 60.0  # what a kill costs at most
CHECKPOINT_FILE = "checkpoint.pt"
WARM_UP = 0.1  # of the steps, in which the learning rate grows
WEIGHT_DECAY = 0.01
LONGEST_GRADIENT = 1.0
TOKENS_AT_ONCE = 12_000  # held for the backward pass: about 0.25 MB each over twelve layers; beyond, in two passes
PASSAGES_AT_ONCE = 16  # of like length in one forward pass, so that little is padding
WORST_LOSS = 0.02  # of NDCG@10 below the base, at which three evaluations in a row end the training
PATIENCE = 3


@dataclass
class Progress:
    """Where the training stands; all of it goes into a checkpoint."""

    step: int = 0
    best: float = float("-inf")
    best_step: int = 0
    best_state: dict[str, torch.Tensor] = field(default_factory=dict)
    failed: int = 0


class Finetuning:
    """Trains one learner on rows. `tokens` and `queries` hold the token numbers of corpus rows and of queries."""

    def __init__(
        self,
        learner: Learner,
        recipe: Recipe,
        rows: Sequence[Row],
        texts: Sequence[str],
        queries: Sequence[str],
        answers: Answers,
        development: Development,
        folder: Path,
        teller: Teller,
    ) -> None:
        import torch

        self._learner = learner
        self._recipe = recipe
        self._development = development
        self._answers = answers
        self._teller = teller
        self._file = folder / CHECKPOINT_FILE
        self.batches = [batch_of(each) for each in _epochs(rows, recipe)]
        passages = sorted({each for batch in self.batches for each in batch.passages})
        asked = sorted({row.query for batch in self.batches for row in batch.rows})
        source = learner.source
        self._passages = dict(zip(passages, learner.tokens([texts[each] for each in passages]), strict=True))
        prefixed = [source.query_prefix + queries[each] for each in asked]
        self._queries = dict(zip(asked, learner.tokens(prefixed), strict=True))
        self._base_state = learner.state()
        self._optimiser = torch.optim.AdamW(learner.learning(), lr=recipe.learning_rate, weight_decay=WEIGHT_DECAY)
        self._base_score = Score(np.empty(0), np.empty((0, 0), np.float32))
        self.progress = Progress()
        self._resume()

    @property
    def steps(self) -> int:
        """How many steps the whole training has."""
        return len(self.batches)

    def run(self) -> float:
        """Train to the end, or to where it is told to stop, and leave the best mixture in the learner.

        Returns its share of the tuned weights; 0 where nothing was better than the base. Raises Cancelled.
        """
        self._learner.take(self._base_state)
        self._base_score = self._development.score(_LearnerEncoder(self._learner))
        self._continue_with_checkpoint()
        self._train()
        return self._choose()

    def _train(self) -> None:
        due = {round(len(self.batches) * each) for each in self._moments()}
        saved = time.monotonic()
        throughput = Throughput(self.progress.step, self.steps)
        while self.progress.step < self.steps:
            self._teller.check()
            if self._teller.stopped:
                self._evaluate()
                return
            self.one_step(throughput)
            if self.progress.step in due:
                self._evaluate()
                if self.progress.failed >= PATIENCE:
                    return
            if time.monotonic() - saved > CHECKPOINT_SECONDS or self.progress.step in due:
                self._save()
                saved = time.monotonic()

    def one_step(self, throughput: Throughput | None = None) -> None:
        """Do the next step, count it, and tell of it."""
        batch = self.batches[self.progress.step]
        worth = self._step(batch)
        self.progress.step += 1
        self._tell(throughput or Throughput(self.progress.step - 1, self.steps), batch, worth)

    def _moments(self) -> Iterator[float]:
        count = self._recipe.epochs * self._recipe.evaluations
        yield from ((each + 1) / count for each in range(count))

    def _step(self, batch: Batch) -> float:
        import torch

        for group in self._optimiser.param_groups:
            group["lr"] = self.learning_rate
        worth = self._gradients(batch)
        torch.nn.utils.clip_grad_norm_(self._learner.learning(), LONGEST_GRADIENT)
        self._optimiser.step()
        self._optimiser.zero_grad(set_to_none=True)
        return worth

    @property
    def learning_rate(self) -> float:
        """The rate of the next step: it grows linearly, and then falls linearly to 0."""
        warm = max(WARM_UP * self.steps, 1.0)
        rising = min((self.progress.step + 1) / warm, 1.0)
        falling = (self.steps - self.progress.step) / max(self.steps - warm, 1.0)
        return self._recipe.learning_rate * min(rising, falling, 1.0)

    def _gradients(self, batch: Batch) -> float:
        """Add a batch's gradients to the weights and return its loss."""
        queries = [self._queries[row.query] for row in batch.rows]
        passages = [self._passages[each] for each in batch.passages]
        if sum(map(len, queries)) + sum(map(len, passages)) > TOKENS_AT_ONCE:
            return self._gradients_in_two_passes(batch, queries, passages)
        worth = loss(batch, self._encoded(queries), self._encoded(passages), self._answers, self._recipe.distil)
        worth.backward()
        return float(worth.detach())

    def _encoded(self, tokens: Sequence[list[int]]) -> torch.Tensor:
        import torch

        order, pieces = by_length(tokens, PASSAGES_AT_ONCE)
        vectors = torch.cat([self._learner.vectors([tokens[each] for each in piece]) for piece in pieces])
        return vectors[torch.tensor(np.argsort(order), device=vectors.device)]

    def _gradients_in_two_passes(
        self, batch: Batch, queries: Sequence[list[int]], passages: Sequence[list[int]]
    ) -> float:
        """Find the gradients of the vectors first and then those of the weights, a piece of the batch at a time.

        The same gradients in bounded memory, for one more forward pass (Gao et al., GradCache, 2021).
        """
        import torch

        with torch.no_grad():
            found = [self._encoded(queries), self._encoded(passages)]
        leaves = [each.clone().requires_grad_() for each in found]
        worth = loss(batch, leaves[0], leaves[1], self._answers, self._recipe.distil)
        worth.backward()
        for leaf, tokens in zip(leaves, (queries, passages), strict=True):
            assert leaf.grad is not None
            for piece in by_length(tokens, PASSAGES_AT_ONCE)[1]:
                vectors = self._learner.vectors([tokens[each] for each in piece])
                (vectors * leaf.grad[torch.tensor(piece, device=leaf.grad.device)]).sum().backward()
        return float(worth.detach())

    def _evaluate(self) -> None:
        state = self._learner.state()
        found = self._scored(self.progress.step)
        if found > self.progress.best:
            self.progress.best, self.progress.best_step, self.progress.best_state = found, self.progress.step, state
        self.progress.failed = self.progress.failed + 1 if found < self._base_score.mean - WORST_LOSS else 0

    def _scored(self, step: int, share: float = 1.0, *, mixed: bool = False) -> float:
        """Judge the weights as they are, tell it, and return the mean."""
        found = self._development.score(_LearnerEncoder(self._learner))
        self._teller.tell(found.against(self._base_score, step, share=share, mixed=mixed))
        return float(found.mean)

    def _choose(self) -> float:
        """Judge mixtures of base and best weights, and leave the best of them in the learner."""
        tuned = self.progress.best_state
        if not tuned:
            return 0.0

        def judge(share: float) -> float:
            self._teller.check()
            self._learner.take(mixed(self._base_state, tuned, share))
            return self._scored(self.progress.best_step, share, mixed=True)

        best = best_mixture(self._development, self._base_score.mean, self.progress.best, judge)
        self._learner.take(mixed(self._base_state, tuned, best))
        return best

    def _tell(self, throughput: Throughput, batch: Batch, worth: float) -> None:
        throughput.count(sum(row.triples for row in batch.rows))
        epoch = self.progress.step * self._recipe.epochs / self.steps
        self._teller.tell(throughput.stepped(self.progress.step, epoch, worth, self.learning_rate))

    # --- checkpoints -------------------------------------------------------------------------------------------------

    def _save(self) -> None:
        import torch

        draft = self._file.with_suffix(".new")
        torch.save(
            {
                "steps": self.steps,
                "state": self._learner.state(),
                "optimiser": self._optimiser.state_dict(),
                "step": self.progress.step,
                "best": self.progress.best,
                "best_step": self.progress.best_step,
                "best_state": self.progress.best_state,
                "failed": self.progress.failed,
            },
            draft,
        )
        os.replace(draft, self._file)

    def forget(self) -> None:
        """Remove the checkpoint: what was trained is written down elsewhere."""
        self._file.unlink(missing_ok=True)

    def _resume(self) -> None:
        """Read a checkpoint of this very training, if there is one."""
        import torch

        self._loaded: dict[str, Any] | None = None
        if self._file.exists():
            try:
                loaded = torch.load(self._file, map_location="cpu", weights_only=True)
            except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError):
                return  # of another version, or damaged: the training begins anew
            if loaded["steps"] == self.steps:
                self._loaded = loaded
                self.progress.step = loaded["step"]

    def _continue_with_checkpoint(self) -> None:
        if self._loaded is None:
            return
        self._learner.take(self._loaded["state"])
        self._optimiser.load_state_dict(self._loaded["optimiser"])
        self.progress.best = self._loaded["best"]
        self.progress.best_step = self._loaded["best_step"]
        self.progress.best_state = self._loaded["best_state"]
        self.progress.failed = self._loaded["failed"]
        self._loaded = None


class _LearnerEncoder:
    """A learner with the encoder interface that the development evaluation asks for."""

    def __init__(self, learner: Learner) -> None:
        self._learner = learner

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of queries, (n, dimension), each with the model's prefix of queries."""
        prefix = self._learner.source.query_prefix
        return self._learner.encode([prefix + text for text in texts])

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of passages, (n, dimension)."""
        return self._learner.encode(texts)


def _epochs(rows: Sequence[Row], recipe: Recipe) -> Iterator[Sequence[Row]]:
    """Yield the rows of each step of all epochs; every epoch has an order of its own."""
    for epoch in range(recipe.epochs):
        order = np.random.default_rng(epoch).permutation(len(rows)) if epoch else np.arange(len(rows))
        for start in range(0, len(rows), recipe.batch):
            yield [rows[each] for each in order[start : start + recipe.batch]]
