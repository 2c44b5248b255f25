"""Which seams to cut: the cheapest way from the start of a document to its end, found by dynamic programming.

A passage costs the square of its distance from the target, so that a long section falls into pieces of equal size and
not into full ones and a rest. The time is linear in the seams, since a passage spans a bounded number of them.
"""

from __future__ import annotations

from itertools import pairwise

from engine.chunking.split_points import Seams

AIM = 0.9  # of the target, since the price of seams favours fewer of them: the mean then comes out at the target
TINY_SHARE = 4  # below a quarter of the target a passage is too short to say what it is about ...
TINY_COST = 2.0  # ... and joins a neighbour, even of another section


def partition(seams: Seams, target: int, maximum: int) -> list[int]:
    """Give the indexes of the seams to cut at, the first and the last seam included.

    Passages hold at most `maximum` tokens, except where two neighbouring seams are further apart than that.
    """
    tokens, seam_costs = seams.tokens, seams.costs
    largest = max((right - left for left, right in pairwise(tokens)), default=0)
    prices = [_price(size, target) for size in range(max(maximum, largest) + 1)]
    count = len(seams.positions)
    came_from = [0] * count
    entry = [0.0] * count  # the cheapest way to each seam, less all crossings up to it
    crossed = 0.0  # the crossings of all seams before the one looked at, summed
    low = 0
    for end in range(1, count):
        here = tokens[end]
        while here - tokens[low] > maximum and low < end - 1:
            low += 1
        costs = [entry[start] + prices[here - tokens[start]] for start in range(low, end)]
        best = min(costs)
        came_from[end] = low + costs.index(best)
        cheapest = best + crossed + seam_costs[end]
        crossed += seams.crossings[end]
        entry[end] = cheapest - crossed
    return _walk_back(came_from)


def _price(tokens: int, target: int) -> float:
    distance = tokens / (AIM * target) - 1
    return distance * distance + (TINY_COST if tokens * TINY_SHARE < target else 0.0)


def _walk_back(came_from: list[int]) -> list[int]:
    """Follow the way from the last seam back to the first."""
    cuts = [len(came_from) - 1]
    while cuts[-1]:
        cuts.append(came_from[cuts[-1]])
    cuts.reverse()
    return cuts
