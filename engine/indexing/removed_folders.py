"""Forgets watched folders; each waits for a day in a file beside the library, and can come back whole.

A forgotten folder is out of the library at once, so nothing of it can be found, counted or explained by mistake. What
it held, vectors included, lies in an archive in the folder `<library>.removed` until its day is over.
"""

from __future__ import annotations

import json
import os
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import apsw

from engine.errors import CarrelError, LibraryDamaged
from engine.indexing.crash_recovery import forget_readings
from engine.lazy_dataclass import dataclass
from engine.paths import display, private_folder
from engine.store import backup, folders, models, stored_values
from engine.store.transactions import path_of, transaction
from engine.store.write_ahead_log import fold_in

if TYPE_CHECKING:
    from engine.store.archive import Kept, LibraryArchive

KEPT_SECONDS = 24 * 3600.0
AT_ONCE = 4  # documents a commit: about 100 ms of overwriting words and vectors
_ENDING = ".portion"


@dataclass(frozen=True, slots=True)
class Removed:
    """A forgotten folder: its absolute path, when it was forgotten (seconds since the epoch), and what it held."""

    path: bytes
    at: float
    documents: int
    file: Path

    @property
    def until(self) -> float:
        """When it is forgotten for good, in seconds since the epoch."""
        return self.at + KEPT_SECONDS


def waiting(library: Path) -> list[Removed]:
    """Return the forgotten folders that can come back, the latest first."""
    now = time.time()
    return sorted((each for each in _all(library) if each.until > now), key=lambda each: -each.at)


def waiting_at(library: Path, path: bytes) -> Removed | None:
    """Return the forgotten folder that had this absolute path, None where none waits."""
    return next((each for each in waiting(library) if each.path == path), None)


def forget_folder(conn: apsw.Connection, folder_id: int, *, forever: bool = False) -> int:
    """Remove a folder's documents and then the folder; return how many documents there were.

    Unless `forever`, what was indexed waits a day beside the library, to come back. The caller holds the indexer lock.
    Killed in between, the folder is still watched and a sync brings it back. Raises LibraryFull before anything is
    removed where there is no room to keep it.
    """
    from engine.store.document_writer import Writer  # numpy, which a sync without work does without
    from engine.store.segment_merge import together

    if forever:
        drop(conn, path_of(conn), folder_id)
    else:
        keep(conn, path_of(conn), folder_id)
    documents = folders.documents_in(conn, folder_id)
    model = models.active(conn)
    if model is not None:
        writer = Writer(conn, model.id)
        with together(conn, documents):
            for start in range(0, len(documents), AT_ONCE):
                with writer.transaction():
                    writer.remove(documents[start : start + AT_ONCE])
    forget_readings(path_of(conn), _path_of(conn, folder_id))
    folders.remove(conn, folder_id)
    fold_in(conn)
    return len(documents)


def keep(conn: apsw.Connection, library: Path, folder_id: int) -> None:
    """Copy a folder with all that is indexed of it to where it waits. The caller holds the indexer lock.

    What still waits of it from an earlier time is brought back first.
    """
    from engine.indexing.outdated_documents import versions_here  # the readers' table, which a start does without
    from engine.store.archive import LibraryArchive, gather  # numpy, which a sync without work does without

    path = _path_of(conn, folder_id)
    if waiting_at(library, path) is not None:
        settle(conn, library, lambda: False)
    target = _file_of(library, path)
    private_folder(target.parent)
    draft = backup.draft_of(target)
    active = models.active(conn)
    try:
        with LibraryArchive.create(draft) as kept:
            documents = gather(conn, kept, folder_id)
            about = {"path": path, "at": time.time(), "documents": documents}
            read_by = {"fingerprint": active.fingerprint if active else "", "readers": json.dumps(versions_here(conn))}
            kept.finish({**about, **read_by})
        backup.settle(draft, target)
    finally:
        backup.discard(draft)


def drop(conn: apsw.Connection, library: Path, folder_id: int) -> None:
    """Forget for good what waits of a watched folder from an earlier time. The caller holds the indexer lock."""
    _file_of(library, _path_of(conn, folder_id)).unlink(missing_ok=True)


def drop_waiting(library: Path, path: bytes) -> int | None:
    """Forget for good a folder that waits and is watched no more; return how many documents it held.

    None where none of this path waits. The caller holds the indexer lock.
    """
    found = waiting_at(library, path)
    if found is None:
        return None
    found.file.unlink(missing_ok=True)
    return found.documents


def take_back(conn: apsw.Connection, library: Path, path: bytes) -> bool:
    """Watch a forgotten folder again, with the rules that it had; False where none of this path waits.

    What it held comes back with the next sync (`settle`). One small write, for which no lock is needed. Raises
    LibraryDamaged where the rules cannot be read: without them, files would be indexed that are to be left out.
    """
    from engine.store.archive import LibraryArchive

    found = waiting_at(library, path)
    if found is None:
        return False
    try:
        with LibraryArchive.open(found.file) as kept:
            (folder,) = kept.folders()
    except (LibraryDamaged, ValueError) as error:
        raise LibraryDamaged(
            f"What was kept of {display(path)} is damaged, and its rules cannot be read.",
            cause="The library is sound.",
            fix=f"`carrel remove --forever {shlex.quote(display(path))}` lets go of it; then add the folder anew.",
        ) from error
    with transaction(conn):
        conn.execute(
            "INSERT INTO folder(path, rules, state, added_at) VALUES(?, ?, ?, ?) ON CONFLICT(path) DO NOTHING",
            (path, folder["rules"], folder["state"], folder["added_at"]),
        )
    return True


def settle(conn: apsw.Connection, library: Path, stop: Callable[[], bool]) -> int:
    """Bring back what is watched again, and drop what has waited long enough; return how many documents came back.

    The caller holds the indexer lock. Where another model is in use by now, the files are read anew instead.
    """
    if not _place(library).is_dir():
        return 0
    for draft in _place(library).glob(".*"):  # of a removal that was killed
        backup.discard(draft)
    came_back, now = 0, time.time()
    _drop_unreadable(library, now)
    for each in _all(library):
        if folders.at(conn, each.path) is not None:
            came_back += _bring_back(conn, each, stop)
        elif each.until > now:
            continue
        if not stop():
            each.file.unlink(missing_ok=True)
    with suppress(OSError):
        _place(library).rmdir()  # where nothing waits any more
    return came_back


def _bring_back(conn: apsw.Connection, removed: Removed, stop: Callable[[], bool]) -> int:
    from engine.indexing.outdated_documents import note_arrivals, versions_in  # as above
    from engine.store.archive import LibraryArchive
    from engine.store.archive_return import put_back
    from engine.store.document_writer import Writer

    active, folder = models.active(conn), folders.at(conn, removed.path)
    assert folder is not None
    with LibraryArchive.open(removed.file) as kept:
        about = kept.about()
        if active is None or about["fingerprint"] != active.fingerprint:
            return 0
        documents = _readable(kept, folder.id)
        came_back = put_back(Writer(conn, active.id), documents, {folder.id: folder.id}, stop).documents
    note_arrivals(conn, versions_in(stored_values.json_object(about.get("readers"))))
    return came_back


def _readable(kept: LibraryArchive, folder_id: int) -> Iterator[Kept]:
    """Yield what waits, as documents of this folder, up to where it is damaged: the sync reads the other files anew."""
    try:
        for each in kept.documents():
            yield replace(each, folder_id=folder_id)
    except (LibraryDamaged, ValueError, TypeError, AttributeError, KeyError):
        import logging  # which a start does without

        logging.getLogger(__name__).warning(
            "what was kept of a forgotten folder is damaged: %s", kept.path, exc_info=True
        )


def _path_of(conn: apsw.Connection, folder_id: int) -> bytes:
    return bytes(conn.execute("SELECT path FROM folder WHERE id = ?", (folder_id,)).get)


def _file_of(library: Path, path: bytes) -> Path:
    from hashlib import blake2b  # 5 ms: it loads OpenSSL

    return _place(library) / (blake2b(path, digest_size=16).hexdigest() + _ENDING)


def _drop_unreadable(library: Path, now: float) -> None:
    """Drop what cannot be read back once its day is over, by the date of its file."""
    readable = {each.file for each in _all(library)}
    for file in _place(library).glob(f"*{_ENDING}"):
        if file not in readable and now - file.stat().st_mtime > KEPT_SECONDS:
            file.unlink(missing_ok=True)


def _all(library: Path) -> list[Removed]:
    found: list[Removed] = []
    with suppress(FileNotFoundError, NotADirectoryError):
        for entry in os.scandir(_place(library)):
            if entry.name.endswith(_ENDING) and not entry.name.startswith("."):
                with suppress(LibraryDamaged, KeyError, CarrelError):
                    found.append(_read(Path(entry.path)))
    return found


def _read(file: Path) -> Removed:
    from engine.store.archive import LibraryArchive

    with LibraryArchive.open(file) as kept:
        about = kept.about()
    path, at, documents = about["path"], about["at"], about["documents"]
    if not (isinstance(path, bytes) and isinstance(at, float) and isinstance(documents, int)):
        raise LibraryDamaged(f"{file} is no forgotten folder.")
    return Removed(path, at, documents, file)


def _place(library: Path) -> Path:
    return library.with_name(library.name + ".removed")
