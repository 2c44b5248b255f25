"""Reads documents and passages: what a sync compares with the disk, and what a screen shows of a result."""

from __future__ import annotations

import json
import math
import os
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import cast

import apsw

from engine.lazy_dataclass import dataclass
from engine.paths import display
from engine.records import Failure, Link, StoredDocument
from engine.store import stored_values
from engine.store.folding import fold
from engine.store.row_mapping import headings_of, unsigned


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file as the library knows it; `path` is relative to its folder, `failure` the reason it could not be read.

    `checked_at` is when its bytes were last held against what is indexed, in seconds since the epoch.
    """

    id: int
    path: bytes
    size: int
    mtime_ns: int
    inode: int
    device: int
    content_hash: bytes | None
    failure: str | None
    title: str
    title_written: bool
    checked_at: float = math.inf


@dataclass(frozen=True, slots=True)
class HydratedRow:
    """A passage with all that is shown of it. `path` is relative to `folder`, which is absolute.

    In a file that holds several writings title and tags are those of the one that it belongs to.
    """

    passage_id: int
    document_id: int
    folder_id: int
    folder: bytes
    path: bytes
    title: str
    kind: str
    tags: tuple[str, ...]
    mtime_ns: int
    ordinal: int
    headings: tuple[str, ...]
    start: int
    end: int
    line_start: int | None
    line_end: int | None
    page: int | None
    text: str

    @property
    def absolute(self) -> bytes:
        """The file's absolute path."""
        return os.path.join(self.folder, self.path)

    @property
    def modified(self) -> float:
        """When the file was last changed, in seconds since the epoch."""
        return self.mtime_ns / 1e9


@dataclass(frozen=True, slots=True)
class Counts:
    """How much the library holds; `failed` counts documents that could not be read."""

    documents: int
    passages: int
    failed: int


WHOLE_TEXT = 2**28  # code points: as many as SQLite stores in one value
_ROW = """
SELECT passage.id, document.id, folder.id, folder.path, document.path,
    CAST(ifnull(nullif(entry.title, ''), document.title) AS BLOB), CAST(kind AS BLOB),
    CAST(ifnull(entry.tags, document.tags) AS BLOB), document.mtime_ns,
    passage.ordinal, CAST(passage.headings AS BLOB), passage.start, passage."end",
    passage.line_start, passage.line_end, passage.page, substr(CAST(passage.text AS BLOB), 1, {octets})
FROM passage JOIN document ON document.id = passage.document_id JOIN folder ON folder.id = document.folder_id
LEFT JOIN entry ON entry.document_id = passage.document_id AND entry.number = passage.page
"""


def listed(ids: Iterable[int]) -> str:
    """Return ids as the JSON that `json_each(?)` turns into rows."""
    return json.dumps([int(each) for each in ids])


def known_files(
    conn: apsw.Connection, folder_id: int, prefixes: Sequence[bytes] | None = None
) -> dict[bytes, KnownFile]:
    """Return the files of a folder by relative path: all, or those that are one of `prefixes` or lie below one."""
    where: list[tuple[str, tuple[bytes, ...]]] = [("", ())]
    if prefixes is not None:
        where = [each for path in prefixes for each in _at_or_below(path)]
    rows = (
        row
        for condition, values in where
        for row in conn.execute(
            f"""SELECT id, path, size, mtime_ns, inode, device, content_hash, CAST(failure AS BLOB),
                CAST(title AS BLOB), title_written, max(indexed_at, ifnull(content_check.at, 0))
                FROM document LEFT JOIN content_check ON content_check.document_id = document.id
                WHERE folder_id = ?{condition}""",
            (folder_id, *values),
        )
    )
    return {
        path: KnownFile(
            id_,
            path,
            size,
            mtime,
            unsigned(inode),
            unsigned(device),
            content_hash,
            _reason(failure),
            stored_values.text(title),
            bool(written),
            stored_values.moment(checked) or math.inf,
        )
        for id_, path, size, mtime, inode, device, content_hash, failure, title, written, checked in rows
    }


def _at_or_below(path: bytes) -> tuple[tuple[str, tuple[bytes, ...]], ...]:
    # "0" follows "/": what lies below a folder stands between the two.
    return (" AND path = ?", (path,)), (" AND path > ? AND path < ?", (path + b"/", path + b"0"))


def _reason(failure: object) -> str | None:
    return None if failure is None else stored_values.text(failure)


def known_devices(conn: apsw.Connection, folder_id: int) -> frozenset[int]:
    """Return the devices that the files of a folder lay on when they were read."""
    rows = conn.execute("SELECT DISTINCT device FROM document WHERE folder_id = ?", (folder_id,))
    return frozenset(unsigned(row[0]) for row in rows)


def indexed_since(conn: apsw.Connection, moment: float) -> frozenset[int]:
    """Return the documents that were indexed, or failed to be, since a moment in seconds since the epoch."""
    return frozenset(row[0] for row in conn.execute("SELECT id FROM document WHERE indexed_at >= ?", (moment,)))


def rows_for(conn: apsw.Connection, passage_ids: Iterable[int], most: int = WHOLE_TEXT) -> dict[int, HydratedRow]:
    """Return what is shown of these passages, by id, in one query; those that are gone are left out.

    Of their texts the first `most` code points are read: a list shows little, and some passages are mostly blanks.
    """
    found = conn.execute(
        f"{_ROW.format(octets=4 * most)} WHERE passage.id IN (SELECT value FROM json_each(?))", (listed(passage_ids),)
    )
    return {row.passage_id: row for row in _hydrated(found, most)}


def passages_of(conn: apsw.Connection, document_id: int) -> list[HydratedRow]:
    """Return all passages of a document in order."""
    return list(
        _hydrated(
            conn.execute(
                f"{_ROW.format(octets=4 * WHOLE_TEXT)} WHERE document.id = ? ORDER BY passage.ordinal", (document_id,)
            )
        )
    )


def document_id_at(conn: apsw.Connection, absolute: bytes) -> int | None:
    """Return the document of the file at an absolute path, None where the library knows none there."""
    folders = cast("list[tuple[int, bytes]]", conn.execute("SELECT id, path FROM folder").fetchall())
    for folder_id, folder in folders:
        inside = os.path.join(folder, b"")
        if absolute.startswith(inside):
            found = conn.execute(
                "SELECT id FROM document WHERE folder_id = ? AND path = ?", (folder_id, absolute[len(inside) :])
            ).fetchone()
            if found:
                return int(found[0])
    return None


def stored_document(conn: apsw.Connection, document_id: int, *, text: bool = True) -> StoredDocument | None:
    """Return a document, with its text joined from its passages unless `text` is false; None where there is none."""
    row = conn.execute(
        """SELECT folder.path, document.path, CAST(title AS BLOB), CAST(kind AS BLOB), mtime_ns, size,
            CAST(tags AS BLOB), CAST(metadata AS BLOB), (SELECT count(*) FROM passage WHERE document_id = document.id)
        FROM document JOIN folder ON folder.id = folder_id WHERE document.id = ?""",
        (document_id,),
    ).fetchone()
    if row is None:
        return None
    folder, path, title, kind, mtime_ns, size, tags, metadata, passages = row
    return StoredDocument(
        id=document_id,
        path=os.path.join(folder, path),
        title=stored_values.text(title),
        kind=stored_values.text(kind),
        modified=mtime_ns / 1e9,
        size=size,
        tags=tuple(stored_values.text(tags).split()),
        metadata=stored_values.metadata(stored_values.sound_text(metadata)) or {},
        passages=passages,
        text=text_of(conn, document_id) if text else "",
    )


def text_of(conn: apsw.Connection, document_id: int) -> str:
    """Return a document's text, joined from its passages."""
    rows = conn.execute("SELECT CAST(text AS BLOB) FROM passage WHERE document_id = ? ORDER BY ordinal", (document_id,))
    return "".join(stored_values.text(row[0]) for row in rows)


def links_of(conn: apsw.Connection, document_id: int) -> tuple[Link, ...]:
    """Return the links written in a document, none where they cannot be read."""
    written = conn.execute("SELECT CAST(links AS BLOB) FROM document WHERE id = ?", (document_id,)).get
    return stored_values.links(stored_values.sound_text(written)) or ()


def failures(conn: apsw.Connection) -> tuple[Failure, ...]:
    """Return the files that could not be read, with absolute paths, in order of path."""
    rows = conn.execute(
        """SELECT folder.path, document.path, CAST(failure AS BLOB) FROM document JOIN folder ON folder.id = folder_id
        WHERE failure IS NOT NULL ORDER BY folder.path, document.path"""
    )
    return tuple(Failure(os.path.join(folder, path), stored_values.text(reason)) for folder, path, reason in rows)


def counts(conn: apsw.Connection) -> Counts:
    """Return how much the library holds."""
    row = conn.execute("SELECT count(*), (SELECT count(*) FROM passage), count(failure) FROM document").fetchone()
    return Counts(*row) if row else Counts(0, 0, 0)


def _hydrated(rows: Iterable[tuple[apsw.SQLiteValue, ...]], most: int = WHOLE_TEXT) -> Iterator[HydratedRow]:
    for row in rows:
        values: list[object] = list(row)
        values[5], values[6] = stored_values.text(row[5]), stored_values.text(row[6])
        values[16] = stored_values.text(row[16])[:most]
        values[7] = tuple(stored_values.text(row[7]).split())
        values[10] = headings_of(None if row[10] is None else stored_values.text(row[10]))
        values[13:15] = row[13] or None, row[14] or None
        yield HydratedRow(*values)  # type: ignore[arg-type]


def paths_ending(conn: apsw.Connection, ending: bytes, limit: int) -> tuple[bytes, ...]:
    """Return the absolute paths, at most `limit`, that end with `ending` from the start of a name on.

    Where none does byte by byte, those that do once both are composed: é is one code point or two, as systems have it.
    """
    name = display(os.path.basename(ending))
    found = [path for path in _paths(conn, "instr(document.path_text, ?)", name) if _ends(path, ending)]
    if not found:
        alike = _paths(conn, "instr(folded(document.path_text), ?)", fold(name))
        found = [path for path in alike if _ends(_composed(path), _composed(ending))]
    return tuple(found[:limit])


def _paths(conn: apsw.Connection, condition: str, value: str) -> Iterator[bytes]:
    rows = conn.execute(
        "SELECT folder.path, document.path FROM document JOIN folder ON folder.id = folder_id"
        f" WHERE {condition} ORDER BY folder.path, document.path",
        (value,),
    )
    return (os.path.join(folder, path) for folder, path in cast("list[tuple[bytes, bytes]]", rows.fetchall()))


def _ends(path: bytes, ending: bytes) -> bool:
    return path == ending or path.endswith(b"/" + ending)


def _composed(path: bytes) -> bytes:
    """Return a path with its letters and accents composed where they can be (NFC)."""
    return os.fsencode(unicodedata.normalize("NFC", os.fsdecode(path)))
