"""Splits queries into train, development and test; queries that share something form a group and stay together.

Two queries belong together where the same document answers both, where their vectors lie within a cosine of .8, or
where the same link leads to both. Random splits would let a model be judged on what it has learnt by heart.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.known_queries import KnownQuery

NEAR_COSINE = 0.8
TEST_SHARE, TEST_MOST, DEVELOPMENT_SHARE = 0.25, 0.4, 0.15
WHOLE_TEST = 200  # queries from which the gate judges
GREATEST_GROUP = 0.34  # of the queries: a group above it leaves nothing to hold out
HUBS = (None, 64, 32, 16, 8, 4, 2, 1)  # a document that answers more queries ties none together; None: all tie
BLOCK = 512


@dataclass(frozen=True, slots=True)
class Splits:
    """For each query its group and its split; `hub` as in HUBS; `shared` test queries share a document with train."""

    group: tuple[int, ...]
    train: tuple[int, ...]
    development: tuple[int, ...]
    test: tuple[int, ...]
    hub: int | None
    shared: tuple[int, ...]

    @property
    def groups(self) -> int:
        """How many groups there are."""
        return len(set(self.group))


def split(queries: Sequence[KnownQuery], vectors: NDArray[np.float32], seed: int) -> Splits:
    """Split queries by group, the same way each time; `vectors` (n, dimension) are of unit length.

    Where common documents tie nearly all queries into one group, as in collections with dozens of answers a query,
    the most common stop counting until groups can be held out; what is shared nevertheless is reported. Queries without
    a known answer can judge nothing, so a group of such queries alone is learnt from.
    """
    near = _near(vectors)
    group, hub = _grouped(queries, near)
    groups = order(queries, group, seed)
    sizes = Counter(each for each, query in zip(group, queries, strict=True) if query.relevant)
    groups = [each for each in groups if sizes[each]]
    known = sum(sizes.values())
    test = _filled(groups, sizes, held_out(known))
    development = _filled([each for each in groups if each not in test], sizes, DEVELOPMENT_SHARE * known)
    of = dict.fromkeys(test, "test") | dict.fromkeys(development, "development")
    named: defaultdict[str, list[int]] = defaultdict(list)
    for index, each in enumerate(group):
        named[of.get(each, "train")].append(index)
    taught = {document for index in (*named["train"], *named["development"]) for document in queries[index].relevant}
    shared = tuple(index for index in named["test"] if taught.intersection(queries[index].relevant))
    return Splits(tuple(group), tuple(named["train"]), tuple(named["development"]), tuple(named["test"]), hub, shared)


def held_out(known: int) -> float:
    """Return how many of so many queries with known answers are to be held out for the test, as far as groups allow."""
    return max(TEST_SHARE * known, min(WHOLE_TEST, TEST_MOST * known))


def _grouped(queries: Sequence[KnownQuery], near: Sequence[tuple[int, int]]) -> tuple[list[int], int | None]:
    """Group at the strictest rule under which no group is too great; else at the loosest."""
    group: list[int] = []
    hub: int | None = None
    for hub in HUBS:
        group = _connected(queries, near, hub)
        if max(Counter(group).values(), default=0) <= max(GREATEST_GROUP * len(queries), 1):
            break
    return group, hub


def _connected(queries: Sequence[KnownQuery], near: Sequence[tuple[int, int]], hub: int | None) -> list[int]:
    parent = list(range(len(queries)))

    def root(each: int) -> int:
        while parent[each] != each:
            parent[each] = parent[parent[each]]
            each = parent[each]
        return each

    answered: defaultdict[Hashable, list[int]] = defaultdict(list)
    for index, query in enumerate(queries):
        for document in query.relevant:
            answered[document].append(index)
        answered[("text", query.text.casefold())].append(index)
    for key, holders in answered.items():
        if hub is None or len(holders) <= hub or isinstance(key, tuple):
            for each in holders[1:]:
                parent[root(each)] = root(holders[0])
    for one, other in near:
        parent[root(one)] = root(other)
    return [root(each) for each in range(len(queries))]


def _near(vectors: NDArray[np.float32]) -> list[tuple[int, int]]:
    pairs = []
    for start in range(0, len(vectors), BLOCK):
        ones, others = np.nonzero(vectors[start : start + BLOCK] @ vectors.T > NEAR_COSINE)
        pairs += [
            (int(one) + start, int(other)) for one, other in zip(ones, others, strict=True) if one + start < other
        ]
    return pairs


def order(queries: Sequence[KnownQuery], group: Sequence[int], seed: int) -> list[int]:
    """Order the groups by chance that hangs on their first text alone, so that a new query moves few old ones."""
    first: dict[int, str] = {}
    for index, each in enumerate(group):
        first[each] = min(first.get(each, queries[index].text), queries[index].text)
    return sorted(first, key=lambda each: hashlib.sha256(f"{seed} {first[each]}".encode()).digest())


def _filled(order: Sequence[int], sizes: Counter[int], wanted: float) -> set[int]:
    taken: set[int] = set()
    total = 0
    for each in order:
        size = sizes[each]
        if total + size <= wanted + 1:
            taken.add(each)
            total += size
    return taken
