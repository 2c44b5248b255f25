"""Waits until the process that indexes has embedded what a sync left to it, and does it here where that one leaves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import LibraryBusy, WorkerError
from engine.event_log.lock_holder import HolderTail
from engine.events import Event, Trouble

if TYPE_CHECKING:
    from engine.library import Library

POLL_SECONDS = 0.2  # the indexer commits three steps a second
GIVEN_UP_SECONDS = 90.0  # without one more vector after a trouble was told: the indexer tries again after a minute


def until_embedded(
    library: Library, on_event: Callable[[Event], None], stop: threading.Event, paths: Sequence[Path] = ()
) -> int:
    """Return once nothing waits, or `stop` is set, how many texts got their vector; with `paths` those asked for count.

    Raises WorkerError where the indexer tells of a trouble and embeds nothing more.
    """
    holder = HolderTail(library.path, from_now=True)
    trouble: Trouble | None = None
    asked = bool(paths)
    first = fewest = library.pending(asked=asked)
    since = time.monotonic()
    try:
        while (left := library.pending(asked=asked)) and not stop.wait(POLL_SECONDS):
            for event in holder.read():
                on_event(event)
                trouble = event if isinstance(event, Trouble) else trouble
            if left < fewest:
                fewest, since, trouble = left, time.monotonic(), None
            if holder.holder is None:
                with suppress(LibraryBusy):  # somebody came just now
                    library.sync(paths, on_event=on_event, stop=stop)
            elif trouble is not None and time.monotonic() - since > GIVEN_UP_SECONDS:
                raise WorkerError(trouble.message, fix=trouble.fix)
    finally:
        holder.close()
    return max(0, first - left)
