"""watchdog's observer, without the fault by which its reading thread dies."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from watchdog.observers import Observer

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver

STOP_SECONDS = 2.0  # threads that do not end by then are left behind: they are daemons


def new_observer() -> BaseObserver:
    """Return the observer that suits the system; see `engine.watching.inotify_repair` for Linux."""
    if sys.platform.startswith("linux"):
        from engine.watching.inotify_repair import SteadyObserver

        return SteadyObserver()
    return Observer()


def sound(observer: BaseObserver) -> bool:
    """Whether all of an observer's threads live, but for those that end because their folder was deleted."""
    reader = getattr(observer, "_inotify_fd", None)  # the thread that all emitters of watchdog 7.1 hear from
    if not observer.is_alive() or (reader is not None and not reader.is_alive()):
        return False
    return all(emitter.is_alive() for emitter in observer.emitters if os.path.isdir(emitter.watch.path))


def end(observer: BaseObserver) -> None:
    """Stop an observer, and let go of the kernel's queue even where its own way of stopping fails."""
    reader = getattr(observer, "_inotify_fd", None)
    try:
        observer.stop()
        observer.join(STOP_SECONDS)
    finally:
        if reader is not None and reader.is_alive():
            reader.stop()
            reader.join(STOP_SECONDS)
