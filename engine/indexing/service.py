"""Keeps one library in step with its folders for as long as it runs: the life of an indexer process.

Everything happens in one thread, one thing after another: orders, then what the watcher heard, then the folders as a
whole from time to time. A long sync gives way to a saved note and is taken up again after it.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apsw

from engine.errors import CarrelError, LibraryDamaged, PathError
from engine.events import Event, Trouble, Watching
from engine.indexing.coverage import coverage
from engine.indexing.hints import Hints, below, collapsed
from engine.indexing.roots import own_files, watched
from engine.indexing.signals import GiveWay, Signal
from engine.indexing.sync import sync
from engine.indexing.tally import joined, to_dict
from engine.paths import display
from engine.records import Folder, SyncReport
from engine.store import folders, requests

if TYPE_CHECKING:
    from engine.indexing.parsing import WarmParser
    from engine.indexing.vectors import PassageEncoder
    from engine.indexing.watcher import Watcher

log = logging.getLogger(__name__)

TICK_SECONDS = 0.25  # how long an idle indexer sleeps: an order is taken, and a stop heard, this soon
HEARTBEAT_SECONDS = 1.0
RECONCILE_SECONDS = 15 * 60.0  # the kernel loses events by design
UNCOVERED_SECONDS = 60.0  # the same, while a folder cannot be watched
CLOCK_JUMP_SECONDS = 30.0  # the wall clock ran ahead of the other by so much: the machine slept


class Service:
    """One indexer at work on one library, whose lock the caller holds.

    `encoder_of` makes the encoder of a model by its name in the catalogue, None standing for the default; `refit` fits
    the tiers. `commands` are lines from whoever started the process: "sync", "sync PATH". `stop` is heard within a
    second.
    """

    def __init__(
        self,
        conn: apsw.Connection,
        library: Path,
        *,
        encoder_of: Callable[[str | None], PassageEncoder],
        parser: WarmParser,
        refit: Callable[[PassageEncoder], None] | None,
        on_event: Callable[[Event], None],
        stop: Signal,
        commands: queue.SimpleQueue[str] | None = None,
    ) -> None:
        self._conn = conn
        self._library = library
        self._encoder_of = encoder_of
        self._parser = parser
        self._refit = refit
        self._on_event = on_event
        self._stop = stop
        self._commands = commands or queue.SimpleQueue()
        self._wake = threading.Event()
        self._hints = Hints(self._wake.set)
        self._watcher: Watcher | None = None
        self._order_waits = False
        self._roots: list[Folder] = []
        self._version = -1
        self._covered = (-1, -1)
        self._next_whole = self._next_heartbeat = 0.0
        self._clocks = time.time() - time.monotonic()

    def run(self, *, watch: bool) -> None:
        """Bring the library up to date and take orders; with `watch`, keep at it until `stop` is set."""
        requests.reopen(self._conn)
        try:
            if watch:
                self._start_watching()
            self._whole()
            self._guarded(self._take_orders)
            while watch and not self._stop.is_set():
                self._guarded(self._turn)
                self._rest()
        finally:
            if self._watcher is not None:
                self._watcher.close()
            self._parser.end()

    def _start_watching(self) -> None:
        from engine.indexing.watcher import Watcher  # 0.05 s, and not needed for one sync

        self._watcher = Watcher(self._hints, own_files(self._library))
        self._follow_folders()
        self._watcher.check()  # before the first sync, so that nothing falls between them
        self._tell_coverage()

    def _turn(self) -> None:
        """Do what is due, the most urgent first."""
        self._take_orders()
        self._follow_folders()
        self._beat()
        if self._hint_waits():
            self._take_hints()
        if self._whole_is_due():
            self._whole()

    def _rest(self) -> None:
        due = self._hints.due_in()
        self._wake.wait(TICK_SECONDS if due is None else min(TICK_SECONDS, due))
        self._wake.clear()

    # --- syncing ----------------------------------------------------------------------------------------------------

    def _whole(self) -> None:
        """Sync all folders, giving way to what is more urgent as often as it comes."""
        self._next_whole = time.monotonic() + (
            UNCOVERED_SECONDS if self._watcher is not None and self._watcher.uncovered else RECONCILE_SECONDS
        )
        self._guarded(lambda: self._in_turns((), for_orders=True))

    def _in_turns(self, paths: Sequence[bytes], *, for_orders: bool = False) -> SyncReport:
        """Sync, giving way to saved files, and to orders unless this is one; return one report for all of it."""
        report: SyncReport | None = None
        while True:
            signal = GiveWay(self._stop, self._order_or_hint_waits if for_orders else self._hint_waits)
            part = self._sync(paths, stop=signal)
            report = joined(report, part) if report is not None else part
            if self._stop.is_set() or not signal.gave_way:
                return report
            if for_orders:
                self._take_orders()
            if self._hint_waits():
                self._take_hints()

    def _hint_waits(self) -> bool:
        return self._hints.due_in() == 0

    def _order_or_hint_waits(self) -> bool:
        return self._order_waits or self._hint_waits() or not self._commands.empty()

    def _sync(self, paths: Sequence[bytes], *, stop: Signal | None = None, **options: Any) -> SyncReport:
        return sync(
            self._conn,
            self._library,
            encoder=self._encoder,
            parser=lambda: self._parser,
            paths=paths,
            refit=self._fit if self._refit is not None else None,
            on_event=self._tell,
            stop=stop or self._stop,
            **options,
        )

    def _encoder(self) -> PassageEncoder:
        from engine.store import models

        active = models.active(self._conn)
        return self._encoder_of(active.name if active is not None else None)

    def _fit(self) -> None:
        if self._refit is not None:
            self._refit(self._encoder())

    def _tell(self, event: Event) -> None:
        """Pass an event on. It is also the moment to see whether an order waits, for it is the library's own thread."""
        self._on_event(event)
        waiting = self._conn.execute("SELECT 1 FROM request WHERE taken_at IS NULL LIMIT 1").get
        self._order_waits = waiting is not None

    def _guarded(self, task: Callable[[], object]) -> None:
        """Do a task; what goes wrong is told and tried again later, except in a library that is damaged."""
        try:
            task()
        except (LibraryDamaged, apsw.CorruptError):
            raise
        except CarrelError as error:
            log.warning("a sync failed", exc_info=True)
            self._on_event(Trouble(message=f"{error.message} {error.cause}".strip(), fix=error.fix))
            self._next_whole = time.monotonic() + UNCOVERED_SECONDS

    # --- what is due ------------------------------------------------------------------------------------------------

    def _take_hints(self) -> None:
        roots = [folder.path for folder in self._roots]
        paths = [path for path in self._hints.take() if any(below(path, root) for root in roots)]
        if paths:
            self._sync_some(collapsed(paths, roots))

    def _sync_some(self, paths: Sequence[bytes]) -> None:
        def task() -> None:
            with suppress(PathError):  # its folder was removed meanwhile
                self._sync(paths)

        self._guarded(task)

    def _follow_folders(self) -> None:
        """See which folders are to be watched; another process may have changed that."""
        version = int(self._conn.pragma("data_version"))
        if version == self._version:
            return
        self._version = version
        before = {folder.path for folder in self._roots}
        self._roots = [folder for folder in watched(self._conn) if folder.state != "paused"]
        if self._watcher is not None:
            self._watcher.watch(folder.path for folder in self._roots)
            if before and before != {folder.path for folder in self._roots}:
                self._next_heartbeat = 0.0

    def _beat(self) -> None:
        """See whether the watcher lives, and whether its roots are what they were."""
        now = time.monotonic()
        if self._watcher is None or now < self._next_heartbeat:
            return
        self._next_heartbeat = now + HEARTBEAT_SECONDS
        missed = self._watcher.check()
        if missed:
            self._sync_some(missed)
            self._tell_coverage()

    def _whole_is_due(self) -> bool:
        clocks = time.time() - time.monotonic()
        slept, self._clocks = abs(clocks - self._clocks) > CLOCK_JUMP_SECONDS, clocks
        return slept or time.monotonic() >= self._next_whole

    def _tell_coverage(self) -> None:
        now = coverage(folder.path for folder in self._roots)
        if now != self._covered:
            self._covered = now
            self._on_event(Watching(folders=now[0], covered=now[1]))

    # --- orders -----------------------------------------------------------------------------------------------------

    def _take_orders(self) -> None:
        """Take the lines of the command pipe and the requests in the library, until there are none."""
        while not self._stop.is_set() and not self._commands.empty():
            kind, _, argument = self._commands.get().partition(" ")
            self._outcome(kind, argument)
        while not self._stop.is_set() and (request := requests.take(self._conn)) is not None:
            outcome = self._outcome(request.kind, request.argument)
            if not self._stop.is_set():  # else it is taken again by the next indexer
                requests.finish(self._conn, request.id, outcome)
        self._order_waits = False

    def _outcome(self, kind: str, argument: str) -> dict[str, Any]:
        try:
            return self._carry_out(kind, argument)
        except (LibraryDamaged, apsw.CorruptError):
            raise
        except CarrelError as error:
            return {"error": str(error), "message": error.message, "cause": error.cause, "fix": error.fix}

    def _carry_out(self, kind: str, argument: str) -> dict[str, Any]:
        path = os.fsencode(argument)
        paths = (path,) if path else ()
        match kind:
            case "sync":
                return to_dict(self._in_turns(paths))
            case "sync_full":
                return to_dict(self._sync(paths, full=True))
            case "retry":
                return to_dict(self._sync(paths, retry=True))
            case "pause" | "resume":
                return self._pause(paths, paused=kind == "pause")
            case "remove":
                return self._forget(path)
            case "use_model":
                return self._use_model(argument)
        raise CarrelError(f"The indexer knows no order '{kind}'.", fix="Restart Carrel: an older one may be running.")

    def _pause(self, paths: Sequence[bytes], *, paused: bool) -> dict[str, Any]:
        chosen = [folder for folder in watched(self._conn) if not paths or folder.path in paths]
        if paths and not chosen:
            raise PathError(f"{display(paths[0])} is not a watched folder.", fix="See them with `carrel folders`.")
        for folder in chosen:
            folders.set_state(self._conn, folder.id, "paused" if paused else "watching")
        self._version = -1
        self._follow_folders()
        return {} if paused else to_dict(self._in_turns([folder.path for folder in chosen]))

    def _forget(self, path: bytes) -> dict[str, Any]:
        from engine.indexing.forgetting import forget_folder

        folder = next((each for each in watched(self._conn) if each.path == path), None)
        if folder is None:
            raise PathError(f"{display(path)} is not a watched folder.", fix="See them with `carrel folders`.")
        forgotten = forget_folder(self._conn, folder.id)
        self._version = -1
        self._follow_folders()
        return {"documents": forgotten}

    def _use_model(self, name: str) -> dict[str, Any]:
        from engine.indexing.building import use_model

        encoder = self._encoder_of(name)
        done = use_model(self._conn, name, encoder, lambda: self._parser, on_event=self._tell, stop=self._stop)
        return {"model": name, **to_dict(self._sync(()))} if done else {}
