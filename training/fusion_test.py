"""Judges fitted constants: each query by those that were fitted without its fold, through the real search.

So every judged query counts as a held-out one. What is in use may have been fitted to these very queries before, so the
comparison is unkind to the new constants rather than kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.evaluation.metrics import QueryScore
from engine.records import FusionConstants, SearchSettings
from engine.retrieval.query_memory import PastQueries
from training import gate
from training.fusion_candidates import JudgedSearch
from training.known_queries import KnownQuery
from training.protocol import Judged

UNCHANGED = "Other constants than those in use gained nothing on the folds that were left out."


@dataclass(frozen=True, slots=True)
class ByBoth:
    """What one query reaches by fitted constants and by those in use, memory on, then off, and what it finds first."""

    scores: tuple[QueryScore, QueryScore, QueryScore, QueryScore]
    after: tuple[int, ...]
    before: tuple[int, ...]


def ask_both(
    search: JudgedSearch,
    queries: Sequence[KnownQuery],
    fold: NDArray[np.int64],
    fitted: Sequence[FusionConstants],
    used: FusionConstants,
    past: Callable[[int], PastQueries],
    check: Callable[[int], None],
) -> list[ByBoth]:
    """Ask each query by the constants `fitted` without its fold, and by those in use.

    `past` gives what may be remembered for a fold, `check` is called with the number of queries that are done.
    """
    found: list[ByBoth | None] = [None] * len(queries)
    done = 0
    for each in range(len(fitted)):
        remembered = past(each)
        ways = [
            SearchSettings(constants=constants, memory=memory)
            for memory in (True, False)
            for constants in (fitted[each], used)
        ]
        for place in np.flatnonzero(fold == each).tolist():
            check(done)
            told = search.scores(queries[place], ways, remembered)
            a, b, c, d = (score for score, _ in told)
            found[place] = ByBoth((a, b, c, d), told[2][1], told[3][1])
            done += 1
    return [each for each in found if each is not None]


def verdict(asked: Sequence[ByBoth], alpha: float) -> Judged:
    """Return what the gate says of the fitted constants."""
    others = {"MRR@10": _series(asked, "mrr_at_10"), "recall@100": _series(asked, "recall_at_100")}
    nothing: gate.Series = ([], [])
    return gate.verdict(_series(asked), _series(asked, remembered=True), nothing, others, alpha)


def _series(asked: Sequence[ByBoth], measure: str = "ndcg_at_10", *, remembered: bool = False) -> gate.Series:
    first = 0 if remembered else 2
    candidate, base = ([getattr(each.scores[first + at], measure) for each in asked] for at in (0, 1))
    return candidate, base
