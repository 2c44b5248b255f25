"""Intra-document maximal marginal relevance: several passages of a document may be listed if they say different things.

The published way (arXiv 2604.15484, after Carbonell and Goldstein, SIGIR 1998): a passage gives up a part of its score
for its likeness to the passages of the same document that are listed already; other documents do not matter to it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.retrieval.candidates import Candidates

DEPTH = 100  # places that are chosen anew; the rest follow in the order that they had


def marginal_order(
    candidates: Candidates, order: NDArray[np.int64], score: NDArray[np.float64], relevance: float
) -> NDArray[np.int64]:
    """Return the order by `relevance` x score, scaled to 0 to 1, less (1 - `relevance`) x likeness to what stands."""
    if not len(order):
        return order
    lowest, highest = float(score[order].min()), float(score[order].max())
    worth = relevance * (score[order] - lowest) / ((highest - lowest) or 1.0)
    documents, vectors = candidates.documents[order], candidates.vectors[order]
    likeness = np.zeros(len(order))
    waiting = np.ones(len(order), np.bool_)
    chosen: list[int] = []
    for _ in range(min(DEPTH, len(order))):
        best = int(np.argmax(np.where(waiting, worth - (1.0 - relevance) * likeness, -np.inf)))
        chosen.append(best)
        waiting[best] = False
        siblings = np.flatnonzero(documents == documents[best])
        likeness[siblings] = np.maximum(likeness[siblings], vectors[siblings] @ vectors[best])
    anew: NDArray[np.int64] = order[np.concatenate([np.asarray(chosen, np.int64), np.flatnonzero(waiting)])]
    return anew
