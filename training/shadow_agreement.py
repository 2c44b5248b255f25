"""How far two models agree on the searches of one library: by all searches, by stream, and by slice.

Kappa and rank-biased overlap come first. Raw agreement is given as a curve over the threshold, with the cut of the
model in use carried over and the candidate's own: the share alone says nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import compress
from typing import TYPE_CHECKING

from engine.lazy_dataclass import dataclass
from training.blind_review import length_slice, question

if TYPE_CHECKING:
    from engine.evaluation.model_agreement import Floats, ThresholdCurve
    from engine.records import ShadowSearch

MOST_FOLDERS = 5  # slices by folder, of the most searches: a table that is read at a glance
P95 = 95.0


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two models agree on some searches; None where nothing can be told.

    `kappa` is Cohen's, at the candidate's fitted cut, and `agreement` the share of pairs there. `overlap` is that of
    the first ten rows, `same_first` the share of searches with the same first row, `same_verdict` that of searches
    with the same verdict.
    """

    searches: int
    pairs: int
    kappa: float | None
    rbo: float | None
    overlap: float | None
    same_first: float | None
    same_verdict: float | None
    pearson: float | None
    spearman: float | None
    agreement: float | None


@dataclass(frozen=True, slots=True)
class Speed:
    """What a search took, in milliseconds."""

    median: float
    p95: float


@dataclass(frozen=True, slots=True)
class AgreementReport:
    """The agreement of all searches, of each stream and slice, the curve, the tiers of all pairs, and the times.

    `confusion` counts pairs: a row for each tier of the model in use, a column for each of the candidate's.
    """

    overall: Agreement
    streams: tuple[tuple[str, Agreement], ...]
    slices: tuple[tuple[str, Agreement], ...]
    curve: ThresholdCurve | None
    confusion: tuple[tuple[int, ...], ...]
    speed_a: Speed | None
    speed_b: Speed | None
    queries: int  # different questions


def report(searches: Sequence[ShadowSearch], reference: float) -> AgreementReport:
    """Return what searches say, whose pairs are filled; `reference` is the cut of the model in use, 0: not known."""
    from engine.evaluation.model_agreement import confusion, threshold_curve

    pairs = [pair for search in searches for pair in search.pairs]
    cosines = [pair.cosine_a for pair in pairs], [pair.cosine_b for pair in pairs]
    curve = threshold_curve(*cosines, reference) if reference else None
    seen = _Seen(searches, curve)
    return AgreementReport(
        overall=seen.of([True] * len(searches)),
        streams=tuple((name, seen.of([each.stream == name for each in searches])) for name in _streams(searches)),
        slices=tuple((name, seen.of(held)) for name, held in _slices(searches).items() if any(held)),
        curve=curve,
        confusion=confusion([pair.tier_a for pair in pairs], [pair.tier_b for pair in pairs]),
        speed_a=speed([search.ms_a for search in searches]),
        speed_b=speed([search.ms_b for search in searches]),
        queries=len(set(map(question, searches))),
    )


def _streams(searches: Sequence[ShadowSearch]) -> list[str]:
    return sorted({each.stream for each in searches}, key=("live", "replay", "held-out").index)


def _slices(searches: Sequence[ShadowSearch]) -> dict[str, list[bool]]:
    """Return which searches each slice holds: by length, with a name written as in code, by folder of the first row."""
    lengths = [length_slice(each.words) for each in searches]
    folders = Counter(each.folder for each in searches if each.folder).most_common(MOST_FOLDERS)
    held = {name: [each == name for each in lengths] for name in map(length_slice, (1, 4, 11))}
    held["identifiers"] = [each.identifier for each in searches]
    return held | {name: [each.folder == name for each in searches] for name, _ in folders}


class _Seen:
    """The searches, each with what its two lists share, and the columns of their pairs, each made once."""

    def __init__(self, searches: Sequence[ShadowSearch], curve: ThresholdCurve | None) -> None:
        import numpy as np

        from engine.evaluation.rank_agreement import overlap, rank_biased_overlap

        self._searches = searches
        self._curve = curve
        self._rbo = [rank_biased_overlap(each.top_a, each.top_b) for each in searches]
        self._overlap = [overlap(each.top_a, each.top_b) for each in searches]
        lengths = [len(each.pairs) for each in searches]
        self._home = np.repeat(np.arange(len(searches)), lengths)
        self._a: Floats = np.array([pair.cosine_a for each in searches for pair in each.pairs], np.float64)
        self._b: Floats = np.array([pair.cosine_b for each in searches for pair in each.pairs], np.float64)

    def of(self, held: Sequence[bool]) -> Agreement:
        """Return the agreement of the searches that a slice holds."""
        import numpy as np

        from engine.evaluation.model_agreement import correlation, paired

        inside = np.array(held, bool)[self._home] if len(self._home) else np.zeros(0, bool)
        first, second = paired(self._a[inside], self._b[inside])
        together, cut = correlation(first, second), self._at_cut(first, second)
        mine = list(compress(self._searches, held))
        return Agreement(
            searches=len(mine),
            pairs=len(first),
            kappa=cut[0] if cut else None,
            rbo=_mean(list(compress(self._rbo, held))),
            overlap=_mean(list(compress(self._overlap, held))),
            same_first=_mean([each.top_a[:1] == each.top_b[:1] for each in mine]),
            same_verdict=_mean([each.verdict_a == each.verdict_b for each in mine]),
            pearson=together.pearson,
            spearman=together.spearman,
            agreement=cut[1] if cut else None,
        )

    def _at_cut(self, first: Floats, second: Floats) -> tuple[float, float] | None:
        """Return kappa and share of agreement of pairs at the cuts that all pairs gave."""
        from engine.evaluation.model_agreement import kappa

        if self._curve is None or not len(first):
            return None
        counted, above = first >= self._curve.reference, second >= self._curve.fitted.cut
        table = [[int((x & y).sum()) for y in (above, ~above)] for x in (counted, ~counted)]
        return kappa(table), (table[0][0] + table[1][1]) / len(first)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def speed(milliseconds: Sequence[float]) -> Speed | None:
    """Return the median and the 95th percentile of times; None of none."""
    import numpy as np

    if not milliseconds:
        return None
    median, p95 = np.percentile(milliseconds, (50.0, P95))
    return Speed(float(median), float(p95))
