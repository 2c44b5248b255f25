"""Fits the constants of the fusion to judged queries, shrunk towards the defaults; how far is chosen by folds.

A constant moves only as far as the queries pay for it. What is made as great as can be is

    mean NDCG@10 - strength / n x sum of ((constant - default) / unit)^2

over n queries: ridge regression's penalty (Hoerl and Kennard, Technometrics 1970), which is a Gaussian prior around the
defaults that n queries outweigh, so that it fades as 1 / n. The unit of a constant is half of the plateau on which it
was chosen (tests/bench/left_out.py). How strong the prior is, five folds tell: constants are fitted to four of them and
asked on the fifth. The strongest prior is taken that is within one standard error of the best (Breiman et al., CART,
1984); the strongest of all are the defaults. Folds share no group of queries, since a query that is nearly another one
would find its own answer again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.records import DEFAULT_CONSTANTS, FusionConstants

FOLDS = 5
ROUNDS = 2  # through all constants; the second rarely finds anything more
NEVER = 1.01  # a cosine that none reaches: what "never" is on the scale of collapse
DEFAULTS_ALONE = math.inf
STRENGTHS = (DEFAULTS_ALONE, 4.0, 1.0, 0.25, 0.0625)  # the strongest first
GRID: Mapping[str, tuple[float, ...]] = {
    "meaning": (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 1.0),
    "around": (0.0, 0.25, 0.5, 0.75),
    "keep": (0.4, 0.6, 0.8, 1.0),
    "sharpness": (10.0, 25.0, 60.0),
    "rare": (0.0, 2.0, 4.0),
    "collapse": (0.9, 0.95, 0.0),
}
UNIT: Mapping[str, float] = {
    "meaning": 0.1,
    "around": 0.25,
    "keep": 0.15,
    "sharpness": 1.0,  # a doubling
    "rare": 1.0,
    "collapse": 0.03,
}

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


class ConstantScores:
    """NDCG@10 of each query by constants, asked once for each of them; all fits share what was asked.

    `ask` gives the scores (n,) of all queries. Once `stopped` says so, nothing more is asked, and a fit ends with the
    best of what is known.
    """

    def __init__(self, ask: Callable[[FusionConstants], Floats], stopped: Callable[[], bool] = lambda: False) -> None:
        self._ask = ask
        self._stopped = stopped
        self._known: dict[FusionConstants, Floats] = {}

    def of(self, constants: FusionConstants) -> Floats:
        """Return the scores of all queries."""
        if constants not in self._known:
            self._known[constants] = self._ask(constants)
        return self._known[constants]

    def knows(self, constants: FusionConstants) -> bool:
        """Whether constants may be tried: they were, or there is time to."""
        return constants in self._known or not self._stopped()


@dataclass(frozen=True, slots=True)
class Fit:
    """Constants, and how strong the prior was that gave them."""

    constants: FusionConstants
    strength: float


def penalty(constants: FusionConstants, queries: int, strength: float) -> float:
    """Return what constants cost for lying off the defaults, in NDCG@10."""
    if constants == DEFAULT_CONSTANTS:
        return 0.0
    return strength / queries * sum(_distance(constants, name) ** 2 for name in GRID)


def fitted(scores: ConstantScores, among: Places, strength: float) -> FusionConstants:
    """Return the best constants for some of the queries under a prior: each is moved in turn, until none gains."""
    best = DEFAULT_CONSTANTS
    if math.isinf(strength) or not len(among):
        return best

    def worth(constants: FusionConstants) -> float:
        return float(scores.of(constants)[among].mean()) - penalty(constants, len(among), strength)

    reached = worth(best)
    for _ in range(ROUNDS):
        before = best
        for name, values in GRID.items():
            for value in values:
                tried = replace(best, **{name: value})
                if tried == best or not scores.knows(tried):
                    continue
                if (found := worth(tried)) > reached:
                    best, reached = tried, found
        if best == before:
            break
    return best


def chosen(scores: ConstantScores, fold: Places, among: Sequence[int]) -> Fit:
    """Return the fit to the queries of the folds `among`; `fold` (n,) tells which fold each query lies in.

    With one fold nothing can be left out, so the defaults stay.
    """
    inside = np.flatnonzero(np.isin(fold, list(among)))
    gains = {strength: _left_out_gain(scores, fold, among, strength) for strength in STRENGTHS}
    strength = _strongest(gains) if len(among) > 1 else DEFAULTS_ALONE
    return Fit(fitted(scores, inside, strength), strength)


def left_out(scores: ConstantScores, fold: Places) -> list[FusionConstants]:
    """Return for each fold the constants that all of this gives without it, choice of the prior and all.

    What a fold's queries reach by them was never looked at, so it tells what the constants give on others (nested
    cross-validation: Varma and Simon, BMC Bioinformatics 2006).
    """
    folds = sorted(set(fold.tolist()))
    return [chosen(scores, fold, [other for other in folds if other != each]).constants for each in folds]


def folds_of(group: Sequence[int], order: Sequence[int]) -> Places:
    """Return the fold of each query: whole groups, in this order of them, each into the fold that has the least."""
    sizes: dict[int, int] = {}
    for each in group:
        sizes[each] = sizes.get(each, 0) + 1
    filled, fold_of = [0] * FOLDS, {}
    for each in sorted(order, key=lambda each: -sizes[each]):
        fold_of[each] = filled.index(min(filled))
        filled[fold_of[each]] += sizes[each]
    return np.array([fold_of[each] for each in group], np.int64)


def _left_out_gain(scores: ConstantScores, fold: Places, among: Sequence[int], strength: float) -> Floats:
    """Return what each query of the folds gains, over the defaults, by constants that were fitted without its fold."""
    base = scores.of(DEFAULT_CONSTANTS)
    gains = []
    for each in among:
        taught = np.flatnonzero(np.isin(fold, [other for other in among if other != each]))
        asked = np.flatnonzero(fold == each)
        gains.append(scores.of(fitted(scores, taught, strength))[asked] - base[asked])
    return np.concatenate(gains) if gains else np.empty(0)


def _strongest(gains: Mapping[float, Floats]) -> float:
    """Return the strongest prior that gains as much as the best one, within a standard error of their difference."""
    best = max(STRENGTHS, key=lambda strength: float(gains[strength].mean()))
    for strength in STRENGTHS:
        behind = gains[best] - gains[strength]
        error = float(behind.std(ddof=1)) / math.sqrt(len(behind)) if len(behind) > 1 else math.inf
        if float(behind.mean()) <= error:
            return strength
    return best


def _distance(constants: FusionConstants, name: str) -> float:
    """Return how far a constant lies off its default, in its unit."""
    return (_place(name, getattr(constants, name)) - _place(name, getattr(DEFAULT_CONSTANTS, name))) / UNIT[name]


def _place(name: str, value: float) -> float:
    if name == "sharpness":
        return math.log2(value)
    return NEVER if name == "collapse" and not value else value
