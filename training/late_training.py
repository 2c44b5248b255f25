"""Trains a model for pooled token vectors: its late scores are to stay what they are when a passage is pooled.

After Learn to Pool: the student's token vectors of a passage are joined by k-means, on vectors without gradients, by a
factor that is drawn from 1 to 6 for each batch. It learns from its own unpooled scores, and from the fused score of the
search, over a query's candidates. What it reaches is judged as late interaction, by factor, before and after.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.embedding.out_of_domain import TextEncoder
from engine.embedding.token_pooling import LEAST_FACTOR, MOST_FACTOR, best_cosines, encoded, kmeans, pool
from engine.evaluation.metrics import ndcg
from engine.evaluation.significance import paired_bootstrap
from engine.retrieval.late_interaction import shares
from training.batch_retrieval import Retrieved
from training.corpus import Corpus
from training.finetune import PASSAGES_AT_ONCE, Finetuning
from training.known_queries import KnownQuery
from training.loss import SCALE, TEACHER_SHARPNESS, Batch
from training.protocol import Evaluated
from training.weights import Learner, by_length

if TYPE_CHECKING:
    import torch

SEED = 42
FACTORS = (1, 2, 4, 6)  # of the table before and after
JUDGED_FACTOR = 4  # by which a model is chosen, and judged by the gate
WEIGHT = 0.3  # of late interaction, as the search has it
MOST_QUERIES, MOST_PASSAGES = 60, 400  # of development: an evaluation encodes these, 15 s on two cores


class LateFinetuning(Finetuning):
    """Trains the token vectors of one learner; what differs from other training is the loss."""

    def _gradients(self, batch: Batch) -> float:
        """Add a batch's gradients to the weights, a row at a time, and return the loss of the batch."""
        factor = int(np.random.default_rng((SEED, self.progress.step)).integers(LEAST_FACTOR, MOST_FACTOR + 1))
        total = 0.0
        for row in batch.rows:
            asked = self._learner.token_vectors([self._queries[row.query]])[0]
            held = _in_order(self._learner, [self._passages[each] for each in row.passages])
            teacher = list(row.teacher)
            if row.labelled:
                teacher[0] = max(teacher)
            worth = late_loss(asked, held, teacher, factor, self._recipe.distil) / len(batch.rows)
            worth.backward()
            total += float(worth.detach())
        return total


def late_loss(
    asked: torch.Tensor, held: Sequence[torch.Tensor], fused: Sequence[float], factor: int, distil: float
) -> torch.Tensor:
    """Return how far (Kullback-Leibler) pooled late scores are from unpooled ones, and `distil` times from the fused.

    `asked` (n, d) are a query's token vectors, `held` those of its candidates, `fused` the scores of these.
    """
    import torch

    pooled = torch.stack([_late_score(asked, pooled_vectors(vectors, factor)) for vectors in held])
    student = torch.log_softmax(SCALE * pooled, 0)
    with torch.no_grad():
        unpooled = torch.softmax(SCALE * torch.stack([_late_score(asked, vectors) for vectors in held]), 0)
        teacher = torch.softmax(TEACHER_SHARPNESS * torch.tensor(fused, device=asked.device), 0)
    own = torch.nn.functional.kl_div(student, unpooled, reduction="sum")
    return own + distil * torch.nn.functional.kl_div(student, teacher, reduction="sum")


def pooled_vectors(vectors: torch.Tensor, factor: int) -> torch.Tensor:
    """Return the means of clusters, with gradients; which tokens belong together is found without them."""
    import torch

    wanted = max(1, -(-len(vectors) // factor))
    if factor <= 1 or wanted >= len(vectors):
        return vectors
    clusters = torch.from_numpy(kmeans(vectors.detach().cpu().numpy(), wanted)).to(vectors.device)
    sums = torch.zeros((wanted, vectors.shape[1]), device=vectors.device).index_add(0, clusters, vectors)
    held = torch.bincount(clusters, minlength=wanted) > 0
    return torch.nn.functional.normalize(sums[held], dim=-1)


def _late_score(asked: torch.Tensor, held: torch.Tensor) -> torch.Tensor:
    return (asked @ held.T).max(dim=1).values.mean()


def _in_order(learner: Learner, tokens: Sequence[list[int]]) -> list[torch.Tensor]:
    order, pieces = by_length(tokens, PASSAGES_AT_ONCE)
    vectors = [each for piece in pieces for each in learner.token_vectors([tokens[at] for at in piece])]
    return [vectors[at] for at in np.argsort(order)]


# --- what it reaches, by factor ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LateScore:
    """NDCG@10 of each development query, by factor."""

    by_factor: dict[int, NDArray[np.float64]]

    @property
    def ndcg(self) -> NDArray[np.float64]:
        """That of the factor by which a model is chosen."""
        return self.by_factor.get(JUDGED_FACTOR, np.empty(0))

    @property
    def mean(self) -> float:
        """Its mean over the queries, 0 where there are none."""
        return float(self.ndcg.mean()) if len(self.ndcg) else 0.0

    def against(self, base: LateScore, step: int, *, share: float = 1.0, mixed: bool = False) -> Evaluated:
        """Return the event that holds this score against the base's, with the table by factor."""
        low = high = 0.0
        if len(self.ndcg):
            found = paired_bootstrap(self.ndcg, base.ndcg)
            low, high = found.low, found.high
        table = tuple(
            (factor, float(base.by_factor[factor].mean()), float(each.mean()))
            for factor, each in self.by_factor.items()
            if len(each)
        )
        return Evaluated(
            step=step, share=share, base=base.mean, candidate=self.mean, low=low, high=high, drift=0.0, mixed=mixed,
            factors=table,
        )  # fmt: skip


class LateDevelopment:
    """Ranks what the fused search finds for the development queries again by a learner's pooled token vectors."""

    def __init__(
        self,
        corpus: Corpus,
        texts: Sequence[str],
        queries: Sequence[KnownQuery],
        retrieved: Sequence[Retrieved],
        learner: Learner,
        check: Callable[[], None],
    ) -> None:
        self._corpus = corpus
        self._texts = texts
        self._learner = learner
        self._check = check
        self.queries: list[KnownQuery] = []
        self._found: list[Retrieved] = []
        held: set[int] = set()
        for query, each in zip(queries[:MOST_QUERIES], retrieved, strict=False):
            listed = set(each.fused.tolist())
            if len(held | listed) > MOST_PASSAGES and self.queries:
                break
            held |= listed
            self.queries.append(query)
            self._found.append(each)
        self.pool = np.array(sorted(held), np.int64)

    def score(self, encoder: TextEncoder) -> LateScore:
        """Judge the learner as it is; `encoder` is the same, as others ask it."""
        prefix = self._learner.source.query_prefix
        asked = self._learner.encode_tokens([prefix + query.text for query in self.queries], self._check)
        held = self._learner.encode_tokens([self._texts[each] for each in self.pool], self._check)
        vectors = dict(zip(self.pool.tolist(), held, strict=True))
        return LateScore({factor: self._ndcg(asked, vectors, factor) for factor in FACTORS})

    def _ndcg(
        self, asked: Sequence[NDArray[np.float32]], held: dict[int, NDArray[np.float32]], factor: int
    ) -> NDArray[np.float64]:
        pooled = {each: encoded(pool(vectors, factor, "kmeans")) for each, vectors in held.items()}
        found = []
        for query, tokens, retrieved in zip(self.queries, asked, self._found, strict=True):
            rows, score = retrieved.fused, retrieved.score(retrieved.fused)
            late = best_cosines(tokens, [pooled[each] for each in rows.tolist()])
            changed = shares(late, np.arange(len(rows), dtype=np.int64), score, WEIGHT)
            order = np.argsort(-(score if changed is None else score + changed), kind="stable")
            documents = [str(each) for each in dict.fromkeys(self._corpus.documents[rows[order]].tolist())]
            found.append(ndcg(documents, {str(each): grade for each, grade in query.relevant.items()}))
        return np.array(found, np.float64)
