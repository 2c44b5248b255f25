"""Work that is done once under the lock, as by `carrel sync`, told in an event file to those who follow the holder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from engine.errors import LibraryBusy
from engine.event_log.event_file import EventFile, new_event_file
from engine.events import Event, IndexerStarted, Stopped
from engine.paths import places

OnEvent = Callable[[Event], None]


@contextmanager
def told_work(task: str, on_event: OnEvent) -> Iterator[tuple[Path | None, OnEvent]]:
    """Lend the event file of a piece of work, and what passes an event on and writes it there.

    Where none can be made the work is done all the same, and the file is None. One that did not come to hold the lock
    leaves no file.
    """
    path: Path | None = None
    with suppress(OSError):
        path = new_event_file(places())
    if path is None:
        yield None, on_event
        return
    refused = False
    with closing(EventFile(path)) as events:

        def tell(event: Event) -> None:
            events.write(event)
            on_event(event)

        events.write(IndexerStarted(pid=os.getpid(), task=task))
        reason = "an error ended it"
        try:
            yield path, tell
            reason = "all is done"
        except LibraryBusy:
            refused = True
            raise
        finally:
            events.write(Stopped(reason=reason))
            if refused:
                path.unlink(missing_ok=True)
