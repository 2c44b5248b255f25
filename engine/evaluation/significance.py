"""The paired bootstrap: whether a difference between two systems is more than the luck of the queries.

Queries are drawn with replacement, both systems always judged on the same draw (Efron and Tibshirani, 1993; Sakai,
SIGIR 2006). A difference is significant at the 5% level where the interval leaves 0 out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

RESAMPLES = 10_000
SEED = 20_240_229  # any fixed number: the same judgements give the same interval
INTERVAL = (2.5, 97.5)  # percentiles
CELLS_AT_ONCE = 2**22  # of the table of draws; 32 MB


@dataclass(frozen=True, slots=True)
class Difference:
    """A mean difference with its interval, of 95% unless another was asked for, over so many queries."""

    mean: float
    low: float
    high: float
    queries: int

    @property
    def significant(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0


def paired_bootstrap(
    candidate: ArrayLike,
    baseline: ArrayLike,
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    interval: tuple[float, float] = INTERVAL,
) -> Difference:
    """Compare per-query scores of two systems, in the same order of queries; positive favours the candidate."""
    return macro_bootstrap([(candidate, baseline)], resamples=resamples, seed=seed, interval=interval)


def macro_bootstrap(
    collections: Sequence[tuple[ArrayLike, ArrayLike]],
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    interval: tuple[float, float] = INTERVAL,
) -> Difference:
    """Compare two systems by the mean over collections, queries drawn within each; ValueError where one has none."""
    generator = np.random.default_rng(seed)
    differences = [_difference(candidate, baseline) for candidate, baseline in collections]
    if not differences:
        raise ValueError("there is nothing to compare")
    draws = np.mean([_means(difference, resamples, generator) for difference in differences], axis=0)
    low, high = (float(bound) for bound in np.percentile(draws, interval))
    mean = float(np.mean([difference.mean() for difference in differences]))
    return Difference(mean, low, high, sum(len(difference) for difference in differences))


def _difference(candidate: ArrayLike, baseline: ArrayLike) -> NDArray[np.float64]:
    left, right = np.asarray(candidate, dtype=np.float64), np.asarray(baseline, dtype=np.float64)
    if left.shape != right.shape or left.ndim != 1 or not len(left):
        raise ValueError("both systems need the scores of the same queries, at least one")
    return left - right


def _means(values: NDArray[np.float64], resamples: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Give the mean of each resample, drawn block by block so that the table of draws stays small."""
    block = max(CELLS_AT_ONCE // len(values), 1)
    sizes = [min(block, resamples - done) for done in range(0, resamples, block)]
    return np.concatenate([values[generator.integers(len(values), size=(size, len(values)))].mean(1) for size in sizes])
