"""How far two models agree on the same passages: correlation of their cosines, and what a cut makes of them.

Raw agreement says nothing by itself. Most passages lie below any cut, so a model of noise agrees in 95 of 100 pairs:
Cohen's kappa, which takes off what chance would reach, stands before it. Nor does a cut mean the same for two models:
each has its own scale, so the candidate's is fitted anew.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.lazy_dataclass import dataclass

CURVE_POINTS = 121  # thresholds of the curve that is drawn
TIERS = ("strong", "likely", "weak")

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CutAgreement:
    """What a cut on the candidate's cosine agrees in with the model in use: a share of the pairs, and Cohen's kappa."""

    cut: float
    agreement: float
    kappa: float


@dataclass(frozen=True, slots=True)
class ThresholdCurve:
    """Agreement and kappa by the candidate's threshold, with the cut carried over and the one fitted anew.

    `reference` is the cut of the model in use; `points` are evenly spaced, from the least cosine to the greatest.
    """

    reference: float
    carried: CutAgreement
    fitted: CutAgreement
    points: tuple[CutAgreement, ...]


@dataclass(frozen=True, slots=True)
class Correlation:
    """Pearson's and Spearman's correlation of the cosines; None where one of the models gives one cosine to all."""

    pearson: float | None
    spearman: float | None


def paired(first: ArrayLike, second: ArrayLike) -> tuple[Floats, Floats]:
    """Return the pairs of cosines of which both are numbers, as two arrays of one length."""
    left, right = np.asarray(first, np.float64), np.asarray(second, np.float64)
    both = np.isfinite(left) & np.isfinite(right)
    return left[both], right[both]


def correlation(first: ArrayLike, second: ArrayLike) -> Correlation:
    """Return how the cosines of two models of the same passages go together."""
    left, right = paired(first, second)
    return Correlation(_pearson(left, right), _pearson(_ranks(left), _ranks(right)))


def _pearson(left: Floats, right: Floats) -> float | None:
    if len(left) < 2:
        return None
    left, right = left - left.mean(), right - right.mean()
    spread = float(np.sqrt((left @ left) * (right @ right)))
    return max(-1.0, min(1.0, float(left @ right) / spread)) if spread > 0 else None


def _ranks(values: Floats) -> Floats:
    """Return the rank of each value, equal ones by the mean of theirs."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    means: Floats = (ends - (counts - 1) / 2)[places]
    return means


def kappa(table: ArrayLike) -> float:
    """Return Cohen's kappa of a square table of counts: 1 is full agreement, 0 what chance reaches.

    Cohen, A coefficient of agreement for nominal scales, 1960. Where both put everything into one class, nothing can
    be told from chance, and it is 0.
    """
    counts = np.asarray(table, np.float64)
    total = counts.sum()
    if not total:
        return 0.0
    observed = float(np.trace(counts)) / total
    expected = float(counts.sum(0) @ counts.sum(1)) / total**2
    return float((observed - expected) / (1 - expected)) if expected < 1 else 0.0


def confusion(first: Sequence[str], second: Sequence[str], tiers: Sequence[str] = TIERS) -> tuple[tuple[int, ...], ...]:
    """Return how often the model in use gave the tier of a row, and the candidate that of a column."""
    place = {name: at for at, name in enumerate(tiers)}
    table = np.zeros((len(tiers), len(tiers)), np.int64)
    known = [(place[a], place[b]) for a, b in zip(first, second, strict=True) if a in place and b in place]
    np.add.at(table, tuple(np.array(known, np.int64).reshape(-1, 2).T), 1)
    return tuple(tuple(int(count) for count in row) for row in table)


def threshold_curve(
    first: ArrayLike, second: ArrayLike, reference: float, *, points: int = CURVE_POINTS
) -> ThresholdCurve | None:
    """Return how the candidate (`second`) agrees with the model in use (`first`) by threshold; None without a pair.

    The model in use counts a passage from the cosine `reference` on. Fitted anew is the cut of the greatest kappa: that
    of the greatest agreement may be one that counts nothing at all.
    """
    left, right = paired(first, second)
    if not len(left):
        return None
    above = _Above(left >= reference, right)
    values = np.unique(right)
    between = np.concatenate([values[:1], (values[:-1] + values[1:]) / 2])
    agreement, chance_free = above.agreement(between)
    best = int(np.lexsort((agreement, chance_free))[-1])
    shown = np.linspace(values[0], values[-1], points) if len(values) > 1 else values
    return ThresholdCurve(
        reference,
        above.at(np.array([reference]))[0],
        above.at(between[best : best + 1])[0],
        above.at(shown),
    )


class _Above:
    """What the model in use counts, held against every threshold of the candidate at once."""

    def __init__(self, counted: NDArray[np.bool_], cosines: Floats) -> None:
        order = np.argsort(cosines, kind="stable")
        self._cosines = cosines[order]
        self._counted_before = np.concatenate([[0], np.cumsum(counted[order])])
        self._pairs = len(cosines)

    def agreement(self, thresholds: Floats) -> tuple[Floats, Floats]:
        """Return share of agreement and kappa at each threshold."""
        below = np.searchsorted(self._cosines, thresholds, side="left")
        counted = self._counted_before[-1] / self._pairs
        missed = self._counted_before[below] / self._pairs
        passed = 1 - below / self._pairs
        observed = 1 - missed - (passed - (counted - missed))
        expected = counted * passed + (1 - counted) * (1 - passed)
        with np.errstate(divide="ignore", invalid="ignore"):
            free = np.where(expected < 1, (observed - expected) / (1 - expected), 0.0)
        return observed, free

    def at(self, thresholds: Floats) -> tuple[CutAgreement, ...]:
        """Return agreement and kappa at each threshold as records."""
        agreement, free = self.agreement(thresholds)
        return tuple(map(CutAgreement, thresholds.tolist(), agreement.tolist(), free.tolist()))
