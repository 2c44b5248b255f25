"""Imports an export into a library, which is touched only after the whole export was read and checked.

Vectors are taken where the export's model is the library's; else passages are found by words at once, and then embedded
here from title, headings and text. They count as unread, so that the next sync reads their files properly where they
are.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import apsw

from engine.errors import LibraryError, ModelError, UsageError
from engine.events import Event, Preparing
from engine.indexing.outdated_documents import note_arrivals, note_readers
from engine.local_indexer import LocalIndexer
from engine.maintenance.export_reader import HASH_BYTES, ExportHeader, ExportReader
from engine.paths import private_folder, refuse_nested
from engine.records import Passage, is_held_back
from engine.store import backup, fitted_constants, folders, models, pending_vectors, stored_values
from engine.store.archive import JUDGEMENT, Kept, LibraryArchive
from engine.store.archive_return import put_back
from engine.store.connection import open_writer
from engine.store.document_writer import Writer
from engine.store.judgements import keep_sketches, sketch_missing
from engine.store.lock import IndexerLock
from engine.store.row_mapping import Row
from engine.store.transactions import transaction

if TYPE_CHECKING:
    from engine.embedding.encoder import Encoder

ROWS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Imported:
    """The counts of an import; `known` documents were there already and stayed as they were.

    `embedded` texts got their vector here, and `pending` ones still wait, since it was stopped or the model is missing.
    """

    folders: int
    documents: int
    passages: int
    judgements: int
    known: int
    embedded: int
    pending: int = 0


def import_from(
    library: Path,
    stream: IO[bytes],
    name: str,
    encoder: Encoder | None,
    on_event: Callable[[Event], None],
    stop: threading.Event,
) -> Imported:
    """Take an export in, making the library if there is none; `name` is what errors call the export.

    When `stop` is set, what is committed by then stays, and importing again goes on. Raises UsageError with the number
    of the line that is wrong, and PathError where a folder lies inside or around a watched one, both before the library
    is touched; LibraryBusy, LibraryFull, ModelError.
    """
    private_folder(library.parent)
    draft = backup.draft_of(library.with_name(f"{library.name}.import"))
    try:
        on_event(Preparing(what=f"reading {name}"))
        head = _stage(stream, name, draft)
        with IndexerLock(library).acquire("importing"), LibraryArchive.open(draft) as archive:
            return _take_in(library, archive, head, encoder, on_event, stop)
    finally:
        backup.discard(draft)


def _stage(stream: IO[bytes], name: str, draft: Path) -> ExportHeader:
    """Read and check all lines into an archive."""
    lines = ExportReader(stream, name)
    with LibraryArchive.create(draft) as archive:
        head = lines.head()
        waiting: dict[str, list[Row]] = {}
        vectors: list[tuple[int, bytes]] = []
        try:
            for table, row, vector in lines.rows():
                waiting.setdefault(table, []).append(row)
                if vector is not None:
                    vectors.append((int(str(row[0])), vector))
                if len(waiting[table]) == ROWS_AT_ONCE:
                    archive.add(table, waiting.pop(table))
                    archive.add_vectors(vectors)
                    vectors = []
            for table, rows in waiting.items():
                archive.add(table, rows)
            archive.add_vectors(vectors)
        except LibraryError as error:
            if not isinstance(error.__cause__, apsw.ConstraintError):
                raise
            message = f"{name}, line {lines.number} or shortly before: an id stands there twice."
            raise UsageError(message, fix="Nothing was imported. Export it again.") from error
        archive.finish({"fingerprint": head.fingerprint})
    return head


def _take_in(
    library: Path,
    archive: LibraryArchive,
    head: ExportHeader,
    encoder: Encoder | None,
    on_event: Callable[[Event], None],
    stop: threading.Event,
) -> Imported:
    conn = open_writer(library, create=True, lock_held=True)
    try:
        _refuse_nested(conn, archive)
        note_readers(conn)
        indexer = LocalIndexer(conn, library, encoder)
        model = _model(conn, head, indexer)
        added, folder_ids = _folders(conn, archive)
        given = model.fingerprint == head.fingerprint
        documents = _embeddable(archive.documents(), stored_values.json_object(model.manifest) or {}, given)
        on_event(Preparing(what=f"importing {archive.count('document'):,} documents"))
        returned = put_back(Writer(conn, model.id), documents, folder_ids, stop.is_set)
        note_arrivals(conn, head.readers)
        judgements = _judgements(conn, archive)
        if head.fitted is not None and fitted_constants.kept(conn) is None:
            fitted_constants.put(conn, head.fitted)
        embedded = 0
        with suppress(ModelError):  # where it is not installed, the first sync that has it embeds
            embedded = indexer.embed(on_event, stop)
        pending = pending_vectors.count(conn)
    finally:
        conn.close()
    return Imported(added, returned.documents, returned.passages, judgements, returned.known, embedded, pending)


def _refuse_nested(conn: apsw.Connection, archive: LibraryArchive) -> None:
    watched = [each.path for each in folders.every(conn)]
    for folder in archive.folders():
        if folder["path"] not in watched:
            refuse_nested(folder["path"], watched)
            watched.append(folder["path"])


def _model(conn: apsw.Connection, head: ExportHeader, indexer: LocalIndexer) -> models.StoredModel:
    """Return the library's model; a library without one takes that of the export, or its own default."""
    active = models.active(conn)
    if active is not None:
        return active
    if head.manifest:
        from engine.embedding.manifest import Manifest

        manifest = Manifest.from_json(head.manifest)
        if manifest.fingerprint != head.fingerprint:
            raise UsageError("The export's model is not the one that it names.", fix="Export it again.")
    else:
        manifest = indexer.encoder_of(None).manifest
    models.write_down(conn, manifest, state="active")
    found = models.active(conn)
    assert found is not None
    return found


def _folders(conn: apsw.Connection, archive: LibraryArchive) -> tuple[int, dict[int, int]]:
    """Watch the export's folders that are not watched yet; return how many, and the id here for each of its ids."""
    ids, added = {}, 0
    for folder in archive.folders():
        with transaction(conn):
            conn.execute(
                "INSERT INTO folder(path, rules, state, added_at) VALUES(?, ?, ?, ?) ON CONFLICT(path) DO NOTHING",
                (folder["path"], folder["rules"], folder["state"], folder["added_at"]),
            )
            added += conn.changes()
        known = folders.at(conn, folder["path"])
        assert known is not None
        ids[folder["id"]] = known.id
    return added, ids


def _judgements(conn: apsw.Connection, archive: LibraryArchive) -> int:
    places = ", ".join("?" * len(JUDGEMENT))
    with transaction(conn):
        before = conn.total_changes()
        conn.executemany(
            f"INSERT OR IGNORE INTO judgement({', '.join(JUDGEMENT)}) VALUES({places})",
            (tuple(each[name] for name in JUDGEMENT) for each in archive.judgements()),
        )
        added = conn.total_changes() - before
        keep_sketches(conn, {each["passage_hash"]: each["sketch"] for each in archive.judgements()})
        sketch_missing(conn)
        return added


def _embeddable(documents: Iterator[Kept], manifest: Mapping[str, Any], given: bool) -> Iterator[Kept]:
    """Yield documents with a vector for every passage, or the text that it is to be made from.

    `manifest` is that of the library's model; `given` says that the export's vectors are of this model.
    """
    prefix = str(manifest.get("passage_prefix", ""))
    for each in documents:
        known = each if given else replace(each, vectors={})
        whole = all(passage.hash in known.vectors or is_held_back(passage.hash) for passage in each.passages)
        yield known if whole else _with_texts(known, prefix)


def _with_texts(document: Kept, prefix: str) -> Kept:
    """Give the passages without a vector the text that most likely made them, and count the document as unread."""
    passages = tuple(
        each
        if each.hash in document.vectors or is_held_back(each.hash)
        else _with_text(each, document.document.title, prefix)
        for each in document.passages
    )
    return replace(document, file=replace(document.file, mtime_ns=0, content_hash=None), passages=passages)


def _with_text(passage: Passage, title: str, prefix: str) -> Passage:
    text = prefix + "\n".join(part for part in (". ".join((title, *passage.headings)), passage.text) if part)
    digest = blake2b(text.encode("utf-8", "replace"), digest_size=HASH_BYTES).digest()
    return replace(passage, embedded=text, hash=digest)
