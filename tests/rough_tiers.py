"""Fits tiers to each twelfth foreign query: near enough where no tier is asked for, in tests and in their processes.

A fit costs as many searches as there are foreign queries, some 700, and an indexer fits when all is embedded.
"""

from __future__ import annotations

from typing import Any

from engine.retrieval import tier_calibration

EACH = 12
whole = tier_calibration.calibrate


def calibrate(connection: Any, vectors: Any, background: float, texts: Any, queries: Any, *rest: Any) -> Any:
    """Fit the cuts as `tier_calibration.calibrate` does, to fewer queries."""
    return whole(connection, vectors, background, texts[::EACH], queries[::EACH], *rest)


def fit_roughly() -> None:
    """Have this whole process fit so: for a process that a test starts."""
    tier_calibration.calibrate = calibrate
