"""Numbers the states of a team's library that this process has seen, so that caches know what they were read from.

A folder's changes follow one another under a lock, so its version alone says what was committed before what. A state of
the library is the versions of all folders that the person sees; the numbers given to states here are this process's.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.team.snapshot import Snapshot

State = tuple[tuple[int, int, int], ...]
KEPT_STATES = 1_000  # whoever is asked for an older one has everything read anew


class ChangeNumbers:
    """Gives each state a number, a later one a greater. Safe to use from several threads."""

    def __init__(self) -> None:
        self._numbers: OrderedDict[State, int] = OrderedDict()
        self._states: dict[int, State] = {}
        self._lock = threading.Lock()
        self._last = 0

    def of(self, state: State) -> int:
        """Return the number of a state."""
        with self._lock:
            if state not in self._numbers:
                self._last += 1
                self._numbers[state] = self._last
                self._states[self._last] = state
                if len(self._numbers) > KEPT_STATES:
                    _, oldest = self._numbers.popitem(last=False)
                    del self._states[oldest]
            return self._numbers[state]

    def reaches(self, number: int, snapshot: Snapshot) -> bool:
        """Tell whether all that changed between the state of this number and a snapshot is still known."""
        before = self._state(number)
        if before is None or before.keys() != {each.folder for each in snapshot.folders}:
            return False
        return all(before[each.folder] >= each.forgotten for each in snapshot.folders)

    def replaced(self, number: int, snapshot: Snapshot) -> set[int]:
        """Return the passages that went, or hold other text, since the state of this number."""
        before = self._state(number) or {}
        changed = [each for each in snapshot.folders if each.version != before.get(each.folder, each.version)]
        if not changed:
            return set()
        rows = snapshot.rows(
            """SELECT DISTINCT c.passage_id FROM unnest(%s::integer[], %s::bigint[]) AS w(folder, version)
            JOIN change c ON c.folder_id = w.folder AND c.version > w.version""",
            ([each.folder for each in changed], [before[each.folder] for each in changed]),
        )
        return {each for (each,) in rows}

    def _state(self, number: int) -> dict[int, int] | None:
        with self._lock:
            state = self._states.get(number)
        return None if state is None else {folder: version for folder, version, _ in state if folder}
