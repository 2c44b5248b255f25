"""The checks of `carrel doctor` (is the file sound, do its parts agree, is the machine fit for it) and its repairs.

Checking takes no lock. What is asked of the inside of the file is in `engine.store.integrity`.
"""

from __future__ import annotations

import os
import shutil
import stat
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import apsw

from engine.errors import CarrelError, LibraryDamaged, LibraryReadOnly, ModelError
from engine.figures import percent, size
from engine.indexing import content_check
from engine.local_indexer import LocalIndexer
from engine.maintenance import value_checks
from engine.paths import places
from engine.records import Check
from engine.store import backup, folders, integrity, migrations, models, passage_counts, stored_values
from engine.store.connection import LOG_LIMIT_BYTES, open_reader, open_writer
from engine.store.lock import IndexerLock
from engine.store.repair import repair
from engine.store.untrusted_file import ending, missing
from engine.version import version

if TYPE_CHECKING:
    from engine.embedding.encoder import Encoder
    from engine.events import Event

OTHERS = stat.S_IRWXG | stat.S_IRWXO
NOT_OPENED = "Put a backup back with `carrel restore FILE`, or index anew with `carrel restore --rebuild`."


def examine(library: Path, encoder: Encoder | None = None) -> tuple[Check, ...]:
    """Return one result for each check; where the file cannot be opened, of those that do without it.

    `encoder` stands in for the library's own model. Raises LibraryMissing, SchemaTooNew, LibraryBusy.
    """
    try:
        conn = open_reader(library)
    except LibraryDamaged as error:
        inside = [_unopened(error, NOT_OPENED)]
    except LibraryReadOnly as error:
        inside = [_unopened(error, error.fix)]
    else:
        try:
            with ending(conn, library):
                found = integrity.checks(conn)
            inside = [*found, *_of_the_library(conn, library, encoder)]
        finally:
            conn.close()
    return (*inside, _permissions(library), _space(library))


def own_files(library: Path) -> Iterator[Path]:
    """Yield the files that hold something of the person's notes or searches: the library's, and the logs."""
    beside = [library, *backup.beside(library)]
    yield from (each for each in beside if each.is_file())
    yield from (each for folder in beside if folder.is_dir() for each in sorted(folder.iterdir()) if each.is_file())
    state = places().state
    yield from (each for each in sorted(state.rglob("*")) if each.is_file() and not each.is_symlink())


def readable_by_others(library: Path) -> list[Path]:
    """Return those of `own_files` that others than their owner may read or write."""
    found = []
    for each in own_files(library):
        with suppress(OSError):  # it went meanwhile, as a log of SQLite does with its last reader
            if each.stat().st_mode & OTHERS:
                found.append(each)
    return found


def _unopened(error: CarrelError, remedy: str) -> Check:
    return Check("file", False, 1, f"{error.message} {error.cause}".strip(), False, remedy)


def _of_the_library(conn: apsw.Connection, library: Path, encoder: Encoder | None) -> Iterator[Check]:
    asked: tuple[tuple[str, Callable[[], Check]], ...] = (
        ("schema", lambda: _schema(conn)),
        ("values", lambda: _values(conn, library)),
        ("model", lambda: _model(conn, encoder)),
        ("other models", lambda: _other_models(conn)),
        ("data", lambda: _wordless(conn)),
        ("watching", lambda: _watching(conn, library)),
        ("up to date", lambda: _up_to_date(conn, library)),
        ("contents", lambda: _contents(conn)),
        ("unused space", lambda: _unused_space(conn)),
        ("versions", lambda: _versions(conn)),
    )
    for name, ask in asked:
        try:
            yield ask()
        except (apsw.Error, CarrelError, *stored_values.WRONG) as error:
            yield Check(name, False, 1, f"It could not be checked: {error}", False, NOT_OPENED)


def _schema(conn: apsw.Connection) -> Check:
    """Name the tables and indexes that are gone; one too many keeps the file from being opened at all."""
    gone = missing(conn)
    if not gone:
        return Check("schema", True, 0, "every table and index is there", False)
    return Check("schema", False, len(gone), f"not there: {', '.join(gone)}", False, NOT_OPENED)


def _values(conn: apsw.Connection, library: Path) -> Check:
    with ending(conn, library):
        return value_checks.check(conn)


def _model(conn: apsw.Connection, encoder: Encoder | None) -> Check:
    """Hold the model's files against their hashes, and the model against the one that made the vectors."""
    active = models.active(conn)
    if active is None:
        return Check("model", True, 0, "no model yet: nothing is indexed", False)
    faults: tuple[str, ...] = ()
    if encoder is not None:
        found = encoder.manifest.fingerprint
    else:
        from engine.embedding import catalogue
        from engine.embedding.manifest import Manifest, verify

        again = "Install Carrel again." if active.name == catalogue.EMBEDDED else f"`carrel models use {active.name}`"
        try:
            folder = catalogue.folder_of(active.name)
            faults = verify(folder)
            found = "" if faults else Manifest.read(folder).fingerprint
        except ModelError as error:
            return Check("model", False, 1, f"{error.message} {error.cause}".strip(), False, error.fix or again)
        if faults:
            return Check("model", False, len(faults), " ".join(faults), False, again)
    if found != active.fingerprint:
        said = f"{active.name} as it is installed is not the one that made the library's vectors"
        return Check("model", False, 1, said, False, f"`carrel models use {active.name}` embeds everything with it.")
    return Check("model", True, 0, f"{active.name} is the one that made the vectors, byte for byte", False)


def _other_models(conn: apsw.Connection) -> Check:
    """Say what the models lack that follow the one in use: no fault, the indexer makes it, or the way back does."""
    gaps = [(each.name, each.passages - each.covered) for each in models.followers(conn) if not each.shared]
    said = ", ".join(f"{missing:,} of {name}" for name, missing in gaps if missing > 0)
    count = sum(max(0, missing) for _, missing in gaps)
    if not count:
        sound = "every model that is kept beside the one in use has all its vectors" if gaps else "none is kept"
        return Check("other models", True, 0, sound, False)
    return Check("other models", True, count, f"vectors still to be made beside those in use: {said}", False)


def _wordless(conn: apsw.Connection) -> Check:
    """Say how many passages are data and not words, and so have no vector: no fault, they are found by words."""
    count = passage_counts.held_back(conn)
    said = f"{count:,} passages are data (figures, keys, packed code): they have no vector and are found by words alone"
    return Check("data", True, count, said if count else "every passage is words, and none is kept from meaning", False)


def _watching(conn: apsw.Connection, library: Path) -> Check:
    """Return what the indexing process last reported of its watching; without one, whether the limit allows it."""
    from engine.event_log.event_file import last_watching
    from engine.store.lock import events_of

    events = events_of(library)
    watched = last_watching(events) if events is not None else None
    if watched is None:
        return _room_to_watch(conn)
    said = f"the process that indexes hears of {watched.covered:,} of {watched.folders:,} folders"
    remark = f"; {watched.remark}" if watched.remark else ""
    sound = not watched.fix  # what lies on other machines cannot be heard of, and is looked at instead
    unheard = 0 if sound else max(1, watched.folders - watched.covered)
    return Check("watching", sound, unheard, said + remark, False, watched.fix)


def _room_to_watch(conn: apsw.Connection) -> Check:
    """Hold the number of folders, each of which takes a watch whether or not it is indexed, against the limit."""
    from engine.watching.coverage import SETTING, raising, wanted_limit, watch_limit

    total = sum(1 for root in folders.every(conn) if root.state != "paused" for _ in os.walk(root.path))
    limit = watch_limit()
    if limit is None:
        return Check("watching", True, 0, f"folders, with those left out: {total:,}; the system sets no limit", False)
    said = f"folders, with those left out: {total:,}; the system lets a person's programs watch {limit:,} in all"
    if total <= limit:
        return Check("watching", True, 0, said, False)
    remedy = f"Some would be looked at only now and then. {raising(SETTING, wanted_limit(total, limit))}"
    return Check("watching", False, total - limit, said, False, remedy)


def _up_to_date(conn: apsw.Connection, library: Path) -> Check:
    """Count the files that differ from the index: no fault, for an indexer may be about to read them."""
    from engine.indexing.absence import stale_files
    from engine.indexing.removal_guard import said_of, way_out

    held = [folder for folder in folders.every(conn) if folder.held]
    if held:
        said = " ".join(said_of(folder.path, folder.held) for folder in held)
        return Check("up to date", True, sum(folder.held for folder in held), said, False, way_out(held[0].path))
    count = stale_files(conn, library)
    if not count:
        return Check("up to date", True, 0, "no file has changed since it was indexed", False)
    said = f"files that are new, changed or gone since the last sync: {count:,}"
    return Check("up to date", True, count, said, False, "`carrel sync`")


def _contents(conn: apsw.Connection) -> Check:
    """Say when the bytes of the files were last held against what is indexed: no fault, a sync goes on with it."""
    total, late, days = content_check.unseen(conn)
    if not total:
        return Check("contents", True, 0, "no file is indexed yet", False)
    if not late:
        since = f"within the last {days + 1:.0f} days" if days >= 1 else "today"
        return Check("contents", True, 0, f"the bytes of every file were held against the index {since}", False)
    said = f"{late:,} of {total:,} files were not held against their bytes for a month, one for {days:,.0f} days"
    return Check("contents", True, late, said, False, "Each sync looks at some; `carrel sync --full` at all.")


def _unused_space(conn: apsw.Connection) -> Check:
    """Say how much of the file a compaction would give back: no fault, for new documents fill it again."""
    from engine.store import vacuum

    share = vacuum.waste(conn)
    said = f"compacting would give back {percent(share)} of the file"
    return Check("unused space", True, 0, said, False, "`carrel compact`" if share >= vacuum.WORTHWHILE else "")


def _versions(conn: apsw.Connection) -> Check:
    parts = (
        f"Carrel {version()}",
        f"schema {migrations.version(conn)} of {migrations.newest_version()}",
        f"SQLite {apsw.sqlite_lib_version()}",
        f"sqlite-vec {conn.execute('SELECT vec_version()').get}",
        f"apsw {apsw.apsw_version()}",
    )
    return Check("versions", True, 0, ", ".join(parts), False)


def _permissions(library: Path) -> Check:
    found = readable_by_others(library)
    if not found:
        return Check("permissions", True, 0, "the library and the logs are readable by their owner only", True)
    names = ", ".join(each.name for each in found[:3]) + (", ..." if len(found) > 3 else "")
    return Check("permissions", False, len(found), f"others may read {names}", True)


def _space(library: Path) -> Check:
    free = shutil.disk_usage(library.parent).free
    said = f"{size(free)} free where the library lies"
    if free >= LOG_LIMIT_BYTES:
        return Check("space", True, 0, said, False)
    return Check("space", False, 1, said, False, "Free some space: indexing stops when the disk is full.")


def mend(
    library: Path, faults: Sequence[Check], encoder: Encoder | None, on_event: Callable[[Event], None]
) -> tuple[str, ...]:
    """Mend the repairable ones of `faults` and return what was done, one sentence each.

    Documents that lost passages or vectors are read again at once. Raises LibraryBusy where an indexer runs,
    LibraryDamaged where the file's pages are too damaged for it.
    """
    names = {fault.name for fault in faults if fault.repairable and not fault.ok}
    if not names:
        return ()
    done: list[str] = []
    with IndexerLock(library).acquire("repairing"):
        if "permissions" in names:
            done.append(_made_private(library))
        if names - {"permissions"}:
            done += _mended_inside(library, encoder, on_event)
    return tuple(done)


def _made_private(library: Path) -> str:
    found = readable_by_others(library)
    for each in found:
        with suppress(FileNotFoundError):
            each.chmod(each.stat().st_mode & ~OTHERS)
    names = ", ".join(each.name for each in found)
    return f"Made these readable by their owner only: {names}."


def _mended_inside(library: Path, encoder: Encoder | None, on_event: Callable[[Event], None]) -> list[str]:
    conn = open_writer(library, lock_held=True)
    try:
        done = value_checks.mend(conn)
        repaired = repair(conn)
        done.append("Built the word index anew.")
        if repaired.orphans:
            done.append(f"Rows removed that belonged to nothing: {repaired.orphans}.")
        if repaired.vectors:
            done.append(f"Vectors removed that could not be used: {repaired.vectors}.")
        if repaired.late_removed:
            done.append("Late interaction could not be read and was removed: `carrel late on` switches it on anew.")
        done.append(_read_again(LocalIndexer(conn, library, encoder), on_event))
    finally:
        conn.close()
    return done


def _read_again(indexer: LocalIndexer, on_event: Callable[[Event], None]) -> str:
    try:
        report = indexer.sync(on_event=on_event, stop=threading.Event())
    except ModelError as error:
        return f"What is missing waits to be read again by `carrel sync`, which cannot be done now: {error}"
    read = report.added + report.updated
    return f"Looked at the folders. Documents read again: {read}; passages embedded: {report.embedded}."
