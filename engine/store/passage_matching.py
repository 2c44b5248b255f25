"""Pairs the passages that a document had with those that it has now, so that what stays keeps its id and its vector."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from typing import Generic, Protocol, TypeVar

from engine.lazy_dataclass import dataclass


class Hashed(Protocol):
    """A passage, as far as pairing asks: one that was read, or one on its way to a team's library."""

    @property
    def hash(self) -> bytes:
        """What tells it from others."""


Paired = TypeVar("Paired", bound=Hashed)


@dataclass(frozen=True, slots=True)
class Matching(Generic[Paired]):
    """The passages that stay, with their ids; those that are new; and the ids of those that are gone."""

    kept: tuple[tuple[int, Paired], ...]
    fresh: tuple[Paired, ...]
    gone: tuple[int, ...]


def match(old: Iterable[tuple[int, bytes]], new: Sequence[Paired]) -> Matching[Paired]:
    """Pair old passages, as (id, hash) in order of ordinal, with new ones of the same hash, first with first."""
    waiting: defaultdict[bytes, deque[int]] = defaultdict(deque)
    for passage_id, hash_ in old:
        waiting[hash_].append(passage_id)
    kept: list[tuple[int, Paired]] = []
    fresh: list[Paired] = []
    for passage in new:
        candidates = waiting.get(passage.hash)
        if candidates:
            kept.append((candidates.popleft(), passage))
        else:
            fresh.append(passage)
    gone = sorted(passage_id for candidates in waiting.values() for passage_id in candidates)
    return Matching(tuple(kept), tuple(fresh), tuple(gone))
