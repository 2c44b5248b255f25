"""Listens to the file system below the watched folders and turns what it says into hints.

The kernel's events get lost by design: queues overflow, limits are reached, disks are unmounted. So nothing here is
trusted to be complete; the owner of the watcher looks at whole folders from time to time, and at once where `check`
says that events may have been missed.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import warnings
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.paths import identity_of
from engine.watching.hints import Hints, below
from engine.watching.observer import EVENT_FILTER, Alias, Listener, end, new_observer, sound

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver, ObservedWatch

log = logging.getLogger(__name__)

OVERFLOW_LOGGER = "watchdog.observers.inotify_c"  # where watchdog says, and only there, that events were lost
REFUSED_SECONDS = 60.0  # how soon a root that the system refuses to watch is tried again


class _LostEvents(logging.Handler):
    """Hears of an overflow of the kernel's queue."""

    def __init__(self, heard: threading.Event) -> None:
        super().__init__(logging.WARNING)
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        """Take one warning; every one of this logger means that events were lost."""
        self._heard.set()


@dataclass(frozen=True, slots=True)
class _Place:
    """A real folder to watch: what it is, and the roots that are it or lie in it."""

    identity: tuple[int, int]  # device and inode
    aliases: tuple[Alias, ...]


class Watcher:
    """Watches roots and everything below them. Call `check` about once a second, from one thread.

    Roots that lie in each other, by their names or by links, are watched once: the kernel has one watch for a folder
    whatever it is called, so that a second one would take the events from the first.
    """

    def __init__(
        self,
        hints: Hints,
        own_files: Collection[bytes] = (),
        observer: Callable[[], BaseObserver] = new_observer,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hints = hints
        self._own = frozenset(own_files) | {os.path.realpath(path) for path in own_files}
        self._new_observer = observer
        self._clock = clock
        self._observer: BaseObserver | None = None
        self._roots: set[bytes] = set()
        self._watches: dict[bytes, tuple[ObservedWatch, _Place]] = {}
        self._refused: dict[bytes, float] = {}  # when to try again
        self.refusal: OSError | None = None  # what the system said last
        self._lost = threading.Event()
        self._folders_came = threading.Event()
        self._ear = _LostEvents(self._lost)
        logging.getLogger(OVERFLOW_LOGGER).addHandler(self._ear)
        # It says so whenever a new folder is seen twice, which does no harm.
        warnings.filterwarnings("ignore", "Callback with id", RuntimeWarning)

    @property
    def uncovered(self) -> frozenset[bytes]:
        """The roots that are not watched now: they are missing, or the system refused."""
        return frozenset(self._roots - {alias.root for _, place in self._watches.values() for alias in place.aliases})

    def folders_came(self) -> bool:
        """Whether folders appeared since this was last asked, so that they must be counted anew."""
        came = self._folders_came.is_set()
        self._folders_came.clear()
        return came

    def watch(self, roots: Iterable[bytes]) -> None:
        """Watch exactly these roots; `check` brings that about."""
        self._roots = set(roots)

    def renew(self) -> None:
        """Let `check` watch everything anew: a limit was raised, or something was mounted in a root."""
        self._lost.set()

    def check(self) -> list[bytes]:
        """Mend what is broken, and return the roots of which events may have been missed."""
        missed: set[bytes] = set()
        if self._lost.is_set():
            # watchdog watches anew by itself, but does not say when it has come to an end, nor what came meanwhile.
            log.warning("events were lost, or a limit has changed; everything is watched anew")
            missed |= self._end_observer()
        elif self._observer is not None and not sound(self._observer):
            log.warning("the observer died; a new one takes its place")
            missed |= self._end_observer()
        wanted = _places(self._roots)
        for top in list(self._watches):
            if top in self._watches and self._watches[top][1] != wanted.get(top):
                missed |= self._unschedule(top)
        for top, place in wanted.items():
            if top not in self._watches and self._schedule(top, place):
                missed |= {alias.root for alias in place.aliases}
        return sorted(missed & self._roots)

    def close(self) -> None:
        """Stop listening."""
        logging.getLogger(OVERFLOW_LOGGER).removeHandler(self._ear)
        self._end_observer()

    def _schedule(self, top: bytes, place: _Place) -> bool:
        if self._clock() < self._refused.get(top, 0.0):
            return False
        listener = Listener(top, place.aliases, self._hints, self._own, self._folders_came)
        try:
            if self._observer is None:
                observer = self._new_observer()
                observer.start()
                self._observer = observer
            watch = self._observer.schedule(listener, os.fsdecode(top), recursive=True, event_filter=EVENT_FILTER)
        except Exception as error:  # the root vanished, or a limit of the system is reached
            log.warning("cannot watch %r: %s", top, error)
            self.refusal = error if isinstance(error, OSError) else None
            self._refused[top] = self._clock() + REFUSED_SECONDS
            return False
        self._refused.pop(top, None)
        self._watches[top] = (watch, place)
        return True

    def _unschedule(self, top: bytes) -> set[bytes]:
        """Stop watching one place and return the roots that are not heard of now."""
        watch, place = self._watches.pop(top)
        roots = {alias.root for alias in place.aliases}
        try:
            if self._observer is not None:
                self._observer.unschedule(watch)
        except Exception:
            log.warning("cannot stop watching %r; starting anew", top, exc_info=True)
            roots |= self._end_observer()
        return roots

    def _end_observer(self) -> set[bytes]:
        """End the observer and return the roots that it watched."""
        roots = {alias.root for _, place in self._watches.values() for alias in place.aliases}
        observer, self._observer = self._observer, None
        self._watches.clear()
        self._refused.clear()
        if observer is not None:
            try:
                end(observer)
            except Exception:
                log.exception("the observer could not be stopped")
        self._lost.clear()  # these roots are returned, to be looked at for what was lost until now
        return roots


def _places(roots: Iterable[bytes]) -> dict[bytes, _Place]:
    """Return the real folders that hold these roots, none of them in another; missing roots are left out."""
    real = sorted((os.path.realpath(root) + b"/", root) for root in roots)  # with "/", what is below follows directly
    held: dict[bytes, list[Alias]] = {}
    top = b""
    for slashed, root in real:
        path = slashed.rstrip(b"/") or b"/"
        if identity_of(path) is None:
            continue
        if not top or not below(path, top):
            top = path
        held.setdefault(top, []).append(Alias(path, root))
    identities = {top: identity_of(top) for top in held}
    return {top: _Place(known, tuple(held[top])) for top, known in identities.items() if known is not None}
