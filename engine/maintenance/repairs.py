"""The doctor's repairs: mends what `examine` found and calls repairable, and says what was done."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import ModelError
from engine.local_indexing import Keeper
from engine.maintenance.checks import OTHERS, readable_by_others
from engine.records import Check
from engine.store.connection import open_writer
from engine.store.lock import IndexerLock
from engine.store.repair import repair

if TYPE_CHECKING:
    from engine.embedding.encoder import Encoder
    from engine.events import Event


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
        each.chmod(each.stat().st_mode & ~OTHERS)
    names = ", ".join(each.name for each in found)
    return f"Made these readable by their owner only: {names}."


def _mended_inside(library: Path, encoder: Encoder | None, on_event: Callable[[Event], None]) -> list[str]:
    conn = open_writer(library, lock_held=True)
    try:
        repaired = repair(conn)
        done = ["Built the word index anew."]
        if repaired.orphans:
            done.append(f"Rows removed that belonged to nothing: {repaired.orphans}.")
        if repaired.vectors:
            done.append(f"Vectors removed that could not be used: {repaired.vectors}.")
        done.append(_read_again(Keeper(conn, library, encoder), on_event))
    finally:
        conn.close()
    return done


def _read_again(keeper: Keeper, on_event: Callable[[Event], None]) -> str:
    try:
        report = keeper.sync(on_event=on_event, stop=threading.Event())
    except ModelError as error:
        return f"What is missing waits to be read again by `carrel sync`, which cannot be done now: {error}"
    read = report.added + report.updated
    return f"Looked at the folders. Documents read again: {read}; passages embedded: {report.embedded}."
