"""Starts, follows and stops the indexer process; leaves no orphan behind.

The indexer's stdin is a pipe that this process holds: when it is closed, by us or by our death, the indexer finishes
its commit and leaves. Its events are read from the file that it appends to, so it never waits for the screen.
"""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from functools import reduce
from pathlib import Path

from app.tui.indexer_state import IndexerState, after
from engine.errors import LibraryMissing
from engine.event_log.event_file import EventTail, new_event_file
from engine.event_log.lock_holder import HolderTail
from engine.events import Event
from engine.log_file import private_log
from engine.paths import Places, own_process, private_folder
from engine.records import Writer
from engine.store.lock import Holding, holding

_log = logging.getLogger("carrel")

TICK_SECONDS = 0.1  # ten reports a second at most
IDLE_TICK_SECONDS = 0.5  # while there is nothing to report
LEAVING_SECONDS = 0.6  # for the indexer's last commit, which takes 0.05 s at most; then it is ended
LOCK_HELD = 3  # the exit code of an indexer that found another one at work
TAKE_OVER_SECONDS = 1.0  # how often a held lock, and the place of a missing library, is looked at
RESTARTS = 3  # within RESTART_WINDOW_SECONDS; more means that it dies of something that a restart does not mend
RESTART_WINDOW_SECONDS = 60.0

Report = Callable[[IndexerState], None]
LockHolder = Callable[[Path], tuple[int, Path | None] | None]  # its number and its event file


class Indexer:
    """The indexer of one library: a child process of ours, or whichever process holds the lock."""

    def __init__(
        self,
        library: Path,
        places: Places,
        *,
        command: Callable[[Path], list[str]] | None = None,
        lock_holder: LockHolder | None = None,
        pause: float = 1.0,
        look_every: float = TAKE_OVER_SECONDS,
    ) -> None:
        self._library = library
        self._places = places
        self._command = command or (lambda events: worker_command(library, events))
        self._lock = _lock_as(lock_holder) if lock_holder else holding
        self._pause = pause  # seconds before a restart, so that a broken one does not spin
        self._look_every = look_every
        self._leaving = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None
        self._report: Report = lambda state: None
        self._state = IndexerState(phase="starting")
        self._told = IndexerState()

    def start(self, report: Report) -> None:
        """Start it, or follow whichever runs; `report` is called from a thread.

        May be called again where it was given up; while it is at work nothing happens.
        """
        if self._thread is not None and self._thread.is_alive():
            return
        self._report = report
        self._thread = threading.Thread(target=self._run, daemon=True, name="carrel-indexer")
        self._thread.start()

    def leave(self) -> None:
        """Tell it to leave; returns at once."""
        self._leaving.set()
        process = self._process
        if process is not None and process.stdin is not None:
            with suppress(OSError):
                process.stdin.close()

    def stop(self) -> None:
        """Make it leave, at the latest after LEAVING_SECONDS; returns when it has gone."""
        self.leave()
        if self._thread is not None:
            self._thread.join(LEAVING_SECONDS)
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(LEAVING_SECONDS / 3)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    # --- in the thread ------------------------------------------------------------------------------------------

    def _run(self) -> None:
        """Keep an indexer at work until we leave; whatever else ends that is told."""
        try:
            self._keep_one()
        except Exception as error:
            _log.exception("The indexer could not be kept at work")
            with suppress(Exception):  # it may be telling that failed
                said = f"The indexer could not be followed ({type(error).__name__}); the log says why."
                self._tell(replace(self._state, phase="dead", trouble=said))

    def _keep_one(self) -> None:
        deaths: list[float] = []
        while not self._leaving.is_set():
            try:
                code = self._one_run()
            except OSError as error:
                _log.error("The indexer could not be started: %s", error)
                self._tell(IndexerState(phase="dead", trouble=f"The indexer could not be started: {error.strerror}."))
                return
            if self._leaving.is_set():
                return
            if code == LOCK_HELD:
                self._follow_holder()
                continue
            if code == LibraryMissing.exit_code and not self._library.exists():
                self._wait_for_library()
                continue
            _log.error("The indexer ended with exit code %s", code)
            now = time.monotonic()
            deaths = [*(each for each in deaths if now - each < RESTART_WINDOW_SECONDS), now]
            if len(deaths) > RESTARTS:
                self._tell(replace(self._state, phase="dead"))
                return
            self._tell(replace(self._state, phase="restarting", trouble=""))
            self._leaving.wait(self._pause)

    def _one_run(self) -> int:
        """Start one indexer, follow it to its end, and return its exit code."""
        events = new_event_file(self._places)
        self._tell(IndexerState(phase="starting"))
        process = start_process(self._command(events), self._places)
        self._process = process
        if self._leaving.is_set():  # asked to leave while the process was being made
            self.leave()
        tail = EventTail(events)
        try:
            while process.poll() is None:
                self._tell(_after_all(self._state, tail.read()))
                self._pass_time(process)
            self._tell(_after_all(self._state, tail.read()))
        finally:
            tail.close()
            if process.stdin is not None:
                with suppress(OSError):
                    process.stdin.close()
        return process.returncode

    def _pass_time(self, process: subprocess.Popen[bytes]) -> None:
        """Wait a tick; only while leaving for the process itself, which Python would look at 80 times a second."""
        if not self._leaving.wait(TICK_SECONDS if self._state.busy else IDLE_TICK_SECONDS):
            return
        with suppress(subprocess.TimeoutExpired):
            process.wait(TICK_SECONDS)

    def _wait_for_library(self) -> None:
        """Say that the file is gone until it is back; a new one in its place would be empty."""
        self._tell(IndexerState(phase="gone"))
        while not self._leaving.is_set() and not self._library.exists():
            self._leaving.wait(self._look_every)

    def _follow_holder(self) -> None:
        """Show what the other indexer does, or another after it, until nobody holds the lock."""
        other = HolderTail(self._library, look_every=self._look_every, lock=self._lock)
        shown = IndexerState(phase="following", foreign=True)
        try:
            while not self._leaving.is_set():
                shown = _after_all(shown, other.read())
                if other.holder is None:
                    return
                self._tell(shown)
                self._leaving.wait(TICK_SECONDS)
        finally:
            other.close()

    def _tell(self, state: IndexerState) -> None:
        """Report a state that differs from the last one."""
        self._state = state
        if state != self._told and not self._leaving.is_set():
            self._told = state
            self._report(state)


def worker_command(library: Path, events: Path) -> list[str]:
    """Return how an indexer is started."""
    return [*own_process("engine.indexer.worker"), "--library", str(library), "--events", str(events), "--watch"]


def start_process(command: list[str], places: Places) -> subprocess.Popen[bytes]:
    """Start a worker in its own session, in the state folder, its errors in the log and a pipe for its stdin."""
    home = private_folder(places.state)
    with private_log(places.log).open("ab") as log:
        return subprocess.Popen(
            command,
            cwd=home,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
        )


def _lock_as(lock_holder: LockHolder) -> Callable[[Path], Holding | None]:
    """Return how to ask for a lock's holder where somebody else than the lock itself tells."""

    def held(library: Path) -> Holding | None:
        found = lock_holder(library)
        return Holding(Writer(found[0], "", 0.0), found[1]) if found else None

    return held


def _after_all(state: IndexerState, events: Iterable[Event]) -> IndexerState:
    """Return the state once all these events have happened."""
    return reduce(after, events, state)
