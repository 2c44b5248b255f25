"""Pools for judging: what every method finds for a question, shuffled, so that no method's order can be seen in it.

A pool judged whole is fair to all methods that fed it (Spärck Jones and van Rijsbergen, 1975). Memory does not feed it:
it would bring back what was judged before.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.records import Fusion, SearchSettings, StoredPassage

if TYPE_CHECKING:
    from engine.library import Library

METHODS: tuple[Fusion, ...] = ("convex", "rrf", "vector", "keyword")
DEPTH = 10  # rows of each method
SEED = 42


def pool(library: Library, query: str, depth: int = DEPTH, seed: int = SEED) -> tuple[StoredPassage, ...]:
    """Return the passages among the first `depth` rows of any method, each once, in an order drawn from the seed.

    The order depends on the seed and the query alone, so that a judging that was broken off goes on as it began.
    Raises QueryError.
    """
    settings = SearchSettings(memory=False)
    found = {
        hit.passage_id
        for method in METHODS
        for hit in library.search(query, limit=depth, settings=replace(settings, fusion=method)).hits
    }
    passages = list(library.passages(sorted(found)))
    passages.sort(key=lambda passage: (passage.path, passage.ordinal))
    drawn = hashlib.blake2b(f"{seed}\0{query}".encode()).digest()
    random.Random(drawn).shuffle(passages)
    return tuple(passages)
