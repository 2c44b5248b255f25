"""Exports a library as JSON Lines: one object a line, in an order in which it can be read with little memory.

First a head (`carrel_export` is the format's number; `fitted` the fusion constants that were fitted here), then
folders, then each document with its passages behind it,
then judgements, and last an `end` that counts them, so that a file that was cut off is told from a whole one. Bytes are
hexadecimal, vectors base64 of little-endian float32; a passage that is still to be embedded has none. A path that is
not UTF-8 has `path_base64` beside it. Searches are not exported: the log of them is nobody else's.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import apsw

from engine.harmful_characters import escaped
from engine.indexing.outdated_documents import versions_here
from engine.paths import display
from engine.store import backup, fitted_constants, judgements, models, stored_values, vector_tables
from engine.store.archive import DOCUMENT, FOLDER, PASSAGE, document_values
from engine.store.connection import open_reader
from engine.store.faults import translated
from engine.store.migrations import version
from engine.store.transactions import snapshot
from engine.store.vector_tables import Vector

FORMAT = 1
PASSAGES_AT_ONCE = 1000  # whose vectors are fetched together: 1.5 MB of them

Record = dict[str, Any]
Write = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Exported:
    """The counts of an export."""

    folders: int
    documents: int
    passages: int
    judgements: int


def export_to(library: Path, target: Path, *, with_vectors: bool) -> Exported:
    """Export to a file that only its owner can read, and that has its name once it is whole. Raises OSError."""
    return written_to(target, lambda write: export(library, write, with_vectors=with_vectors))


def written_to(target: Path, give: Callable[[Write], Exported]) -> Exported:
    """Have what gives its lines one by one written to a file, as `export_to` does. Raises OSError."""
    draft = backup.draft_of(target)
    try:
        backup.private_file(draft)
        with draft.open("w", encoding="utf-8", newline="\n") as stream:
            exported = give(stream.write)
        backup.settle(draft, target)
    finally:
        backup.discard(draft)
    return exported


def export(library: Path, write: Write, *, with_vectors: bool) -> Exported:
    """Give the library line by line to `write`, as it is at one moment. Raises LibraryError."""
    conn = open_reader(library)
    counts = {"folder": 0, "document": 0, "passage": 0, "judgement": 0}
    try:
        with stored_values.values_explained(library), translated(library), snapshot(conn):
            model = models.active(conn) if with_vectors else None
            write(line(_head(conn)))
            for record in _records(conn, model.id if model else None):
                counts[record["type"]] += 1
                write(line(record))
            write(line({"type": "end", **counts}))
    finally:
        conn.close()
    return Exported(*counts.values())


def line(record: Mapping[str, Any]) -> str:
    """Return a record as the line that it is in an export."""
    return escaped(json.dumps(record, ensure_ascii=False, separators=(",", ":"), allow_nan=False)) + "\n"


def _head(conn: apsw.Connection) -> Record:
    model = models.active(conn)
    facts = {"name": model.name, "fingerprint": model.fingerprint, "manifest": model.manifest} if model else None
    about = {"carrel_export": FORMAT, "schema": version(conn), "written_at": time.time()}
    kept = fitted_constants.kept(conn)
    fitted = {"fitted": fitted_constants.to_json(kept)} if kept else {}
    return {**about, "model": facts, "readers": versions_here(conn), **fitted}


def _records(conn: apsw.Connection, model_id: int | None) -> Iterator[Record]:
    for row in _rows(conn, "folder", FOLDER, "ORDER BY id"):
        yield {"type": "folder", **row, **path_fields(row["path"]), "rules": stored_values.rules(row["rules"]) or {}}
    for row in _rows(conn, "document", DOCUMENT, "ORDER BY id", values=document_values(conn)):
        yield document_record(row)
        yield from _passages(conn, row["id"], model_id)
    for mark in reversed(judgements.every(conn)):
        record = {
            "type": "judgement",
            "at": mark.at,
            "query": mark.query,
            "grade": mark.grade,
            **path_fields(mark.path),
        }
        sketch = {"sketch": base64.b64encode(mark.sketch).decode("ascii")} if mark.sketch else {}
        yield {**record, **path_fields(mark.path), "passage_hash": mark.passage_hash.hex(), **sketch}


def document_record(row: Record) -> Record:
    """Return the record of a document, from its values by the columns of an archive; JSON is text in them."""
    content_hash = row["content_hash"]
    return {
        "type": "document",
        **{name: value for name, value in row.items() if name != "path_text"},
        **path_fields(row["path"]),
        "title_written": bool(row["title_written"]),
        "tags": row["tags"].split(),
        "content_hash": content_hash.hex() if content_hash is not None else None,
        "metadata": stored_values.metadata(row["metadata"]) or {},
        "links": [asdict(link) for link in stored_values.links(row["links"]) or ()],
        "entries": json.loads(row["entries"]),
    }


def _passages(conn: apsw.Connection, document_id: int, model_id: int | None) -> Iterator[Record]:
    columns = [name for name in PASSAGE if name != "document_id"]
    rows = _rows(conn, "passage", columns, "WHERE document_id = ? ORDER BY ordinal", (document_id,))
    for group in _groups(rows):
        found = _vectors(conn, model_id, [row["id"] for row in group])
        for row in group:
            yield passage_record(document_id, row, found.get(row["id"]))


def passage_record(document_id: int, row: Record, vector: Vector | None) -> Record:
    """Return the record of a passage, from its values by column, with its vector where it has one."""
    headings = row["headings"]
    written = {} if vector is None else {"vector": base64.b64encode(vector.astype("<f4").tobytes()).decode("ascii")}
    return {
        "type": "passage",
        "document": document_id,
        **{name.strip('"'): value for name, value in row.items() if name != "id"},
        "headings": headings.split("\n") if headings else [],
        "hash": row["hash"].hex(),
        **written,
    }


def _vectors(conn: apsw.Connection, model_id: int | None, ids: list[int]) -> dict[int, Vector]:
    if model_id is None:
        return {}
    known, matrix = vector_tables.vectors_of(conn, model_id, ids)
    return dict(zip(known.tolist(), matrix, strict=True))


def _groups(rows: Iterable[Record]) -> Iterator[list[Record]]:
    group: list[Record] = []
    for row in rows:
        group.append(row)
        if len(group) == PASSAGES_AT_ONCE:
            yield group
            group = []
    if group:
        yield group


def _rows(
    conn: apsw.Connection,
    table: str,
    columns: Iterable[str],
    rest: str,
    bindings: tuple[apsw.SQLiteValue, ...] = (),
    values: str = "",
) -> Iterator[Record]:
    names = list(columns)
    for row in conn.execute(f"SELECT {values or ', '.join(names)} FROM {table} {rest}", bindings):
        yield dict(zip(names, row, strict=True))


def path_fields(path: bytes) -> Record:
    """Return a path as an export has it: as text, and in full where it is not UTF-8."""
    fields = {"path": display(path)}
    if fields["path"].encode() != path:
        fields["path_base64"] = base64.b64encode(path).decode("ascii")
    return fields
