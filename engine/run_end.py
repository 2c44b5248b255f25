"""Ends what a model computes from another thread: what nobody waits for any more leaves its core at once.

A run of onnxruntime looks before each node of its graph whether it is to end.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, RunOptions

_here = threading.local()


class RunEnded(Exception):
    """A run was ended; it gave nothing."""


class RunEnd:
    """Ends the runs that one thread begins within `ending`. `end` may be called from any thread, more than once."""

    def __init__(self) -> None:
        self._options: RunOptions | None = None
        self.ended = False

    def end(self) -> None:
        """End the run that goes on, and let none begin."""
        self.ended = True  # before the look at the options: who makes them looks at this behind it
        if self._options is not None:
            self._options.terminate = True

    @contextmanager
    def ending(self) -> Iterator[None]:
        """Let `end` end the runs that this thread begins inside the block."""
        before = getattr(_here, "end", None)
        _here.end = self
        try:
            yield
        finally:
            _here.end = before

    def options(self) -> RunOptions:
        """Return what a run is given so that `end` reaches it. Raises RunEnded where it came already."""
        from onnxruntime import RunOptions

        self._options = self._options or RunOptions()
        if self.ended:
            raise RunEnded
        return self._options


def run(session: InferenceSession, given: Mapping[str, Any]) -> Any:
    """Return the first output of a model. Raises RunEnded where the run was ended meanwhile."""
    end: RunEnd | None = getattr(_here, "end", None)
    if end is None:
        return session.run(None, given)[0]
    options = end.options()
    try:
        return session.run(None, given, options)[0]
    except Exception:  # the library's errors share no base but Exception
        if end.ended:
            raise RunEnded from None
        raise
