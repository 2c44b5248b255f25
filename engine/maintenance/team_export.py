"""Carries a person's own folders from their file into a team library and back, with vectors: nothing is embedded.

Into it, folders and marks are brought as the indexer brings them, for the person alone unless they are shared there
already. Back, they are written as an export (`exporter`), which any file takes in with `carrel import`.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.events import Event
from engine.maintenance.exporter import (
    FORMAT,
    Exported,
    Record,
    Write,
    document_record,
    line,
    passage_record,
    path_fields,
)
from engine.paths import display
from engine.store import judgements
from engine.store.connection import open_reader
from engine.store.folders import every
from engine.store.migrations import newest_version
from engine.store.vector_tables import Vector
from engine.team.membership import bring, own_folders, writing
from engine.team.publisher import Published, Publisher

if TYPE_CHECKING:
    from engine.team.team_writer import TeamWriter

PASSAGES_AT_ONCE = 500  # whose vectors are fetched together: under a megabyte
_DOCUMENT = (
    *("id", "folder_id", "path", "title", "title_written", "kind", "tags", "size", "mtime_ns", "content_hash"),
    *("metadata", "links", "indexed_at", "failure"),
)
_PASSAGE = ("id", "ordinal", "text", "headings", "start", '"end"', "line_start", "line_end", "page", "hash")
_MARKS = "SELECT at, query, grade, path, passage_hash, sketch FROM mark WHERE person = current_user ORDER BY at"
_ENTRY = ("number", "title", "metadata", "tags")


def into_team(
    library: Path,
    address: str,
    machine: str,
    on_event: Callable[[Event], None],
    stop: threading.Event,
) -> tuple[Published, int]:
    """Bring every folder of a file, and the person's marks; return what was brought, and how many marks.

    Raises TeamAway, TeamRefused, LibraryError.
    """
    conn = open_reader(library)
    try:
        paths = [folder.path for folder in every(conn)]
        marks = judgements.every(conn)
    finally:
        conn.close()
    with writing(address) as writer:
        there = {folder.path for folder in own_folders(writer, machine)}
        for path in paths:
            if path not in there:
                bring(writer, path, machine, "private", ())
        published = Publisher(library, machine, on_event).publish(writer, stop)
        if marks and not stop.is_set():
            writer.put_marks(reversed(marks))
    return published, len(marks)


def export_own(address: str, machine: str, write: Write, *, with_vectors: bool) -> Exported:
    """Give one's own folders of a machine line by line to `write`, as they are in the team library at one moment."""
    counts = {"folder": 0, "document": 0, "passage": 0, "judgement": 0}
    with writing(address) as writer:
        writer.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        for record in _records(writer, machine, with_vectors):
            if (kind := record.get("type")) in counts:
                counts[str(kind)] += 1
            write(line(record))
        write(line({"type": "end", **counts}))
        writer.run("COMMIT")
    return Exported(*counts.values())


def _records(writer: TeamWriter, machine: str, with_vectors: bool) -> Iterator[Record]:
    models = writer.run("SELECT id, name, fingerprint, manifest FROM model WHERE state = 'active'")
    facts = dict(zip(("name", "fingerprint", "manifest"), models[0][1:], strict=True)) if models else None
    now = time.time()
    yield {"carrel_export": FORMAT, "schema": newest_version(), "written_at": now, "model": facts, "readers": {}}
    folders = own_folders(writer, machine)
    for folder in folders:
        yield {
            "type": "folder",
            "id": folder.id,
            **path_fields(folder.path),
            "rules": {},
            "state": "watching",
            "added_at": now,
        }
    model = int(models[0][0]) if models and with_vectors else None
    for folder in folders:
        for document in _rows(writer, _DOCUMENT, "document", "folder_id = %s ORDER BY id", (folder.id,)):
            yield _document(writer, folder.id, document)
            yield from _passages(writer, folder.id, document["id"], model)
    marks = writer.run(
        "SELECT at, query, grade, path, passage_hash, sketch FROM mark WHERE person = current_user ORDER BY at"
    )
    for at, query, grade, path, passage_hash, sketch in marks:
        record = {"type": "judgement", "at": at, "query": query, "grade": grade, **path_fields(bytes(path))}
        known = {"sketch": base64.b64encode(sketch).decode("ascii")} if sketch else {}
        yield {**record, "passage_hash": bytes(passage_hash).hex(), **known}


def _document(writer: TeamWriter, folder: int, row: Record) -> Record:
    entries = _rows(writer, _ENTRY, "entry", "folder_id = %s AND document_id = %s ORDER BY number", (folder, row["id"]))
    listed = [{**each, "metadata": json.loads(each["metadata"])} for each in entries]
    row |= {"path_text": display(row["path"]), "inode": 0, "device": 0, "entries": json.dumps(listed)}
    return document_record(row)


def _passages(writer: TeamWriter, folder: int, document: int, model: int | None) -> Iterator[Record]:
    rows = _rows(
        writer, _PASSAGE, "passage", "folder_id = %s AND document_id = %s ORDER BY ordinal", (folder, document)
    )
    for begin in range(0, len(rows), PASSAGES_AT_ONCE):
        group = rows[begin : begin + PASSAGES_AT_ONCE]
        vectors = _vectors(writer, model, [row["id"] for row in group])
        yield from (passage_record(document, row, vectors.get(row["id"])) for row in group)


def _vectors(writer: TeamWriter, model: int | None, ids: Sequence[int]) -> dict[int, Vector]:
    from engine.team.vector_bytes import matrix_of

    if model is None or not ids:
        return {}
    sent = writer.run("SELECT passage, vector FROM vectors_of(%s, %s::bigint[])", (model, list(ids)))
    dimension = writer.run("SELECT dimension FROM model WHERE id = %s", (model,))[0][0]
    matrix = matrix_of([bytes(vector) for _, vector in sent], dimension)
    return {number: row for (number, _), row in zip(sent, matrix, strict=True)}


def _rows(writer: TeamWriter, columns: Sequence[str], table: str, rest: str, values: Sequence[Any]) -> list[Record]:
    found = writer.run(f"SELECT {', '.join(columns)} FROM {table} WHERE {rest}", values)
    return [dict(zip(columns, map(_plain, row), strict=True)) for row in found]


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value
