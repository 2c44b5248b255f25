"""Looks up terms in a sorted list: a word that grows asks with each key for all that begin like it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence


def beginning_with(letters: str, ordered: Sequence[str]) -> Iterator[str]:
    """Yield the terms of a sorted list that begin with these letters, in their order."""
    for at in range(bisect_left(ordered, letters), len(ordered)):
        if not ordered[at].startswith(letters):
            return
        yield ordered[at]
