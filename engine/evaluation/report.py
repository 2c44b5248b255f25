"""Reports of an evaluation: the JSON of `carrel eval`, rows per query, and a plain table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from engine.evaluation.evaluator import CollectionResult, compare
from engine.evaluation.significance import Difference
from engine.figures import figure, interval, signed

FORMAT = 1  # of the JSON; keys may be added, none removed
MEASURES = ("ndcg_at_10", "mrr_at_10", "recall_at_10", "recall_at_100")
COLUMNS = (
    "collection",
    "documents",
    "passages",
    "queries",
    "NDCG@10",
    "MRR@10",
    "recall@10",
    "recall@100",
    "encode ms",
    "search ms",
)


@dataclass(frozen=True, slots=True)
class SystemResult:
    """One system (a model and a way of fusing) on all collections that it was judged on."""

    model: str
    fusion: str
    collections: tuple[CollectionResult, ...]
    settings: str = ""  # what differs from the fusion's own settings, in words

    @property
    def name(self) -> str:
        """The system in one line."""
        return ", ".join(part for part in (self.model, self.fusion, self.settings) if part)

    def macro(self, measure: str = "ndcg_at_10") -> float:
        """Give the mean of a measure over the collections, each counting the same."""
        return sum(result.mean(measure) for result in self.collections) / max(len(self.collections), 1)


def to_json(result: SystemResult, against: SystemResult | None = None) -> dict[str, Any]:
    """Give the object that `carrel eval --json` prints; a comparison adds the key `against`."""
    report = {"format": FORMAT, **_system(result)}
    if against is not None:
        report["against"] = {
            **_system(against),
            "difference": {
                "collections": [
                    {"name": left.name, "ndcg_at_10": _difference(compare([left], [right]))}
                    for left, right in zip(result.collections, against.collections, strict=True)
                ],
                "macro": {"ndcg_at_10": _difference(compare(result.collections, against.collections))},
            },
        }
    return report


def per_query_rows(result: SystemResult) -> Iterator[dict[str, str | float]]:
    """Yield one flat row for each collection and query, for `--per-query`."""
    for collection in result.collections:
        for row in collection.scores:
            yield {"collection": collection.name, **asdict(row)}


def to_table(result: SystemResult, against: SystemResult | None = None) -> str:
    """Give the report as plain text: a table, and with a comparison one line on each collection below it."""
    rows = [COLUMNS, *(_row(collection) for collection in result.collections)]
    if len(result.collections) > 1:
        macro = [figure(result.macro(measure), 4) for measure in MEASURES]
        rows.append(("mean", "", "", "", *macro, "", ""))
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    lines = [result.name, *(_aligned(row, widths) for row in rows), *_leaks(result)]
    if against is not None:
        lines += ["", f"against {against.name}: NDCG@10", *_comparison(result, against)]
    return "\n".join(lines)


def _system(result: SystemResult) -> dict[str, Any]:
    return {
        "model": result.model,
        "fusion": result.fusion,
        "settings": result.settings,
        "collections": [_collection(collection) for collection in result.collections],
        "macro": {measure: result.macro(measure) for measure in MEASURES},
    }


def _collection(result: CollectionResult) -> dict[str, Any]:
    return {
        "name": result.name,
        "documents": result.documents,
        "passages": result.passages,
        "queries": len(result.scores),
        **{measure: result.mean(measure) for measure in MEASURES},
        "encode_ms": _percentiles(result.encode_ms),
        "search_ms": _percentiles(result.search_ms),
        "index_seconds": result.index_seconds,
        "leakage": _leakage(result),
    }


def _leakage(result: CollectionResult) -> dict[str, Any] | None:
    """Give what the queries share with the train split, and NDCG with and without those that do."""
    if result.leakage is None:
        return None
    by_group = {
        "touched": result.mean_of(result.leakage.touched, "ndcg_at_10"),
        "clean": result.mean_of(result.leakage.clean, "ndcg_at_10"),
    }
    return {**result.leakage.counts(), "ndcg_at_10": by_group}


def _leaks(result: SystemResult) -> Iterator[str]:
    """Say of each collection whether a model that was trained on its train split would know these queries."""
    for collection in result.collections:
        leak = collection.leakage
        if leak is None or not leak.touched:
            continue
        touched = collection.mean_of(leak.touched, "ndcg_at_10") or 0.0
        clean = collection.mean_of(leak.clean, "ndcg_at_10")
        rest = f", {figure(clean, 4)} on the other {len(leak.clean)}" if clean is not None else ""
        yield (
            f"{collection.name}: {len(leak.touched)} of {len(leak.test)} queries share a relevant document with the"
            f" train split ({len(leak.shared_document)}) or nearly repeat one of its queries ({len(leak.near_copy)})."
            f" NDCG@10 {figure(touched, 4)} on them{rest}."
        )


def _percentiles(milliseconds: Sequence[float]) -> dict[str, float]:
    p50, p95 = np.percentile(milliseconds, (50, 95)) if milliseconds else (0.0, 0.0)
    return {"p50": float(p50), "p95": float(p95)}


def _difference(difference: Difference) -> dict[str, Any]:
    return {**asdict(difference), "significant": difference.significant}


def _row(result: CollectionResult) -> tuple[str, ...]:
    counts = (f"{count:,}" for count in (result.documents, result.passages, len(result.scores)))
    measures = (figure(result.mean(measure), 4) for measure in MEASURES)
    times = (f"{_percentiles(values)['p50']:.1f}" for values in (result.encode_ms, result.search_ms))
    return (result.name, *counts, *measures, *times)


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    name, *figures = row
    cells = [name.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(figures, widths[1:], strict=True))]
    return "  ".join(cells).rstrip()


def _comparison(result: SystemResult, against: SystemResult) -> Iterator[str]:
    pairs = list(zip(result.collections, against.collections, strict=True))
    for left, right in pairs:
        yield _sentence(left.name, compare([left], [right]))
    if len(pairs) > 1:
        yield _sentence("mean", compare(result.collections, against.collections))


def _sentence(name: str, difference: Difference) -> str:
    verdict = "significant" if difference.significant else "not significant"
    between = interval(difference.low, difference.high, 4)
    return f"{name}: {signed(difference.mean, 4)} (95 % {between}, {verdict})"
