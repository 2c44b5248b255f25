"""Median, 95th percentile and worst of what was measured, and the limits that such figures are held against."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return how many values there are (`n`), and, where there are any, their p50, p95 (interpolated) and max."""
    if not values:
        return {"n": 0}
    p95 = statistics.quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]
    return {"n": len(values), "p50": statistics.median(values), "p95": p95, "max": max(values)}


def against(found: Mapping[str, float], limits: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Return for each figure that has a limit both of them and their ratio: above 1 the limit is missed."""
    return {
        name: {"found": found[name], "at_most": most, "ratio": found[name] / most}
        for name, most in limits.items()
        if name in found
    }


def limit_lines(held: Mapping[str, Mapping[str, Any]], unit: str = "") -> list[str]:
    """Return a line for each limit as a person reads it; a name without a `unit` tells its own."""
    return [
        f"{name.replace('_', ' ')}: {each['found']:.3g} of at most {each['at_most']:g} {unit}".rstrip()
        + f", {each['ratio']:.2f} of the limit"
        for name, each in held.items()
    ]
