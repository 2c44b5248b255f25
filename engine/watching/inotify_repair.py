"""watchdog 7.1 on Linux, where a folder that is moved out of the tree must not end the watching of everything else.

Its watches know their paths, and a folder that left keeps its old one. When a new folder has taken that path and gone
again, the end of the old one looks for a path that is no longer there; the KeyError ends the thread that reads the
kernel's events, silently and for all roots.
"""

from __future__ import annotations

import os

from watchdog.observers.inotify import InotifyEmitter, InotifyObserver, InotifyWatchGroup
from watchdog.observers.inotify_c import InotifyFD, WatchDescriptor


class SteadyGroup(InotifyWatchGroup):
    """The watches below one root; forgetting one twice does no harm."""

    def _remove_watch_internally(self, wd: WatchDescriptor) -> None:
        path = self._active_callbacks_by_watch.pop(wd, None)
        if path is not None and self._active_callbacks_by_path.get(path) == wd:
            del self._active_callbacks_by_path[path]


class SteadyEmitter(InotifyEmitter):
    """Tells the events below one root."""

    def on_thread_start(self) -> None:
        """Add the watches."""
        self._inotify = SteadyGroup(
            self._inotify_fd,
            os.fsencode(self.watch.path),
            is_recursive=self.watch.is_recursive,
            event_mask=self.get_event_mask_from_filter(),
            follow_symlink=self.watch.follow_symlink,
        )


class SteadyObserver(InotifyObserver):
    """Watches roots with steady emitters."""

    _inotify_fd: InotifyFD

    def __init__(self) -> None:
        super().__init__()
        self._emitter_class = SteadyEmitter
