"""How many examples a property is tried on: the same ones in each run, or many more by chance when asked for."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

ASKED = "CARREL_EXAMPLES"
TIMES = int(os.environ.get(ASKED) or 0)
"""How many times the usual number of examples, drawn by chance; 0 for the usual ones, which never change."""
USUAL = 150


def examples(usual: int) -> int:
    """Return on how many examples to try a property that is tried on `usual` ones in an ordinary run."""
    return usual * max(TIMES, 1)


def load_profile() -> None:
    """Choose the examples of this run. No limit is on the time of one: a busy machine would fail by chance."""
    settings.register_profile(
        "carrel",
        max_examples=examples(USUAL),
        derandomize=not TIMES,
        database=None,
        deadline=None,
        print_blob=bool(TIMES),
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("carrel")
