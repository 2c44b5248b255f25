"""Carries out what the indexer is asked for: lines of its command pipe, and requests filed in the library."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import apsw

from engine.errors import CarrelError, LibraryDamaged, LibraryMissing, PathError
from engine.indexing.stop_signal import Signal
from engine.indexing.sync_progress import to_dict
from engine.paths import display
from engine.records import Folder, SyncReport
from engine.store import folders, requests
from engine.store.faults import system_errors_translated, translated
from engine.store.transactions import path_of
from engine.watching.watched_roots import watched

LOOK_SECONDS = 0.3  # between two looks whether an order was taken back


class Indexing(Protocol):
    """What an order asks of the indexer, `engine.indexer.service.Service`."""

    def in_turns(
        self,
        paths: Sequence[bytes] = (),
        *,
        full: bool = False,
        retry: bool = False,
        accept_removals: bool = False,
    ) -> SyncReport:
        """Sync, giving way to what is more urgent."""

    def build_model(self, name: str, called_off: Callable[[], bool] = ...) -> bool:
        """Make a model the library's; False where it was stopped. Raises ModelError where another was asked for."""

    def start_shadow(self, name: str) -> None:
        """Let a model run beside the one in use. Raises ModelError, UsageError."""

    def switch_late(self, argument: str) -> None:
        """Switch late interaction on, off, or remove it. Raises ModelError."""

    def folders_changed(self) -> None:
        """Look at once which folders are to be watched."""


class Orders:
    """Takes orders one after another and answers those that were filed as requests."""

    def __init__(
        self, conn: apsw.Connection, indexing: Indexing, commands: queue.SimpleQueue[str], stop: Signal
    ) -> None:
        self._conn = conn
        self._indexing = indexing
        self._commands = commands
        self._stop = stop
        self._filed = False
        self._answers: dict[int, dict[str, Any]] = {}  # by request: what could not be written down yet

    @property
    def waiting(self) -> bool:
        """Whether an order waits, as far as `look` has seen; may be asked from any thread."""
        return self._filed or not self._commands.empty()

    def look(self) -> None:
        """See whether a request waits; to be called in the library's own thread."""
        self._filed = self._conn.execute("SELECT 1 FROM request WHERE taken_at IS NULL LIMIT 1").get is not None

    def take(self) -> None:
        """Carry out what waits, until nothing does.

        Raises CarrelError where a line of the pipe could not be carried out, or an answer not be written down, as on a
        full disk: it is kept until it can.
        """
        self._answer()
        while not self._stop.is_set() and not self._commands.empty():
            kind, _, argument = self._commands.get().partition(" ")
            self._carry_out(kind, argument)
        while not self._stop.is_set() and (request := requests.take(self._conn)) is not None:
            outcome = self._outcome(request.kind, request.argument, Withdrawn(self._conn, request.id))
            if not self._stop.is_set():  # else it is taken again by the next indexer
                self._answers[request.id] = outcome
                self._answer()
        self._filed = False

    def _answer(self) -> None:
        for number, outcome in list(self._answers.items()):
            requests.finish(self._conn, number, outcome)
            del self._answers[number]

    def _outcome(self, kind: str, argument: str, withdrawn: Callable[[], bool]) -> dict[str, Any]:
        library = path_of(self._conn)
        try:
            with translated(library), system_errors_translated(library):
                return self._carry_out(kind, argument, withdrawn)
        except (LibraryDamaged, LibraryMissing):
            raise
        except CarrelError as error:
            return {"error": str(error), "message": error.message, "cause": error.cause, "fix": error.fix}

    def _carry_out(self, kind: str, argument: str, withdrawn: Callable[[], bool] = lambda: False) -> dict[str, Any]:
        path = os.fsencode(argument)
        paths = (path,) if path else ()
        match kind:
            case "sync":
                return to_dict(self._indexing.in_turns(paths))
            case "sync_full":
                return to_dict(self._indexing.in_turns(paths, full=True))
            case "sync_full_accept_removals":
                return to_dict(self._indexing.in_turns(paths, full=True, accept_removals=True))
            case "accept_removals":
                return to_dict(self._indexing.in_turns(paths, accept_removals=True))
            case "retry":
                return to_dict(self._indexing.in_turns(paths, retry=True))
            case "pause":
                self._set_state(paths, paused=True)
                return {}
            case "resume":
                resumed = self._set_state(paths, paused=False)
                return to_dict(self._indexing.in_turns([folder.path for folder in resumed]))
            case "remove" | "remove_forever":
                return self._forget(path, forever=kind == "remove_forever")
            case "use_model":
                done = self._indexing.build_model(argument, withdrawn)
                return {"model": argument, **to_dict(self._indexing.in_turns())} if done else {}
            case "shadow":
                self._indexing.start_shadow(argument)
                return {"model": argument}
            case "late":
                self._indexing.switch_late(argument)
                return {}
        raise CarrelError(f"The indexer knows no order '{kind}'.", fix="Restart Carrel: an older one may be running.")

    def _set_state(self, paths: Sequence[bytes], *, paused: bool) -> list[Folder]:
        """Pause or resume these folders, or all of them, and return them."""
        chosen = [folder for folder in watched(self._conn) if not paths or folder.path in paths]
        if paths and not chosen:
            raise _not_watched(paths[0])
        for folder in chosen:
            folders.set_state(self._conn, folder.id, "paused" if paused else "watching")
        self._indexing.folders_changed()
        return chosen

    def _forget(self, path: bytes, *, forever: bool) -> dict[str, Any]:
        from engine.indexing.removed_folders import drop_waiting, forget_folder

        folder = next((each for each in watched(self._conn) if each.path == path), None)
        if folder is None:
            dropped = drop_waiting(path_of(self._conn), path) if forever else None
            if dropped is None:
                raise _not_watched(path)
            return {"documents": dropped}
        forgotten = forget_folder(self._conn, folder.id, forever=forever)
        self._indexing.folders_changed()
        return {"documents": forgotten}


class Withdrawn:
    """Says whether who filed an order has taken it back, as by ctrl-C; asked at any time, looked up now and then.

    Only the thread that made it looks: the connection is its.
    """

    def __init__(self, conn: apsw.Connection, number: int) -> None:
        self._conn = conn
        self._number = number
        self._thread = threading.get_ident()
        self._next = 0.0
        self._is_gone = False

    def __call__(self) -> bool:
        """Return whether the order is there no more."""
        now = time.monotonic()
        if not self._is_gone and now >= self._next and threading.get_ident() == self._thread:
            self._next = now + LOOK_SECONDS
            self._is_gone = requests.state(self._conn, self._number) is None
        return self._is_gone


def _not_watched(path: bytes) -> PathError:
    return PathError(f"{display(path)} is not a watched folder.", fix="See them with `carrel folders`.")
