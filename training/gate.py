"""The gate: it decides from scores alone whether a candidate may be taken into use.

Each time that it judges by the same queries it asks for more, since many tries find luck: alpha halves with every
reuse, and queries that it has not seen restore it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from engine.atomic_files import exclusive, replace_file
from engine.evaluation.significance import Difference, paired_bootstrap
from engine.figures import decimal, interval, signed
from training.known_queries import KnownQuery
from training.protocol import Judged, Measure

ALPHA = 0.05
LEAST_ALPHA = 0.001  # below it, ten thousand draws cannot tell
SPREAD = 0.06  # of the difference of two models in NDCG@10, query by query; measured on SciFact and NFCorpus
DEVIATIONS = 2.6  # from which 0 lies outside the interval in three runs of four: 1.96 + .67
NEEDED = 200  # queries, which see gains of .011
WORST_PROBE = -0.01  # of NDCG@10 on general questions

Series = tuple[Sequence[float], Sequence[float]]
"""What candidate and base reached on each query, in the same order."""


def smallest_gain(queries: int) -> float:
    """Return the least gain in NDCG@10 that so many held-out queries can tell from 0."""
    return DEVIATIONS * SPREAD / math.sqrt(queries) if queries else 1.0


def alpha_of(uses: Sequence[int]) -> float:
    """Return the level at which to judge by queries that were used so often before: it halves with the median use."""
    return max(ALPHA / 2 ** int(median(uses)) if uses else ALPHA, LEAST_ALPHA)


def verdict(
    hybrid: Series,
    remembered: Series,
    probe: Series,
    others: Mapping[str, Series],
    alpha: float,
    *,
    unchanged: bool = False,
) -> Judged:
    """Judge a candidate.

    `hybrid` and `remembered` are NDCG@10 on the test queries with memory off and on, `probe` that of the general
    questions, `others` further measures by name for the table. `unchanged`: nothing beat the base in development.
    """
    count = len(remembered[0])
    if unchanged:
        return _judged("no gain", count, alpha, UNCHANGED, _ADVICE, ())
    differences = {
        "NDCG@10, memory on": (remembered, alpha),
        "NDCG@10": (hybrid, alpha),
        "general questions": (probe, ALPHA),
        **{name: (series, alpha) for name, series in others.items()},
    }
    found = {name: difference(*each) for name, each in differences.items() if len(each[0][0])}
    measures = tuple(_measure(name, differences[name][0], each) for name, each in found.items())
    beyond, general = found.get("NDCG@10, memory on"), found.get("general questions")
    name, reason, advice = _reasoned(beyond, general, count)
    return _judged(name, count, alpha, reason, advice, measures)


def unchanged(count: int, alpha: float, reason: str) -> Judged:
    """Judge a candidate that is what is in use, which many queries call no gain and few say nothing of."""
    if count >= NEEDED:
        return _judged("no gain", count, alpha, reason, _ADVICE, ())
    name, few, advice = _reasoned(None, None, count)
    return _judged(name, count, alpha, f"{reason} {few}", advice, ())


def difference(series: Series, alpha: float) -> Difference:
    """Compare candidate and base by the paired bootstrap, with the interval of a level."""
    return paired_bootstrap(*series, interval=(50 * alpha, 100 - 50 * alpha))


UNCHANGED = "No mixture of the tuned model with the base was better on the development queries; the test was not used."
_ADVICE = (
    "Marks on results (+ and -) count at once, without training.",
    "Judged questions of your own teach most: `carrel judge`, or a file with --judged.",
)


def _judged(
    verdict: str, queries: int, alpha: float, reason: str, advice: tuple[str, ...], measures: tuple[Measure, ...]
) -> Judged:
    return Judged(
        verdict=verdict,
        queries=queries,
        alpha=alpha,
        smallest_gain=smallest_gain(queries),
        reason=reason,
        advice=advice,
        measures=measures,
    )


def _reasoned(beyond: Difference | None, general: Difference | None, count: int) -> tuple[str, str, tuple[str, ...]]:
    if not count:
        reason = "No judged questions were held out, so nothing tells whether it finds more."
        return "cannot judge", reason, (f"{NEEDED} judged questions would settle it.", *_ADVICE)
    if beyond is None or count < NEEDED:
        reason = (
            f"{count} held-out queries are too few to tell: only a gain above {decimal(smallest_gain(count))} would "
            f"have shown, and {NEEDED} are needed to be sure."
        )
        return "cannot judge", reason, (f"{NEEDED - count} more judged questions would settle it.", *_ADVICE)
    gain = f"{signed(beyond.mean, 4)} NDCG@10 beyond memory, interval {interval(beyond.low, beyond.high, 4)}"
    if beyond.high < 0:
        return "worse", f"It is worse on held-out queries: {gain}.", _ADVICE
    if beyond.low <= 0:
        return "no gain", f"No gain was found on held-out queries: {gain}.", _ADVICE
    if general is not None and general.low < WORST_PROBE:
        reason = (
            f"It gained on your questions ({gain}), and may have lost on general ones: {signed(general.mean, 4)}, "
            f"interval {interval(general.low, general.high, 4)}, where {signed(WORST_PROBE, 2)} is allowed."
        )
        return "no gain", reason, ("A smaller budget, or the adapter, changes less.", *_ADVICE)
    return "gain", f"It is better on held-out queries: {gain}.", ()


def _measure(name: str, series: Series, found: Difference) -> Measure:
    candidate, base = (sum(each) / len(each) for each in series)
    return Measure(name=name, base=base, candidate=candidate, low=found.low, high=found.high)


class Ledger:
    """How often the gate has judged by each query of a library; kept in a file, queries by their hash only."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def uses(self, queries: Sequence[KnownQuery], run: str) -> list[int]:
        """Return how often each query was used before; a run that was counted already has them counted once less."""
        counted = self._read()
        if run in self._written().get("runs", []):
            counted = Counter({key: number - 1 for key, number in counted.items()})
        return [counted[_key(query)] for query in queries]

    def use(self, queries: Sequence[KnownQuery], run: str) -> list[int]:
        """Count one use of each query, once for a run however often it is resumed, and return the uses before it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with exclusive(self._path.parent):
            before = self.uses(queries, run)
            written = self._written()
            if run in written.get("runs", []):
                return before
            counted = self._read()
            counted.update(_key(query) for query in queries)
            replace_file(self._path, json.dumps({"runs": [*written.get("runs", []), run], "uses": dict(counted)}))
        return before

    def _written(self) -> dict[str, list[str]]:
        try:
            found = json.loads(self._path.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _read(self) -> Counter[str]:
        return Counter(self._written().get("uses", {}))


def _key(query: KnownQuery) -> str:
    return hashlib.blake2b(query.text.casefold().encode("utf-8", "replace"), digest_size=8).hexdigest()
