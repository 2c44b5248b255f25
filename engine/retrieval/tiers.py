"""How much to trust a result: a signal per query and per row, held against what foreign queries reach in this library.

The cuts are the median plus 3 and plus 1 scaled median absolute deviations of the same signal over queries on subjects
that the library most likely does not hold. So they need no labels, and move with the model and with the library. A row
must also come near the best row of its query: one far below it is seldom an answer, however far above chance it lies.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from engine.lazy_dataclass import dataclass
from engine.records import Tier, Verdict
from engine.store.stored_values import count, finite, json_object

COVERAGE_WEIGHT = 0.2  # of the words in the signal, beside the cosine
BEST_COUNT = 10  # cosines averaged for a query's signal
SMALL_LIBRARY = 50  # passages below which a fifth of them is averaged
COVERAGE_ROWS = 3  # first rows among which the best coverage counts
NORMAL_CONSISTENCY = 1.4826  # scales a median absolute deviation to a standard deviation of a normal distribution
STRONG_DEVIATIONS, MIDDLE_DEVIATIONS, LIKELY_DEVIATIONS = 3.0, 2.0, 1.0
# Of the best row's signal. Without them 12% of the rows called strong were relevant on SciFact's development queries,
# and rows called likely (2.4%) no oftener than weak ones (2.2%); with them 39%, 3.6% and .9%.
STRONG_SHARE, LIKELY_SHARE = 0.9, 0.7
MOST_WORDS = 0.75  # idf-weighted share of the words from which a row by words alone is called likely
LEAST_DEVIATION = 0.02  # of a signal: where most foreign queries reach the same, no cut may lie on that very value
HISTOGRAM_BINS = 40
CALIBRATED = "tiers"  # the name under which the cuts stand in the model's calibration


@dataclass(frozen=True, slots=True)
class Scale:
    """A signal's distribution over foreign queries: its median and its scaled median absolute deviation."""

    median: float
    deviation: float

    def at(self, deviations: float) -> float:
        """Return the signal that lies so many deviations above the median."""
        return self.median + deviations * self.deviation


@dataclass(frozen=True, slots=True)
class Cuts:
    """The scales that the tiers are read from, and the size of the library that they were fitted on.

    `query` is over query signals, `row` over the signals of all rows that foreign queries brought, `best` over the
    best row of each. `histogram` counts the row signals in equal bins from `low` to `high`, for a picture. `beside` is
    the best row signal of the query at hand, 0 where none is.
    """

    query: Scale
    row: Scale
    best: Scale
    passages: int
    low: float = 0.0
    high: float = 1.0
    histogram: tuple[int, ...] = ()
    beside: float = 0.0

    def of_query(self, best_row: float) -> Cuts:
        """Return the cuts for the rows of a query whose best row has this signal."""
        return replace(self, beside=best_row)

    @property
    def row_strong(self) -> float:
        """The row signal from which a row is strong."""
        return max(self.row.at(STRONG_DEVIATIONS), STRONG_SHARE * self.beside)

    @property
    def row_likely(self) -> float:
        """The row signal from which a row is likely."""
        return max(self.row.at(LIKELY_DEVIATIONS), LIKELY_SHARE * self.beside)

    def to_json(self) -> str:
        """Return the cuts as a JSON object."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, written: object) -> Cuts | None:
        """Read what `to_json` wrote; None for what it did not write."""
        record = json_object(written) or {}
        try:
            query, row, best = (Scale(**record.pop(name)) for name in ("query", "row", "best"))
            cuts = cls(query, row, best, histogram=tuple(record.pop("histogram")), **record)
        except (KeyError, TypeError):
            return None
        scales = ((each.median, each.deviation) for each in (query, row, best))
        figures = (*chain.from_iterable(scales), cuts.low, cuts.high, cuts.beside)
        whole = all(count(each) is not None for each in (cuts.passages, *cuts.histogram))
        return cuts if whole and all(finite(each) is not None for each in figures) else None


def unfitted(background: float) -> Cuts:
    """Return cautious cuts for a library whose own were not fitted yet.

    They stand in for a fit until the first sync has ended.
    """
    span = 1.0 - background
    typical = Scale(background + 0.20 * span, 0.08 * span)
    return Cuts(typical, typical, typical, passages=0)


def best_count(passages: int, embedded: float = 1.0) -> int:
    """Return how many of the best cosines are averaged in a library of so many passages.

    Where only a share of them is `embedded`, so is about that share of the best, and the others would drag it down.
    """
    whole = BEST_COUNT if passages >= SMALL_LIBRARY else max(1, passages // 5)
    return max(1, round(whole * embedded))


def query_signal(
    best_cosines: NDArray[np.float32], coverages: Sequence[float], passages: int, embedded: float = 1.0
) -> float:
    """Return a query's signal: the mean of its best cosines + .2 x the best coverage among its first three rows."""
    considered = best_cosines[: best_count(passages, embedded)]
    mean = float(considered.mean()) if len(considered) else 0.0
    return mean + COVERAGE_WEIGHT * max(coverages[:COVERAGE_ROWS], default=0.0)


def row_signal(cosine: float, coverage: float) -> float:
    """Return a row's signal: its cosine + .2 x the idf-weighted share of the query's words that stand in it."""
    return (0.0 if np.isnan(cosine) else cosine) + COVERAGE_WEIGHT * coverage


def fit(query_signals: Sequence[float], row_signals: Sequence[Sequence[float]], passages: int) -> Cuts:
    """Fit the cuts to the signals of foreign queries, and to those of the rows that each brought."""
    rows = [signal for brought in row_signals for signal in brought]
    counts, edges = np.histogram(np.asarray(rows), bins=HISTOGRAM_BINS)
    return Cuts(
        query=_scale(query_signals),
        row=_scale(rows),
        best=_scale([max(brought) for brought in row_signals if brought]),
        passages=passages,
        low=float(edges[0]),
        high=float(edges[-1]),
        histogram=tuple(counts.tolist()),
    )


def _scale(signals: Sequence[float]) -> Scale:
    values = np.asarray(signals, np.float64)
    median = float(np.median(values))
    deviation = NORMAL_CONSISTENCY * float(np.median(np.abs(values - median)))
    return Scale(median, max(deviation, LEAST_DEVIATION))


def verdict(signal: float, best_row: float, cuts: Cuts) -> Verdict:
    """Judge a query by its signal, in deviations: 3 is strong, 2 likely, 1 weak, less is none.

    A single note may be all there is on a subject, and then the mean of ten cosines is low: so a best row far above
    what foreign queries ever bring makes the verdict likely at least.
    """
    if signal >= cuts.query.at(STRONG_DEVIATIONS):
        return "strong"
    if signal >= cuts.query.at(MIDDLE_DEVIATIONS) or best_row >= cuts.best.at(STRONG_DEVIATIONS):
        return "likely"
    return "weak" if signal >= cuts.query.at(LIKELY_DEVIATIONS) else "none"


def tier(signal: float, cuts: Cuts) -> Tier:
    """Judge a row."""
    if signal >= cuts.row_strong:
        return "strong"
    return "likely" if signal >= cuts.row_likely else "weak"


def tier_by_words(coverage: float) -> Tier:
    """Judge a row of a search by words alone, where nothing is known of meaning: never strong."""
    return "likely" if coverage >= MOST_WORDS else "weak"
