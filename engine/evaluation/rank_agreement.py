"""How far two rankings of the same search agree: what they share, and how much of it stands high in both.

Pure: a ranking is a sequence of ids, best first and each at most once.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

OVERLAP_DEPTH = 10
PERSISTENCE = 0.9  # a reader goes on to the next row in nine cases of ten; the first ten then weigh 86 %


def overlap(first: Sequence[Hashable], second: Sequence[Hashable], depth: int = OVERLAP_DEPTH) -> float:
    """Return the share of the first `depth` rows that both rankings have, of the longer one where both are shorter."""
    left, right = set(first[:depth]), set(second[:depth])
    longest = max(len(left), len(right))
    return len(left & right) / longest if longest else 1.0


def rank_biased_overlap(
    first: Sequence[Hashable], second: Sequence[Hashable], persistence: float = PERSISTENCE
) -> float:
    """Return the extrapolated rank-biased overlap of two rankings, 0 to 1; two empty ones agree.

    Webber, Moffat and Zobel, A similarity measure for indefinite rankings, TOIS 28(4), 2010, equation 32: what the
    known rows agree in is taken to go on behind them. The rankings may have different lengths.
    """
    short, long = sorted((first, second), key=len)
    if not short:
        return 1.0 if not long else 0.0
    shared, total, at_end_of_short = 0, 0.0, 0
    seen_short: set[Hashable] = set()
    seen_long: set[Hashable] = set()
    for depth, row in enumerate(long, 1):
        seen_long.add(row)
        shared += row in seen_short
        if depth <= len(short):
            other = short[depth - 1]
            seen_short.add(other)
            shared += other in seen_long
            at_end_of_short = shared
        known = shared / depth
        if depth > len(short):  # what the shorter one would go on to share
            known += at_end_of_short * (depth - len(short)) / (len(short) * depth)
        total += known * persistence**depth
    tail = (shared - at_end_of_short) / len(long) + at_end_of_short / len(short)
    return (1 - persistence) / persistence * total + tail * persistence ** len(long)
