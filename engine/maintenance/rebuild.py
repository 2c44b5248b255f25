"""Rebuilds a library whose file cannot be used: saves what can be read of it, and indexes its folders again.

The damaged file is kept. What is saved is what no sync could bring back (folders with their rules, judgements, the
search log, settings, what two models were compared in, which models there were) and, where they can be read, documents
with the vectors of each model, so that little has to be embedded again. Every file is read again, for a damaged page
may hold wrong words without a sign of it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import apsw

from engine.local_indexer import LocalIndexer
from engine.maintenance import value_checks
from engine.maintenance.restoration import set_aside
from engine.maintenance.saved_models import UNREADABLE, save_late, save_model, save_vectors
from engine.paths import private_folder
from engine.records import SyncReport
from engine.store import backup, folders, models, vector_tables
from engine.store.archive import LibraryArchive, gather
from engine.store.archive_return import put_back
from engine.store.connection import READER_CACHE_KIB, open_writer, prepare
from engine.store.document_writer import Writer
from engine.store.lock import IndexerLock
from engine.store.row_mapping import Row
from engine.store.stored_values import selecting, values_of
from engine.store.transactions import transaction
from engine.store.untrusted_file import foreign, harden

if TYPE_CHECKING:
    from engine.embedding.encoder import Encoder
    from engine.events import Event

SAVED = {
    "folder": ("id", "path", "rules", "state", "added_at"),
    "meta": ("key", "value"),
    "judgement": ("at", "query", "passage_hash", "path", "grade"),
    "search_log": ("at", "query", "verdict", "fusion", "milliseconds", "results", "source"),
    "shadow_search": (
        *("id", "at", "model_a", "model_b", "stream", "query", "words", "identifier", "folder"),
        *("verdict_a", "verdict_b", "ms_a", "ms_b", "top_a", "top_b"),
    ),
    "shadow_pair": ("search_id", "hash", "rank_a", "rank_b", "cosine_a", "cosine_b", "tier_a", "tier_b", "coverage"),
    "shadow_review": ("id", "at", "search_id", "left_is_b", "choice", "seconds", "control"),
    "shadow_event": ("id", "at", "kind", "model", "detail"),
}
WITHOUT_ROWID = ("meta", "shadow_pair")  # the first column stands for it
NAMES = {
    "folder": "folders",
    "meta": "settings",
    "judgement": "judgements",
    "search_log": "logged searches",
    "shadow_search": "compared searches",
    "shadow_pair": "compared passages",
    "shadow_review": "choices between two models",
    "shadow_event": "steps of a model",
    "document": "documents",
    "model": "other models",
    "vector": "vectors of other models",
    "late": "vectors of late interaction",
}
COUNTED = ("folder", "judgement", "search_log", "shadow_search", "shadow_review")  # lost for good where not saved


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The result of a rebuild: what was saved, by name; where the former library lies now; and the sync after it.

    `lost` is what the old library said that it had and what could not be read, by name.
    """

    saved: Mapping[str, int]
    kept: Path | None
    report: SyncReport
    lost: Mapping[str, int] = field(default_factory=dict)


def rebuild(
    library: Path, encoder: Encoder | None, on_event: Callable[[Event], None], stop: threading.Event
) -> Rebuilt:
    """Put a new library in the place of the one at `library`, which is kept, and index its folders.

    When `stop` is set, the new library is there with what was indexed by then, and the next sync goes on. Raises
    LibraryBusy where an indexer runs, LibraryFull before anything is changed, ModelError where the library's model is
    not installed any more.
    """
    with IndexerLock(library).acquire("rebuilding"):
        private_folder(library.parent)
        draft = backup.draft_of(library)
        try:
            saved, lost = _save(library, draft, stop)
            backup.synced(draft)  # what may fail comes before the library leaves its place
            kept = set_aside(library, "damaged")
            backup.settle(draft, library)
        finally:
            backup.discard(draft)
        conn = open_writer(library, lock_held=True)
        try:
            report = LocalIndexer(conn, library, encoder).sync(full=True, on_event=on_event, stop=stop)
        finally:
            conn.close()
    return Rebuilt(saved, kept, report, lost)


def _save(library: Path, draft: Path, stop: threading.Event) -> tuple[dict[str, int], dict[str, int]]:
    """Make the new library with what can be read of the old one; return what was saved and what was not, by name."""
    backup.discard(draft)
    conn = open_writer(draft, create=True, lock_held=True)
    saved, lost = dict.fromkeys(NAMES.values(), 0), dict[str, int]()
    try:
        with suppress(*UNREADABLE):  # a file that cannot be opened at all gives nothing
            old = _opened(library)
            try:
                strange = {each.name for each in foreign(old)}  # a view, say, that has no end
                for table in (each for each in SAVED if each not in strange):
                    saved[NAMES[table]] = _save_rows(old, conn, table)
                    if table in COUNTED and (had := _count(old, table)) > saved[NAMES[table]]:
                        lost[NAMES[table]] = had - saved[NAMES[table]]
                value_checks.mend(conn)  # what came over damaged would end the sync
                if "model" not in strange:
                    _save_models(old, conn, draft, stop, saved, lost, sound=not strange)
            finally:
                old.close()
    finally:
        conn.close()
    return saved, lost


def _save_models(
    old: apsw.Connection,
    conn: apsw.Connection,
    draft: Path,
    stop: threading.Event,
    saved: dict[str, int],
    lost: dict[str, int],
    *,
    sound: bool,
) -> None:
    """Save the model in use with the documents, then the others with what they have made of these.

    Without `sound` tables nothing is read but which models there were.
    """
    there = models.every(old)
    active = [each for each in there if each.state == "active" and save_model(old, conn, each)]
    if there and not active:
        lost["models"] = len(there)
    if active and sound:
        saved[NAMES["document"]] = _save_documents(old, conn, draft, stop)
    for each in there if active else ():
        if each.state == "active":
            continue
        if not save_model(old, conn, each):
            lost[NAMES["model"]] = lost.get(NAMES["model"], 0) + 1
            continue
        saved[NAMES["model"]] += 1
        if sound:
            saved[NAMES["vector"]] += save_vectors(old, conn, each)
    if active and sound:
        saved[NAMES["late"]] = save_late(old, conn)


def _count(old: apsw.Connection, table: str) -> int:
    """Return how many rows a table has, 0 where that cannot be told."""
    with suppress(apsw.Error):
        return int(old.execute(f"SELECT count(*) FROM {table}").get)
    return 0


def _opened(library: Path) -> apsw.Connection:
    old = apsw.Connection(str(library), flags=apsw.SQLITE_OPEN_READONLY)
    harden(old)
    with suppress(apsw.Error):
        prepare(old, READER_CACHE_KIB)
    return old


def _save_rows(old: apsw.Connection, conn: apsw.Connection, table: str) -> int:
    columns = _columns(old, table)
    sql = f"INSERT OR IGNORE INTO {table}({', '.join(columns)}) VALUES({', '.join('?' * len(columns))})"
    saved = 0
    with transaction(conn):
        for row in _readable(old, table, columns):
            with suppress(apsw.Error):  # a value that a sound library cannot hold
                conn.execute(sql, row)
                saved += conn.changes()
    return saved


def _columns(old: apsw.Connection, table: str) -> tuple[str, ...]:
    """Return what is saved of a table, as far as a library of an older Carrel has it."""
    with suppress(apsw.Error):
        there = {str(name) for (name,) in old.execute("SELECT name FROM pragma_table_info(?)", (table,))}
        return tuple(each for each in SAVED[table] if each in there) or SAVED[table]
    return SAVED[table]


def _readable(old: apsw.Connection, table: str, columns: tuple[str, ...]) -> Iterator[Row]:
    """Yield the rows of a table that can be read, from its beginning and then from its end up to a damaged page.

    In a text that is no UTF-8, U+FFFD stands for what cannot be read.
    """
    key = columns[0] if table in WITHOUT_ROWID else "rowid"
    for order in ("ASC", "DESC"):
        try:
            for row in old.execute(f"SELECT {selecting(columns)} FROM {table} ORDER BY {key} {order}"):
                yield tuple(values_of(row, "replace"))
            return
        except apsw.Error:
            continue


def _save_documents(old: apsw.Connection, conn: apsw.Connection, draft: Path, stop: threading.Event) -> int:
    """Bring over what can be read of the documents of each folder; one that cannot be read to its end is left out."""
    model = models.active(conn)
    assert model is not None
    saved = 0
    for folder in folders.every(conn):
        aside = draft.with_name(f"{draft.name}.portion")
        with suppress(*UNREADABLE), LibraryArchive.create(aside) as archive:
            with suppress(*UNREADABLE):
                gather(old, archive, folder.id)
            archive.finish({})
            documents = archive.sound_documents(vector_tables.dimension(conn, model.id))
            returned = put_back(Writer(conn, model.id), documents, {folder.id: folder.id}, stop.is_set)
            saved += returned.documents
    return saved
