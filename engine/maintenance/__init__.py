"""`Maintenance`: check, repair, backup, export, rebuild and compaction of a library file that may be damaged."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

import apsw

from engine.errors import CarrelError
from engine.lazy_dataclass import dataclass
from engine.paths import expanded, library_path
from engine.records import Check, LastCheck
from engine.store import meta, stored_values
from engine.store.connection import open_writer

if TYPE_CHECKING:
    from engine.embedding.encoder import Encoder
    from engine.events import Event
    from engine.maintenance.compaction import Compacted
    from engine.maintenance.exporter import Exported
    from engine.maintenance.importer import Imported
    from engine.maintenance.kept_data import Kept
    from engine.maintenance.rebuild import Rebuilt
    from engine.maintenance.restoration import Restored
    from engine.store.backup import Copied


PATIENCE_MILLISECONDS = 500  # a commit takes 50; a longer write is not worth waiting for
_KEY = "last_check"


@dataclass(frozen=True, slots=True)
class DoctorReport:
    """The results of the last checks, the repairs made before them, a sentence each, and what is kept where."""

    checks: tuple[Check, ...]
    done: tuple[str, ...] = ()
    kept: tuple[Kept, ...] = ()


class Maintenance:
    """All that is done for one library file as a whole. Nothing is opened early, and nothing is kept open."""

    def __init__(self, path: Path | None = None, encoder: Encoder | None = None) -> None:
        """`path` as for `Library.open`; `encoder` stands in for the library's own model."""
        self.path = library_path(path)
        self._encoder = encoder

    def check(self, *, repair: bool = False, on_event: Callable[[Event], None] = lambda _: None) -> DoctorReport:
        """Look for everything that can be wrong, and with `repair` mend what can be mended, and look again.

        Looking needs no lock. Raises LibraryMissing, SchemaTooNew, and LibraryBusy where a repair is asked for while
        another process indexes.
        """
        from engine.maintenance.doctor import examine
        from engine.maintenance.kept_data import kept_data

        checks = examine(self.path, self._encoder)
        done: tuple[str, ...] = ()
        if repair:
            from engine.maintenance.doctor import mend

            done = mend(self.path, checks, self._encoder, on_event)
            checks = examine(self.path, self._encoder) if done else checks
        remember(self.path, checks)
        return DoctorReport(checks, done, kept_data(self.path))

    def back_up(self, target: Path) -> Copied:
        """Copy the library to a file, checked, while others may read and write it."""
        from engine.maintenance.restoration import back_up

        return back_up(self.path, expanded(target).absolute())

    def restore(self, source: Path) -> Restored:
        """Put a backup in the library's place, and keep what was there under another name."""
        from engine.maintenance.restoration import restore

        return restore(self.path, expanded(source).absolute())

    def export_to(self, target: Path, *, with_vectors: bool = True) -> Exported:
        """Write the library to a file as JSON Lines."""
        from engine.maintenance.exporter import export_to
        from engine.maintenance.restoration import refuse_place, unwritable

        place = expanded(target).absolute()
        refuse_place(self.path, place)
        try:
            return export_to(self.path, place, with_vectors=with_vectors)
        except OSError as error:
            raise unwritable(place, error) from error

    def export(self, write: Callable[[str], object], *, with_vectors: bool = True) -> Exported:
        """Give the library line by line to `write`."""
        from engine.maintenance.exporter import export

        return export(self.path, write, with_vectors=with_vectors)

    def import_from(
        self,
        stream: IO[bytes],
        name: str,
        *,
        on_event: Callable[[Event], None] = lambda _: None,
        stop: threading.Event | None = None,
    ) -> Imported:
        """Take an export into the library, which is made if there is none."""
        from engine.maintenance.importer import import_from

        return import_from(self.path, stream, name, self._encoder, on_event, stop or threading.Event())

    def rebuild(
        self, *, on_event: Callable[[Event], None] = lambda _: None, stop: threading.Event | None = None
    ) -> Rebuilt:
        """Begin anew from the folders, saving what can be read; what was there is kept."""
        from engine.maintenance.rebuild import rebuild

        return rebuild(self.path, self._encoder, on_event, stop or threading.Event())

    def compact(self) -> Compacted:
        """Give the space of what was removed back to the disk."""
        from engine.maintenance.compaction import compact

        return compact(self.path)


def remember(library: Path, checks: Sequence[Check]) -> None:
    """Keep what a check found. A file that cannot be written now is left as it is: the finding was told already.

    Nothing is written into a file whose pages are damaged.
    """
    if any(check.name == "file" and not check.ok for check in checks):
        return
    faults = sum(not check.ok for check in checks)
    try:
        conn = open_writer(library)
    except (CarrelError, apsw.Error, OSError):
        return
    conn.set_busy_timeout(PATIENCE_MILLISECONDS)
    try:
        meta.put(conn, _KEY, json.dumps({"at": time.time(), "faults": faults}))
    except (CarrelError, apsw.Error):
        return
    finally:
        conn.close()


def last_check(conn: apsw.Connection) -> LastCheck | None:
    """Return the last check of a library, None where it was never checked, or what is kept of it is damaged."""
    found = stored_values.json_object(meta.get(conn, _KEY)) or {}
    at, faults = stored_values.moment(found.get("at")), stored_values.count(found.get("faults"))
    return None if at is None or faults is None else LastCheck(at, faults)
