"""The training loss: contrastive over hard and in-batch negatives, plus distillation of the fused scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from training.hard_negatives import Row

if TYPE_CHECKING:
    import torch

SCALE = 20.0  # of cosines in the softmax, as sentence-transformers has it
TEACHER_SHARPNESS = 25.0  # of the fused scores, as the search's feedback has it
BARRED = -1e4  # in place of minus infinity, which would make rows without any negative not a number

Answers = Callable[[int, Sequence[int]], NDArray[np.bool_]]
"""Of a query and some rows of the corpus, both as indexes: which of the rows answer it."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one step: the queries, the distinct passages, and for each row the places of its own passages."""

    rows: tuple[Row, ...]
    passages: tuple[int, ...]
    places: tuple[tuple[int, ...], ...]


def batch_of(rows: Sequence[Row]) -> Batch:
    """Gather rows; a passage that several share is encoded once."""
    place = {each: at for at, each in enumerate(dict.fromkeys(each for row in rows for each in row.passages))}
    return Batch(tuple(rows), tuple(place), tuple(tuple(place[each] for each in row.passages) for row in rows))


def loss(batch: Batch, queries: torch.Tensor, passages: torch.Tensor, answers: Answers, distil: float) -> torch.Tensor:
    """Return the loss of a batch; `queries` (b, d) and `passages` (m, d) are unit vectors.

    MultipleNegativesRankingLoss with explicit hard negatives (Henderson et al., 2017): each query against all passages
    of the batch but those that answer it too; plus `distil` times the Kullback-Leibler divergence of the row's own
    passages from what the fused search thinks of them.
    """
    logits = SCALE * queries @ passages.T
    total = queries.new_zeros(())
    labelled = [at for at, row in enumerate(batch.rows) if row.labelled]
    if labelled:
        total = total + _contrastive(batch, logits, labelled, answers)
    if distil:
        total = total + distil * _divergence(batch, logits)
    return total


def _contrastive(batch: Batch, logits: torch.Tensor, labelled: Sequence[int], answers: Answers) -> torch.Tensor:
    import torch

    targets = [batch.places[at][0] for at in labelled]
    barred = np.stack([answers(batch.rows[at].query, batch.passages) for at in labelled])
    barred[np.arange(len(labelled)), targets] = False
    own = logits[labelled].masked_fill(torch.from_numpy(barred).to(logits.device), BARRED)
    return torch.nn.functional.cross_entropy(own, torch.tensor(targets, device=logits.device))


def _divergence(batch: Batch, logits: torch.Tensor) -> torch.Tensor:
    """Rows of unequal length are filled up with places that neither side gives any weight."""
    import torch

    longest = max(map(len, batch.places))
    places = np.zeros((len(batch.rows), longest), np.int64)
    teacher = np.full(places.shape, BARRED, np.float32)
    for at, (row, own) in enumerate(zip(batch.rows, batch.places, strict=True)):
        places[at, : len(own)] = own
        teacher[at, : len(own)] = row.teacher
        if row.labelled:
            teacher[at, 0] = max(row.teacher)  # what a person said stands above what the legs think
    filled = torch.from_numpy(teacher <= BARRED).to(logits.device)
    student = logits.gather(1, torch.from_numpy(places).to(logits.device)).masked_fill(filled, BARRED)
    wanted = torch.softmax(TEACHER_SHARPNESS * torch.from_numpy(teacher).to(logits.device), 1)
    return torch.nn.functional.kl_div(torch.log_softmax(student, 1), wanted, reduction="batchmean")
