"""From ranked passages to the rows of a list: one a document, near-duplicates under their best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.records import SearchSettings
from engine.retrieval.candidates import Candidates


@dataclass(frozen=True, slots=True)
class Row:
    """One row to come, all fields as positions in the candidates: its passage, and what stands under it."""

    passage: int
    more: tuple[int, ...]
    duplicates: tuple[int, ...]


def rows(candidates: Candidates, order: NDArray[np.int64], settings: SearchSettings, limit: int) -> list[Row]:
    """Take rows from the ranked candidates until `limit` is filled or the candidates are used up."""
    leaders: list[int] = []
    more: dict[int, list[int]] = {}
    duplicates: dict[int, list[int]] = {}
    leader_of: dict[int, int | None] = {}
    for position in order.tolist():
        document = int(candidates.documents[position])
        if settings.group and document in leader_of:
            leader = leader_of[document]
            if leader is not None:
                more[leader].append(position)
            continue
        twin = _twin(candidates, leaders, position, settings.collapse)
        if twin is not None:
            duplicates[twin].append(position)
            leader_of[document] = None
            continue
        if len(leaders) == limit:
            continue
        leaders.append(position)
        leader_of[document] = position
        more[position], duplicates[position] = [], []
    return [Row(leader, tuple(more[leader]), tuple(duplicates[leader])) for leader in leaders]


def _twin(candidates: Candidates, leaders: list[int], position: int, threshold: float | None) -> int | None:
    """Return the first listed passage of another document that says nearly the same, if any."""
    if threshold is None or not leaders or np.isnan(candidates.cosine[position]):
        return None
    likeness = candidates.vectors[leaders] @ candidates.vectors[position]
    alike = np.flatnonzero(likeness >= threshold)
    for index in alike.tolist():
        if candidates.documents[leaders[index]] != candidates.documents[position]:
            return leaders[index]
    return None
