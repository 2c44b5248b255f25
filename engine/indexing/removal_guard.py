"""Holds removals back where most of a folder is gone at once, as where its disk is not mounted or a copy is under way.

Such documents stay and are searched on, until their files are back or the person says that they may go.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import apsw

from engine.effective_settings import effective
from engine.indexing import removal_run
from engine.indexing.work_items import Vanished
from engine.paths import display
from engine.records import Folder
from engine.store import folders

if TYPE_CHECKING:
    from engine.events import Event

FEWEST_GONE = 20  # fewer are deleted by hand in one go
GONE_SHARE = 0.5  # of a folder's documents; more than that is rarely meant


class RemovalGuard:
    """Decides for one sync which documents without a file may be removed.

    `surveyed` are the folders that the sync looked into, `changes` how many files it found changed or gone: where that
    is little, nothing is asked of the library. With `accepted` everything may go.
    """

    def __init__(self, conn: apsw.Connection, surveyed: Sequence[Folder], changes: int, *, accepted: bool) -> None:
        self._conn = conn
        self._folders = {folder.id: folder for folder in surveyed}
        self._accepted = accepted
        self._held: dict[int, int] = {}
        self._going: dict[int, int] = {}
        self._before = removal_run.lengths(conn)  # what left a moment ago, in syncs before this one
        asked = [each for each in surveyed if each.held or changes + self._before.get(each.id, 0) >= FEWEST_GONE]
        self._documents = {each.id: _documents_in(conn, each.id) for each in asked}  # before this sync adds any

    @property
    def held(self) -> int:
        """How many documents were held back."""
        return sum(self._held.values())

    def removable(self, vanished: Iterable[Vanished]) -> tuple[Vanished, ...]:
        """Return those that may be removed; the others count as held back."""
        by_folder: dict[int, list[Vanished]] = {}
        for each in vanished:
            by_folder.setdefault(each.folder_id, []).append(each)
        self._held, self._going = {}, {}
        return tuple(each for folder_id, own in by_folder.items() for each in self._removable_in(folder_id, own))

    def _removable_in(self, folder_id: int, vanished: list[Vanished]) -> list[Vanished]:
        folder = self._folders[folder_id]
        if not os.path.isdir(folder.path):
            return []  # gone since it was walked: the next sync finds it missing
        before = self._before.get(folder_id, 0)
        if not folder.held and len(vanished) + before < FEWEST_GONE:
            self._going[folder_id] = len(vanished)
            return vanished
        gone = [each for each in vanished if not os.path.lexists(os.path.join(folder.path, each.known.path))]
        all_gone, documents = len(gone) + before, self._documents.get(folder_id, 0) + before
        many = bool(gone) and all_gone >= FEWEST_GONE and all_gone > GONE_SHARE * documents
        self._going[folder_id] = len(gone)
        if self._accepted or not (many or (folder.held and gone)) or not effective().hold_back:
            return vanished
        self._held[folder_id], self._going[folder_id] = len(gone), 0
        kept = {each.known.id for each in gone}
        return [each for each in vanished if each.known.id not in kept]  # what a rule leaves out goes

    def write_down(self, on_event: Callable[[Event], None], arrived: Mapping[int, int], *, removed: bool) -> None:
        """Keep with each folder how many of its documents are held back, and tell of more than before.

        `arrived` are the files that are new in each folder: what goes and comes, as when a branch is checked out, does
        not add up. `removed` says that what may go has gone, which a stop prevents.
        """
        for folder in self._folders.values():
            held = self._held.get(folder.id, 0)
            if held != folder.held:
                folders.set_held(self._conn, folder.id, held)
            if held > folder.held:
                from engine.events import Trouble

                on_event(Trouble(message=f"{said_of(folder.path, held)}", fix=f"{way_out(folder.path)}"))
        if removed:
            removal_run.note(self._conn, {each: self._run_of(each, arrived.get(each, 0)) for each in self._folders})

    def _run_of(self, folder_id: int, arrived: int) -> int:
        """Return how many documents have left a folder one after another by now."""
        if self._accepted:
            return 0
        return max(0, self._before.get(folder_id, 0) + self._going.get(folder_id, 0) - arrived)


def said_of(folder: bytes, held: int) -> str:
    """Return the sentence about documents of a folder that are held back."""
    files = "The file of 1 document" if held == 1 else f"The files of {held:,} documents"
    return f"{files} in {display(folder)} are gone at once; the documents are kept and stay searchable."


def way_out(folder: bytes) -> str:
    """Return what a person can do about documents that are held back."""
    return f"Bring the files back, or let them go: `carrel sync --accept-removals {shlex.quote(display(folder))}`."


def _documents_in(conn: apsw.Connection, folder_id: int) -> int:
    return int(conn.execute("SELECT count(*) FROM document WHERE folder_id = ?", (folder_id,)).get)
