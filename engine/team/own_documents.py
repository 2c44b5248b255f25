"""Reads the documents of one folder out of a person's own file, as a team library takes them over.

Nothing is read from the folder itself, and nothing is embedded: text, words and vectors are those of the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from engine.lazy_dataclass import dataclass
from engine.store import models, pending_vectors
from engine.store.transactions import snapshot
from engine.team.published import PublishedDocument, PublishedEntry, PublishedPassage, revision_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.store.library_connection import LibraryConnection

_DOCUMENT = (
    *("path", "path_text", "title", "title_written", "kind", "tags", "aliases", "own_words", "own_date", "size"),
    *("mtime_ns", "content_hash", "metadata", "links", "indexed_at", "failure"),
)
_PASSAGE = 'ordinal, text, headings, start, "end", line_start, line_end, page, hash'


@dataclass(frozen=True, slots=True)
class OwnDocument:
    """A document without its passages: its folder, its id in the file, and its row, another after each write of it."""

    folder: bytes
    id: int
    row: tuple[Any, ...]

    @property
    def path(self) -> bytes:
        """Where it lies below its folder."""
        path: bytes = self.row[0]
        return path

    @property
    def content_hash(self) -> bytes | None:
        """What stands for the bytes of its file."""
        found: bytes | None = self.row[_DOCUMENT.index("content_hash")]
        return found


def listed(conn: LibraryConnection, folder: bytes) -> list[OwnDocument]:
    """Return the documents of a folder, by path; [] where the folder is not watched."""
    rows = conn.execute(
        f"SELECT document.id, {', '.join(f'document.{name}' for name in _DOCUMENT)} FROM document"
        " JOIN folder ON folder.id = folder_id WHERE folder.path = ? ORDER BY document.path",
        (folder,),
    )
    return [OwnDocument(folder, int(str(row[0])), tuple(row[1:])) for row in rows]


def whole(conn: LibraryConnection, document: OwnDocument, model_id: int | None) -> PublishedDocument | None:
    """Return a document with its passages and their vectors of a model; None where it has changed or gone since."""
    with snapshot(conn):
        now = conn.execute(f"SELECT {', '.join(_DOCUMENT)} FROM document WHERE id = ?", (document.id,)).fetchone()
        if now is None or tuple(now) != document.row:
            return None
        ids = [int(str(each)) for (each,) in conn.execute(_ORDERED.format("id"), (document.id,))]
        passages = [PublishedPassage(*row) for row in conn.execute(_ORDERED.format(_PASSAGE), (document.id,))]
        vectors = _vectors(conn, model_id, ids)
        waiting = pending_vectors.texts(conn, {each.hash for each in passages})
        found = PublishedDocument(
            **dict(zip(_DOCUMENT, (*document.row[:3], bool(document.row[3]), *document.row[4:]), strict=True)),
            entries=tuple(_entries(conn, document.id)),
            passages=tuple(
                replace(each, vector=vectors.get(number), waiting=waiting.get(each.hash))
                for number, each in zip(ids, passages, strict=True)
            ),
        )
    return replace(found, revision=revision_of(found))


_ORDERED = "SELECT {} FROM passage WHERE document_id = ? ORDER BY ordinal"


def _entries(conn: LibraryConnection, document_id: int) -> Iterator[PublishedEntry]:
    columns = "number, title, tags, own_words, own_date, metadata"
    for row in conn.execute(f"SELECT {columns} FROM entry WHERE document_id = ? ORDER BY number", (document_id,)):
        yield PublishedEntry(*row)


def _vectors(conn: LibraryConnection, model_id: int | None, ids: list[int]) -> dict[int, NDArray[np.float32]]:
    if model_id is None or not ids:
        return {}
    from engine.store.vector_tables import vectors_of

    known, matrix = vectors_of(conn, model_id, ids)
    return dict(zip(known.tolist(), matrix, strict=True))


def model_of(conn: LibraryConnection, fingerprint: str) -> int | None:
    """Return the file's own number of the model with this fingerprint, None where it has no vectors of it."""
    return next((each.id for each in models.every(conn) if each.fingerprint == fingerprint), None)
