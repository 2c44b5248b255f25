"""When files changed, as far as a library can keep it."""

from __future__ import annotations

EARLIEST_NS, LATEST_NS = -(2**63) + 1, 2**63 - 1  # SQLite's integers: the years 1677 to 2262; one less is recorded too


def kept_ns(nanoseconds: int) -> int:
    """Return a moment in nanoseconds; of one that no library could hold, as broken archives leave, the nearest.

    Whoever compares a file with what is known of it asks through this.
    """
    return max(EARLIEST_NS, min(nanoseconds, LATEST_NS))
