"""Grows a library to any size out of a real one: its documents over and over, each time at another path.

The text is real. A passage's vector is its original's, moved by a little noise, so neighbours are as near as real ones.
"""

from __future__ import annotations

import os
from pathlib import Path

import apsw
import numpy as np
from numpy.typing import NDArray

from engine.store import change_log, fulltext, models, vector_tables
from engine.store.connection import open_reader, open_writer
from engine.store.transactions import transaction

NOISE = 0.25  # length of the noise beside a vector's length of 1: cosine .97 to the original
SEED = 11
DOCUMENTS_AT_ONCE = 400
_DOCUMENT = (
    "path_text, title, title_written, kind, tags, size, mtime_ns, inode, device, content_hash, metadata, links,"
    " indexed_at, failure, aliases, own_words, own_date"
)
_PASSAGE = 'ordinal, text, headings, start, "end", line_start, line_end, page, hash'


class Multiplied:
    """A library that holds the documents of `original`, as often as it takes."""

    def __init__(self, path: Path, original: Path) -> None:
        self.path = path
        self._source = open_reader(original)
        self._random = np.random.default_rng(SEED)
        model = models.active(self._source)
        assert model is not None, f"{original} has no vectors"
        ids, matrix = vector_tables.read_matrix(self._source, model.id)
        self._vectors: dict[int, NDArray[np.float32]] = dict(zip(ids.tolist(), matrix, strict=True))
        self._connection = open_writer(path, create=True, lock_held=True)
        self._model = self._prepare(model)
        self._documents = [row[0] for row in self._source.execute("SELECT id FROM document WHERE failure IS NULL")]
        self._taken = 0

    def _prepare(self, model: models.StoredModel) -> int:
        connection = self._connection
        with transaction(connection):
            connection.execute(  # paused, because its files are nowhere
                "INSERT INTO folder(path, state, added_at) VALUES(?, 'paused', 0)", (os.fsencode(self.path.parent),)
            )
            self._folder = connection.last_insert_rowid()
            connection.execute(
                "INSERT INTO model(name, manifest, fingerprint, state, created_at) VALUES(?, ?, ?, 'active', 0)",
                (model.name, model.manifest, model.fingerprint),
            )
            made = connection.last_insert_rowid()
            vector_tables.create(connection, made, vector_tables.dimension(self._source, model.id))
            figures = self._source.execute("SELECT name, value FROM calibration WHERE model_id = ?", (model.id,))
            connection.executemany(
                "INSERT INTO calibration(model_id, name, value) VALUES(?, ?, ?)", [(made, *row) for row in figures]
            )
        return made

    def grow_to(self, passages: int) -> int:
        """Add documents until there are so many passages, and return how many there are."""
        while (count := int(self._connection.execute("SELECT count(*) FROM passage").get)) < passages:
            with transaction(self._connection):
                while count < passages and self._taken % DOCUMENTS_AT_ONCE != DOCUMENTS_AT_ONCE - 1:
                    count += self._add()
                self._add()
                change_log.prune(self._connection)
        return count

    def _add(self) -> int:
        turn, at = divmod(self._taken, len(self._documents))
        original = self._documents[at]
        self._taken += 1
        there = self._connection
        asked = f"SELECT path, {_DOCUMENT}, folder_id FROM document WHERE id = ?"
        *facts, folder = self._source.execute(asked, (original,)).fetchone()
        path = b"%d/%d/" % (turn, folder) + facts[0]  # two folders may hold a file of the same name
        marks = ", ".join("?" * len(facts))
        there.execute(
            f"INSERT INTO document(folder_id, path, {_DOCUMENT}) VALUES(?, {marks})",
            (self._folder, path, path.decode("utf-8", "replace"), *facts[2:]),
        )
        document = there.last_insert_rowid()
        first = int(there.execute("SELECT coalesce(max(id), 0) + 1 FROM passage").get)
        rows = self._source.execute(f"SELECT id, {_PASSAGE} FROM passage WHERE document_id = ?", (original,)).fetchall()
        there.executemany(
            f"INSERT INTO passage(id, document_id, {_PASSAGE}) VALUES(?, ?{', ?' * len(_PASSAGE.split(', '))})",
            [(first + place, document, *row[1:]) for place, row in enumerate(rows)],
        )
        ids = list(range(first, first + len(rows)))
        fulltext.insert_rows(there, ids)
        embedded = [(passage, row[0]) for passage, row in zip(ids, rows, strict=True) if row[0] in self._vectors]
        if embedded:  # a passage that is no words has no vector
            put = [passage for passage, _ in embedded]
            vector_tables.put(there, self._model, put, self._moved([original for _, original in embedded]))
            change_log.record(there, "put", put)
        return len(rows)

    def _moved(self, originals: list[int]) -> NDArray[np.float32]:
        drawn = np.stack([self._vectors[each] for each in originals])
        noise = self._random.standard_normal(drawn.shape, dtype=np.float32) * NOISE / np.sqrt(drawn.shape[1])
        moved = drawn + noise
        return (moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32)

    def settle(self) -> None:
        """Fold what was written into the file."""
        self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
