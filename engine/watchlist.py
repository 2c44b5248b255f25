"""Adds and forgets the watched folders of a library; a forgotten one can be taken back for a day."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import PathError
from engine.indexing import removed_folders
from engine.indexing.moved_links import follow_links, rules_of_link
from engine.library_file import LibraryFile
from engine.library_views import watched_folder
from engine.paths import display, expanded, folder_path, refuse_nested
from engine.records import Folder
from engine.store import folders, lock, requests

if TYPE_CHECKING:
    from engine.indexing.removed_folders import Removed
    from engine.store.library_connection import LibraryConnection


def _same_folder(connection: LibraryConnection, path: bytes) -> Folder | None:
    """Return the watched folder that is the one at a real path, under the name of a link."""
    return next((each for each in folders.every(connection) if os.path.realpath(each.path) == path), None)


class Watchlist:
    """The folders that one library follows."""

    def __init__(self, file: LibraryFile) -> None:
        self._file = file

    def add(self, folder: Path) -> Folder:
        """Watch a folder; one that is watched already is returned as it is. A sync indexes it.

        One that was forgotten within a day comes back with its rules, and all that was indexed of it with the sync.
        A link stands for where it leads, later too. Raises PathError where the folder is missing, no folder, or inside
        or around a watched one.
        """
        path = folder_path(folder)
        with self._file.writing() as connection:
            follow_links(connection)
            known = folders.at(connection, path) or _same_folder(connection, path)
            return known or self._watched_anew(connection, path, new=rules_of_link(folder, path))

    def remove(self, folder: Path, *, forever: bool = False) -> int:
        """Stop watching a folder and forget its documents; its files stay. Returns how many documents were forgotten.

        For a day it can be taken back (`undo_remove`), unless `forever`, which gives its space free at once, also that
        of a folder which waits since it was removed without. Takes the indexer lock for the writing. Raises PathError
        where the folder is neither, LibraryBusy, LibraryFull.
        """
        path = os.path.normpath(os.fsencode(expanded(folder).absolute()))
        with self._file.reading() as connection:  # an unknown folder is told whether or not another process indexes
            self._watched_or_waiting(connection, path, forever)
        with lock.IndexerLock(self._file.path).acquire("removing"), self._file.writing(lock_held=True) as connection:
            known = self._watched_or_waiting(connection, path, forever)
            if known is None:
                return removed_folders.drop_waiting(self._file.path, path) or 0
            return removed_folders.forget_folder(connection, known.id, forever=forever)

    def _watched_or_waiting(self, connection: LibraryConnection, path: bytes, forever: bool) -> Folder | None:
        """Return the watched folder, None where it only waits to be forgotten `forever`. Raises PathError."""
        if forever and folders.at(connection, path) is None and removed_folders.waiting_at(self._file.path, path):
            return None
        return watched_folder(connection, path)

    def undo_remove(self, folder: Path) -> Folder:
        """Watch a folder again that was forgotten within a day; the next sync brings back what was indexed of it.

        One that is watched is returned as it is. Raises PathError where none of this path waits, or it lies inside or
        around a watched one by now.
        """
        path = os.fsencode(os.path.normpath(expanded(folder).absolute()))
        with self._file.writing() as connection:
            known = folders.at(connection, path)
            return known or self._watched_anew(connection, path, new=None)

    def forgotten(self) -> tuple[Removed, ...]:
        """Return the folders that can be taken back, the latest first."""
        return tuple(removed_folders.waiting(self._file.path))

    def _watched_anew(self, connection: LibraryConnection, path: bytes, *, new: dict[str, str] | None) -> Folder:
        """Watch a folder that was forgotten, or else a `new` one by these rules."""
        refuse_nested(path, [each.path for each in folders.every(connection)])
        if not removed_folders.take_back(connection, self._file.path, path):
            if new is None:
                raise PathError(
                    f"{display(path)} was not forgotten within the last day.",
                    fix="`carrel add` watches it, and the next sync reads it anew.",
                )
            folders.add(connection, path, new)
        requests.file(connection, "sync")
        return watched_folder(connection, path)
