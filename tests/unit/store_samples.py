"""A small library to test the store on: documents cut at blank lines, and vectors made from a passage's hash."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import apsw
import numpy as np

from engine.records import Document, Passage
from engine.store import folders, models, pending_vectors
from engine.store.connection import open_writer
from engine.store.document_writer import PutCount, Writer
from engine.store.row_mapping import FileFacts
from engine.store.transactions import transaction

DIMENSION = 16


def hash_of(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest()


def vector_for(hash_: bytes, dimension: int = DIMENSION) -> np.ndarray:
    seed = int.from_bytes(hash_[:8], "big")
    vector = np.random.default_rng(seed).standard_normal(dimension, dtype=np.float32)
    return vector / np.linalg.norm(vector)


def cut(text: str, headings: tuple[str, ...] = (), title: str = "") -> list[Passage]:
    """Passages that tile the text, one for each paragraph with the blank line behind it."""
    passages: list[Passage] = []
    start = 0
    for piece in text.split("\n\n"):
        end = min(len(text), start + len(piece) + 2)
        embedded = "\n".join((title, *headings, piece))
        passages.append(
            Passage(
                ordinal=len(passages),
                text=text[start:end],
                headings=headings,
                start=start,
                end=end,
                line_start=text[:start].count("\n") + 1,
                line_end=text[:end].count("\n") + 1,
                page=None,
                embedded=embedded,
                hash=hash_of(embedded),
            )
        )
        start = end
    return passages


def facts(path: str, text: str = "", mtime_ns: int = 1) -> FileFacts:
    return FileFacts(path.encode(), len(text), mtime_ns, 7, 8, hash_of(text))


class Sample:
    """A library file with one folder and one active model, and a writer on it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.conn = open_writer(path, create=True)
        with transaction(self.conn):
            self.model = models.add(
                self.conn, name="sample", manifest="{}", fingerprint="f", dimension=DIMENSION, state="active"
            )
        self.folder = folders.add(self.conn, b"/notes")
        self.writer = Writer(self.conn, self.model)

    @classmethod
    def again(cls, path: Path) -> Sample:
        """Open a library that was made by another sample."""
        sample = cls.__new__(cls)
        sample.path, sample.conn = path, open_writer(path)
        active, folder = models.active(sample.conn), folders.at(sample.conn, b"/notes")
        assert active is not None and folder is not None
        sample.model, sample.folder = active.id, folder.id
        sample.writer = Writer(sample.conn, active.id)
        return sample

    def put(
        self,
        path: str,
        text: str,
        *,
        title: str | None = None,
        tags: Sequence[str] = (),
        headings: tuple[str, ...] = (),
        mtime_ns: int = 1,
        embedded: bool = True,
    ) -> PutCount:
        passages = cut(text, headings, title or "")
        document = Document(text, title or path, title is not None, "markdown", tags=tuple(tags))
        with self.writer.transaction():
            missing = self.writer.missing(passage.hash for passage in passages) if embedded else ()
            vectors = {each: vector_for(each) for each in missing}
            return self.writer.put(self.folder, facts(path, text, mtime_ns), document, passages, vectors)

    def settle(self, *texts: str) -> int:
        """Give the passages that wait, or those with these texts for the encoder, their vectors."""
        hashes = [hash_of(each) for each in texts] or list(pending_vectors.next_batch(self.conn, 10_000))
        with self.writer.transaction():
            return pending_vectors.settle(self.conn, self.model, {each: vector_for(each) for each in hashes})

    def document(self, path: str) -> int:
        found = self.conn.execute("SELECT id FROM document WHERE path = ?", (path.encode(),)).fetchone()
        assert found is not None
        return int(found[0])

    def passages(self, path: str) -> dict[str, int]:
        """Passage ids by their text without surrounding space."""
        rows = self.conn.execute(
            "SELECT passage.text, passage.id FROM passage JOIN document ON document.id = document_id WHERE path = ?",
            (path.encode(),),
        )
        return {str(text).strip(): int(id_) for text, id_ in rows}

    def find(self, match: str, conn: apsw.Connection | None = None) -> set[int]:
        """Ids of the passages that match an FTS5 expression."""
        rows = (conn or self.conn).execute("SELECT rowid FROM passage_fts WHERE passage_fts MATCH ?", (match,))
        return {row[0] for row in rows}
