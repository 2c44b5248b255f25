"""Keeps the paths that something happened to, until the file system is quiet for a moment.

An event is a hint, never a fact: the path is looked at again when its turn comes.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Iterable

QUIET_SECONDS = 0.1  # of a saved note; an editor writes it in up to three bursts, milliseconds apart
LONG_QUIET_SECONDS = 0.5  # where more is likely to come: the other half of a move, the next line of a log
AGAIN_SECONDS = 1.0  # a path that is heard of so soon after it was looked at is being written on
LONGEST_SECONDS = 5.0  # a file that is written all the time is looked at this often
MOST = 1000  # paths to look at: above, walking the folders that they lie in is cheaper than looking at each
KEPT = 10 * MOST  # hints: above, they are folded as they come, so that a burst of any size takes little memory


class Hints:
    """A set of paths with a debounce, short for what was saved once. Any thread may add; one takes."""

    def __init__(self, wake: Callable[[], None] = lambda: None, clock: Callable[[], float] = time.monotonic) -> None:
        self._wake = wake
        self._clock = clock
        self._lock = threading.Lock()
        self._paths: set[bytes] = set()
        self._linked: set[int] = set()
        self._passing: set[bytes] = set()  # paths of which the first thing heard is that they came
        self._taken: dict[bytes, float] = {}
        self._first = self._last = 0.0
        self._quiet: float | None = None  # how long is to be waited; None where that is still to be found out

    def add(self, paths: Iterable[bytes], linked: Iterable[int] = (), arrived: Iterable[bytes] = ()) -> None:
        """Note that something happened to these absolute paths; `linked` are the inodes of those with other names.

        `arrived` are those of the paths that were not there before.
        """
        with self._lock:
            now = self._clock()
            if not self._paths:
                self._first = now
            self._passing.update(set(arrived) - self._paths)
            self._paths.update(paths)
            self._quiet = None
            self._linked.update(linked)
            if len(self._paths) > KEPT:
                self._paths = set(folded(self._paths, MOST))
            self._last = now
        self._wake()

    def due_in(self) -> float | None:
        """Return the seconds until the hints are due, 0 where they are, None where there are none."""
        with self._lock:
            if not self._paths:
                return None
            now = self._clock()
            if now < self._last + QUIET_SECONDS < self._first + LONGEST_SECONDS:
                return self._last + QUIET_SECONDS - now
            if self._quiet is None:
                self._quiet = LONG_QUIET_SECONDS if self._more_may_come() else QUIET_SECONDS
            due = min(self._last + self._quiet, self._first + LONGEST_SECONDS)
            return max(0.0, due - now)

    def _more_may_come(self) -> bool:
        """Whether a path is gone that had been there, or is written on; asked once a burst, and many are not looked at.

        What came and went within the burst, as an editor's copies do, says nothing.
        """
        if len(self._paths) > MOST:
            return True
        again = any(self._last - self._taken.get(path, -AGAIN_SECONDS) < AGAIN_SECONDS for path in self._paths)
        return again or any(not os.path.lexists(path) for path in self._paths - self._passing)

    def take(self) -> list[bytes]:
        """Return all paths, due or not, and forget them."""
        with self._lock:
            paths, self._paths = self._paths, set()
            self._passing.clear()
            now = self._clock()
            self._taken = {path: at for path, at in self._taken.items() if now - at < AGAIN_SECONDS}
            self._taken |= dict.fromkeys(list(paths)[:MOST], now)
        return sorted(paths)

    def take_linked(self) -> set[int]:
        """Return the inodes of files with several names that were heard of, and forget them; call it after `take`."""
        with self._lock:
            linked, self._linked = self._linked, set()
        return linked


def collapsed(paths: Iterable[bytes], roots: Iterable[bytes]) -> list[bytes]:
    """Leave out paths that lie below another of them; where there are very many, take the folders they lie in."""
    return folded(paths, MOST, frozenset(roots))


def folded(paths: Iterable[bytes], most: int, roots: Collection[bytes] = ()) -> list[bytes]:
    """Replace paths by the folders they lie in, the deepest first and no higher than `roots`, until few are left."""
    kept = _outermost(paths)
    while len(kept) > most:
        deepest = max((path.count(b"/") for path in kept if path not in roots), default=0)
        if not deepest:
            break
        kept = _outermost(
            (os.path.dirname(path) or b"/") if path.count(b"/") == deepest and path not in roots else path
            for path in kept
        )
        if kept == [b"/"]:
            break
    return kept


def _outermost(paths: Iterable[bytes]) -> list[bytes]:
    kept: list[bytes] = []
    # With "/" after each, everything below a folder directly follows it in order.
    for path in sorted(set(paths), key=lambda path: path + b"/"):
        if not kept or not below(path, kept[-1]):
            kept.append(path)
    return kept


def below(path: bytes, folder: bytes) -> bool:
    """Whether `path` is `folder` or lies in it."""
    return path == folder or path.startswith(folder.rstrip(b"/") + b"/")
