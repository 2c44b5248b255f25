"""Keeps a part of a library in a file of its own: folders with documents, passages and vectors.

A folder that is forgotten waits in one for a day, what an import reads is gathered in one before the library is
touched, and what can be read of a damaged library is saved in one. The columns are those of the library's own tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, cast

import apsw
import numpy as np

from engine.errors import LibraryDamaged
from engine.records import Document, Passage
from engine.store import backup, entries, models, passage_counts, stored_values, vector_tables
from engine.store.documents import listed
from engine.store.faults import translated
from engine.store.integrity import UNIT_TOLERANCE
from engine.store.row_mapping import FileFacts, Row, headings_of, unsigned
from engine.store.vector_tables import Vector

FOLDER = ("id", "path", "rules", "state", "added_at")
DOCUMENT = (
    *("id", "folder_id", "path", "path_text", "title", "title_written", "kind", "tags", "size", "mtime_ns", "inode"),
    *("device", "content_hash", "metadata", "links", "indexed_at", "failure", "entries"),
)
PASSAGE = (
    *("id", "document_id", "ordinal", "text", "headings", "start", '"end"', "line_start", "line_end", "page", "hash"),
)
JUDGEMENT = ("at", "query", "passage_hash", "path", "grade")
SKETCHED_JUDGEMENT = (*JUDGEMENT, "sketch")  # in an archive; a library keeps sketches apart
NO_ENTRIES = "'[]'"
AT_ONCE = 500  # documents read and written together, so that memory stays bounded

WAITING = ("hash", "text")  # of the passages that were still to be embedded
_TABLES = {
    "folder": FOLDER,
    "document": DOCUMENT,
    "passage": PASSAGE,
    "judgement": SKETCHED_JUDGEMENT,
    "waiting": WAITING,
}
_SHAPE = f"""
CREATE TABLE about(key TEXT PRIMARY KEY, value ANY) WITHOUT ROWID;
CREATE TABLE vector(id INTEGER PRIMARY KEY, embedding BLOB NOT NULL);
CREATE TABLE waiting(hash BLOB PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE folder(id INTEGER PRIMARY KEY, {", ".join(FOLDER[1:])});
CREATE TABLE document(id INTEGER PRIMARY KEY, {", ".join(DOCUMENT[1:])});
CREATE TABLE passage(id INTEGER PRIMARY KEY, {", ".join(PASSAGE[1:])});
CREATE TABLE judgement({", ".join(SKETCHED_JUDGEMENT)});
"""
_INDEX = "CREATE INDEX passage_by_document ON passage(document_id, ordinal)"

Columns: TypeAlias = "Mapping[str, Any]"


@dataclass(frozen=True, slots=True)
class Kept:
    """One document of an archive as `Writer` takes it, or the reason why it could not be read; vectors by hash."""

    folder_id: int
    file: FileFacts
    document: Document
    passages: tuple[Passage, ...]
    vectors: Mapping[bytes, Vector]
    failure: str | None


class LibraryArchive:
    """An archive, open for one thread; a context manager."""

    def __init__(self, path: Path, conn: apsw.Connection) -> None:
        self.path = path
        self._conn = conn

    @classmethod
    def create(cls, path: Path) -> LibraryArchive:
        """Make an empty archive, readable by its owner only, in place of any file there."""
        backup.private_file(path)
        with translated(path):
            conn = apsw.Connection(str(path))
            try:
                conn.pragma("journal_mode", "off")  # unfinished, it is thrown away
                conn.pragma("synchronous", "off")  # until `finish`
                conn.execute(_SHAPE)
                conn.execute("BEGIN")
            except BaseException:
                conn.close()
                raise
        return cls(path, conn)

    @classmethod
    def open(cls, path: Path) -> LibraryArchive:
        """Open a finished archive for reading. Raises LibraryDamaged where it is none."""
        with translated(path):
            conn = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
            try:
                conn.execute("SELECT 1 FROM about, folder, document, passage, vector, judgement LIMIT 1").fetchall()
            except apsw.Error as error:
                conn.close()
                raise LibraryDamaged(f"{path} is no portion of a library.", cause=str(error)) from error
        return cls(path, conn)

    def __enter__(self) -> LibraryArchive:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._conn.close()

    def finish(self, about: Mapping[str, apsw.SQLiteValue]) -> None:
        """Write down what the archive is, and bring all of it to the disk."""
        with translated(self.path):
            self._conn.executemany("INSERT OR REPLACE INTO about VALUES(?, ?)", list(about.items()))
            self._conn.execute(_INDEX)
            self._conn.execute("COMMIT")
        backup.synced(self.path)

    # --- writing ----------------------------------------------------------------------------------------------------

    def add(self, table: str, rows: Iterable[Row]) -> None:
        """Add rows to `folder`, `document`, `passage` or `judgement`, values in the order of its columns."""
        columns = _TABLES[table]
        places = ", ".join("?" * len(columns))
        with translated(self.path):
            self._conn.executemany(f"INSERT INTO {table}({', '.join(columns)}) VALUES({places})", rows)

    def add_vectors(self, rows: Iterable[tuple[int, bytes]]) -> None:
        """Add vectors as float32, by the id of their passage."""
        with translated(self.path):
            self._conn.executemany("INSERT INTO vector VALUES(?, ?)", rows)

    # --- reading ----------------------------------------------------------------------------------------------------

    def about(self) -> dict[str, apsw.SQLiteValue]:
        """Return what `finish` wrote down."""
        with translated(self.path):
            return dict(self._conn.execute("SELECT key, value FROM about"))

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        with translated(self.path):
            return int(self._conn.execute(f"SELECT count(*) FROM {table}").get)

    def folders(self) -> list[dict[str, Any]]:
        """Return the folders, by column."""
        return list(self._rows("folder", FOLDER))

    def judgements(self) -> Iterator[dict[str, Any]]:
        """Yield the judgements, by column, each with the sketch of its text or None."""
        return self._rows("judgement", SKETCHED_JUDGEMENT)

    def documents(self) -> Iterator[Kept]:
        """Yield the documents one after another, with passages and vectors."""
        yield from (_kept(row, passages) for row, passages in self._with_passages())

    def sound_documents(self, dimension: int) -> Iterator[Kept]:
        """Yield those documents that hold what a sound library would, and usable vectors: for what was damaged."""
        for row, passages in self._with_passages():
            whole = [(each, blob if usable(blob, dimension) else None) for each, blob in passages]
            with suppress(ValueError, TypeError, AttributeError, KeyError):
                kept = _kept(row, whole)
                texts = (kept.document.title, kept.document.kind, *(each.text for each in kept.passages))
                hashes = (kept.file.path, *(each.hash for each in kept.passages))
                if all(isinstance(each, str) for each in texts) and all(isinstance(each, bytes) for each in hashes):
                    yield kept

    def _with_passages(self) -> Iterator[tuple[dict[str, Any], list[tuple[dict[str, Any], bytes | None]]]]:
        kept = self._conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'waiting'").get  # not before schema 6
        text = "(SELECT waiting.text FROM waiting WHERE waiting.hash = passage.hash)" if kept else "NULL"
        for row in self._rows("document", DOCUMENT, self._document_values()):
            with translated(self.path):
                passages = self._conn.execute(
                    f"""SELECT {", ".join(PASSAGE)}, {text}, embedding FROM passage LEFT JOIN vector USING(id)
                    WHERE document_id = ? ORDER BY ordinal""",
                    (row["id"],),
                ).fetchall()
            columns = (*PASSAGE, "embedded")
            yield row, [(dict(zip(columns, each[:-1], strict=True)), _blob(each[-1])) for each in passages]

    def _document_values(self) -> str:
        """Return what to select for the columns of DOCUMENT; the archive of an older Carrel knows no entries."""
        with translated(self.path):
            names = {row[1] for row in self._conn.execute("PRAGMA table_info(document)")}
        return ", ".join(each if each in names else NO_ENTRIES for each in DOCUMENT)

    def _rows(self, table: str, columns: tuple[str, ...], values: str = "") -> Iterator[dict[str, Any]]:
        with translated(self.path):
            for row in self._conn.execute(f"SELECT {values or ', '.join(columns)} FROM {table} ORDER BY rowid"):
                yield dict(zip(columns, row, strict=True))


def usable(blob: bytes | None, dimension: int) -> bool:
    """Whether bytes are a vector of this many float32 components and of length one."""
    if blob is None or len(blob) != 4 * dimension:
        return False
    return bool(abs(float(np.linalg.norm(np.frombuffer(blob, dtype=np.float32))) - 1) <= UNIT_TOLERANCE)


def gather(conn: apsw.Connection, archive: LibraryArchive, folder_id: int) -> int:
    """Copy a folder of the library, with the active model's vectors, into an archive; return how many documents."""
    model = models.active(conn)
    among = "(SELECT value FROM json_each(?))"
    archive.add("folder", conn.execute(f"SELECT {', '.join(FOLDER)} FROM folder WHERE id = ?", (folder_id,)))
    ids = [row[0] for row in conn.execute("SELECT id FROM document WHERE folder_id = ? ORDER BY id", (folder_id,))]
    for start in range(0, len(ids), AT_ONCE):
        some = listed(ids[start : start + AT_ONCE])
        archive.add(
            "document", conn.execute(f"SELECT {document_values(conn)} FROM document WHERE id IN {among}", (some,))
        )
        archive.add(
            "passage", conn.execute(f"SELECT {', '.join(PASSAGE)} FROM passage WHERE document_id IN {among}", (some,))
        )
    if model is not None:
        archive.add_vectors(_vectors_in(conn, model.id, folder_id))
        archive.add("waiting", _waiting_in(conn, folder_id))
    return len(ids)


def document_values(conn: apsw.Connection) -> str:
    """Return what to select from `document` for the columns of DOCUMENT, in a library of any schema."""
    has_entries = conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'entry'").get
    listed_entries = entries.AS_JSON if has_entries else NO_ENTRIES
    return ", ".join(listed_entries if each == "entries" else each for each in DOCUMENT)


def _vectors_in(conn: apsw.Connection, model_id: int, folder_id: int) -> Iterator[tuple[int, bytes]]:
    rows = conn.execute(
        "SELECT passage.id FROM passage JOIN document ON document.id = document_id WHERE folder_id = ?", (folder_id,)
    )
    wanted = np.array(sorted(row[0] for row in rows), dtype=np.int64)
    for ids, block in vector_tables.read_blocks(conn, model_id):
        for place in np.flatnonzero(np.isin(ids, wanted)).tolist():
            yield int(ids[place]), block[place].tobytes()


def _waiting_in(conn: apsw.Connection, folder_id: int) -> Iterator[Row]:
    if not passage_counts.texts_can_wait(conn):
        return
    yield from conn.execute(
        """SELECT hash, text FROM pending WHERE hash IN
        (SELECT hash FROM passage JOIN document ON document.id = document_id WHERE folder_id = ?)""",
        (folder_id,),
    )


def _kept(row: Columns, passages: list[tuple[dict[str, Any], bytes | None]]) -> Kept:
    file = FileFacts(
        row["path"],
        row["size"],
        row["mtime_ns"],
        unsigned(row["inode"]),
        unsigned(row["device"]),
        row["content_hash"],
    )
    document = Document(
        text="",
        title=row["title"],
        title_written=bool(row["title_written"]),
        kind=row["kind"],
        tags=tuple(row["tags"].split()),
        links=stored_values.links(row["links"]) or (),
        metadata=stored_values.metadata(row["metadata"]) or {},
        entries=entries.from_json(row["entries"]),
    )
    return Kept(
        row["folder_id"],
        file,
        document,
        tuple(_passage(each) for each, _ in passages),
        {each["hash"]: cast(Vector, np.frombuffer(blob, dtype=np.float32)) for each, blob in passages if blob},
        row["failure"],
    )


def _blob(value: apsw.SQLiteValue) -> bytes | None:
    return value if isinstance(value, bytes) else None


def _passage(row: Columns) -> Passage:
    return Passage(
        ordinal=row["ordinal"],
        text=row["text"],
        headings=headings_of(row["headings"]),
        start=row["start"],
        end=row['"end"'],
        line_start=row["line_start"] or None,
        line_end=row["line_end"] or None,
        page=row["page"],
        embedded=row["embedded"] or "",  # kept only while it waits for its vector
        hash=row["hash"],
    )
