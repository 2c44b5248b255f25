"""Writes documents: passages and words of a file change together or not at all, and what is to be embedded waits.

The order of steps is what keeps the word index sound: rows leave it while passage and document still hold what was
indexed, then those change, then rows enter it again.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType

import apsw

from engine.effective_settings import effective
from engine.paths import display
from engine.records import Document, Passage, is_held_back
from engine.store import change_log, entries, fulltext, models, pending_vectors, segment_merge, slots, vector_tables
from engine.store.passage_matching import Matching, match
from engine.store.row_mapping import (
    DOCUMENT_COLUMNS,
    FILE_COLUMNS,
    PAGE,
    PASSAGE_COLUMNS,
    TEXT_COLUMNS,
    WORD_COLUMNS,
    FileFacts,
    Row,
    document_row,
    file_row,
    passage_row,
    storable,
)
from engine.store.transactions import transaction
from engine.store.vector_tables import Vector
from engine.store.vector_writer import VectorWriter

NO_VECTORS: Mapping[bytes, Vector] = MappingProxyType({})
_COLUMNS = (*FILE_COLUMNS, *DOCUMENT_COLUMNS, "indexed_at", "failure")
_INSERT_DOCUMENT = f"INSERT INTO document(folder_id, {', '.join(_COLUMNS)}) VALUES(?{', ?' * len(_COLUMNS)})"
_UPDATE_DOCUMENT = f"UPDATE document SET {', '.join(f'{name} = ?' for name in _COLUMNS)} WHERE id = ?"
_UPDATE_FILE = f"UPDATE document SET {', '.join(f'{name} = ?' for name in FILE_COLUMNS)}"
_SELECT_PASSAGES = f"SELECT id, {', '.join(PASSAGE_COLUMNS)} FROM passage WHERE document_id = ? ORDER BY ordinal"
_INSERT_PASSAGE = (
    f"INSERT INTO passage({', '.join(PASSAGE_COLUMNS)}, document_id, id) VALUES(?, ?{', ?' * len(PASSAGE_COLUMNS)})"
)
_UPDATE_PASSAGE = f"UPDATE passage SET {', '.join(f'{name} = ?' for name in PASSAGE_COLUMNS)} WHERE id = ?"


@dataclass(frozen=True, slots=True)
class PutCount:
    """What writing one file did: vectors that came new, passages whose vector is there or on its way, passages gone.

    `wordless` are the passages that have none, since they are data; `pending` the texts that wait for theirs since now.
    """

    embedded: int
    reused: int
    removed: int
    wordless: int = 0
    pending: int = 0


@dataclass(frozen=True, slots=True)
class _Stored:
    """A document as it stands: its id, what the word index holds of it, its passages by id, its entries by number."""

    id: int
    words: Row
    content_hash: bytes | None
    passages: dict[int, Row]
    entries: entries.Rows


class Writer:
    """Writes files into the library for one model. Only the holder of the indexer lock may have one."""

    def __init__(self, conn: apsw.Connection, model_id: int) -> None:
        self.conn = conn
        self.model_id = model_id
        self._vectors = VectorWriter(conn, model_id)
        segment_merge.settle(conn)
        fulltext.overwrite(conn, effective().secure_delete)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the write transaction; all writing methods are called inside it, for one file or for many."""
        with transaction(self.conn):
            yield
            slots.settle(self.conn)
            change_log.prune(self.conn)

    # --- what is known ------------------------------------------------------------------------------------------

    def missing(self, hashes: Iterable[bytes]) -> set[bytes]:
        """Return which passage hashes have no vector in the library, waiting for one or not."""
        return self._vectors.missing(hashes)

    def known_vectors(self, hashes: Iterable[bytes]) -> dict[bytes, Vector]:
        """Return the vectors that the library holds for these passage hashes."""
        return self._vectors.known(hashes)

    # --- one file -----------------------------------------------------------------------------------------------

    def put(
        self,
        folder_id: int,
        file: FileFacts,
        document: Document,
        passages: Sequence[Passage],
        new_vectors: Mapping[bytes, Vector] = NO_VECTORS,
    ) -> PutCount:
        """Write a new or an edited file, which is found by its words from then on.

        Passages whose hash the document had keep their id and their vector; another passage of the same hash lends
        its own. `new_vectors` gives some by passage hash; texts without any wait to be embedded, the newest files'
        first. The model is the active one. Raises ModelError before anything of the file is written.
        """
        stored = self._stored(folder_id, file.path)
        matching = match([(each, _hash(row)) for each, row in stored.passages.items()] if stored else [], passages)
        due = self._vectors.due(matching, new_vectors)
        others = [(each, each.due(matching, NO_VECTORS)) for each in self._followers()]

        values, held = document_row(file, document), entries.rows_of(document)
        kept = {each: passage_row(passage) for each, passage in matching.kept}
        reworded = self._reworded(stored, values, kept, held)
        fulltext.remove_rows(self.conn, [*matching.gone, *reworded])
        document_id = self._write_document(stored, folder_id, (*file_row(file), *values, time.time(), None))
        entries.write(self.conn, document_id, stored.entries if stored else {}, held)
        self._update_kept(stored, kept)
        fresh = self._place_fresh(document_id, matching)
        fulltext.insert_rows(self.conn, [*fresh, *reworded])
        changed = file.mtime_ns / 1e9
        written, waiting = self._vectors.write(due, fresh, changed)
        change_log.record(self.conn, "put", sorted({*written, *(fresh.keys() & set(matching.gone))}))
        pending_vectors.settle(self.conn, self.model_id, new_vectors)
        for other, its_due in others:
            other.write(its_due, fresh, changed)
        self._forget_elsewhere(fresh, {self.model_id, *(other.model_id for other, _ in others)})
        pending_vectors.raise_to(self.conn, (passage.hash for _, passage in matching.kept), changed)
        pending_vectors.forget_unowned(self.conn, self._gone_hashes(stored, matching))

        encoded = {passage.hash for passage in fresh.values()} & new_vectors.keys()
        wordless = sum(is_held_back(passage.hash) for passage in passages)
        reused = len(passages) - len(encoded) - wordless - waiting
        return PutCount(len(encoded), reused, len(matching.gone), wordless, waiting)

    def fail(self, folder_id: int, file: FileFacts, reason: str) -> int:
        """Write down that a file could not be read, and return how many of its passages were removed.

        Passages that it had stay, and stay findable, unless its content is known to have changed: a file that is only
        locked away for a while, or whose reader crashed, loses nothing, and an edited one never shows old words.
        """
        stored = self._stored(folder_id, file.path)
        if stored is None:
            path = display(file.path)
            values: Row = (path, os.path.basename(path), "", "", "", "", None, 0, "{}", "[]")
            self._write_document(None, folder_id, (*file_row(file), *values, time.time(), storable(reason)))
            return 0
        changed = file.content_hash is not None and file.content_hash != stored.content_hash
        removed = self._remove_passages(list(stored.passages)) if changed else 0
        if changed:
            entries.write(self.conn, stored.id, stored.entries, {})
        facts = file_row(file)[:-1]
        content_hash = file.content_hash if changed else stored.content_hash
        self.conn.execute(
            f"{_UPDATE_FILE}, failure = ?, indexed_at = ? WHERE id = ?",
            (*facts, content_hash, storable(reason), time.time(), stored.id),
        )
        return removed

    def touch(self, document_id: int, file: FileFacts) -> None:
        """Write down new facts of a file whose content is as it was."""
        self.conn.execute(f"{_UPDATE_FILE} WHERE id = ?", (*file_row(file), document_id))

    def note_checked(self, document_id: int) -> None:
        """Write down that a document's bytes are those that are indexed, at this moment."""
        self.conn.execute("INSERT OR REPLACE INTO content_check VALUES(?, ?)", (document_id, time.time()))

    def move(self, document_id: int, folder_id: int, file: FileFacts, title: str) -> None:
        """Give a document a new place, and a new title where that comes from the file name; no vector changes.

        A document that was at the new place before is removed.
        """
        there = self._stored(folder_id, file.path)
        if there is not None and there.id != document_id:
            self.remove([there.id])
        title = storable(title)
        passages = self._passages(document_id)
        fulltext.remove_rows(self.conn, passages)
        self.conn.execute(
            f"{_UPDATE_FILE}, folder_id = ?, path_text = ?, title = ? WHERE id = ?",
            (*file_row(file), folder_id, display(file.path), title, document_id),
        )
        fulltext.insert_rows(self.conn, passages)

    def remove(self, document_ids: Iterable[int]) -> int:
        """Forget documents, and return how many passages went with them."""
        listed = json.dumps([int(each) for each in document_ids])
        among = "(SELECT value FROM json_each(?))"
        ids = [row[0] for row in self.conn.execute(f"SELECT id FROM passage WHERE document_id IN {among}", (listed,))]
        removed = self._remove_passages(ids)
        self.conn.execute(f"DELETE FROM document WHERE id IN {among}", (listed,))
        return removed

    # --- steps --------------------------------------------------------------------------------------------------

    def _stored(self, folder_id: int, path: bytes) -> _Stored | None:
        row = self.conn.execute(
            f"SELECT id, content_hash, {', '.join(WORD_COLUMNS)} FROM document WHERE folder_id = ? AND path = ?",
            (folder_id, path),
        ).fetchone()
        if row is None:
            return None
        return _Stored(row[0], row[2:], row[1], self._passages(row[0]), entries.stored(self.conn, row[0]))

    def _passages(self, document_id: int) -> dict[int, Row]:
        return {row[0]: row[1:] for row in self.conn.execute(_SELECT_PASSAGES, (document_id,))}

    def _followers(self) -> list[VectorWriter]:
        """Return the writers of the vectors of other models that follow what changes."""
        return [VectorWriter(self.conn, each.id) for each in models.following(self.conn, self.model_id)]

    def _forget_elsewhere(self, fresh: Collection[int], followed: Collection[int]) -> None:
        """Let all other models forget what they had under the ids of new passages."""
        for model in models.every(self.conn):
            if model.id not in followed:
                vector_tables.forget(self.conn, model.id, sorted(fresh))

    def _gone_hashes(self, stored: _Stored | None, matching: Matching[Passage]) -> set[bytes]:
        return {_hash(stored.passages[each]) for each in matching.gone} if stored is not None else set()

    def _reworded(self, stored: _Stored | None, values: Row, kept: Mapping[int, Row], held: entries.Rows) -> list[int]:
        """Return the kept passages of which the word index must hold something else than before."""
        if stored is None:
            return []
        if stored.words != values[: len(WORD_COLUMNS)]:
            return list(kept)
        words = len(TEXT_COLUMNS)
        return [
            each
            for each, row in kept.items()
            if row[:words] != stored.passages[each][:words]
            or entries.words(held, row[PAGE]) != entries.words(stored.entries, stored.passages[each][PAGE])
        ]

    def _write_document(self, stored: _Stored | None, folder_id: int, values: Row) -> int:
        if stored is not None:
            self.conn.execute(_UPDATE_DOCUMENT, (*values, stored.id))
            return stored.id
        self.conn.execute(_INSERT_DOCUMENT, (folder_id, *values))
        return self.conn.last_insert_rowid()

    def _update_kept(self, stored: _Stored | None, kept: Mapping[int, Row]) -> None:
        if stored is not None:
            differing = [(*row, each) for each, row in kept.items() if row != stored.passages[each]]
            self.conn.executemany(_UPDATE_PASSAGE, differing)

    def _place_fresh(self, document_id: int, matching: Matching[Passage]) -> dict[int, Passage]:
        """Give new passages the ids of those that are gone, then parked or new ones; park what is left over."""
        replaced, spare = matching.gone[: len(matching.fresh)], matching.gone[len(matching.fresh) :]
        ids = [*replaced, *slots.take(self.conn, len(matching.fresh) - len(replaced))]
        self._delete(matching.gone)
        slots.park(self.conn, spare)
        change_log.record(self.conn, "delete", spare)
        fresh = dict(zip(ids, matching.fresh, strict=True))
        self.conn.executemany(
            _INSERT_PASSAGE, [(*passage_row(passage), document_id, each) for each, passage in fresh.items()]
        )
        return fresh

    def _remove_passages(self, ids: Sequence[int]) -> int:
        fulltext.remove_rows(self.conn, ids)
        hashes = pending_vectors.queued_of(self.conn, ids)
        self._delete(ids)
        pending_vectors.forget_unowned(self.conn, hashes)
        slots.park(self.conn, ids)
        change_log.record(self.conn, "delete", ids)
        return len(ids)

    def _delete(self, ids: Iterable[int]) -> None:
        self.conn.executemany("DELETE FROM passage WHERE id = ?", [(each,) for each in ids])


def _hash(row: Row) -> bytes:
    value = row[PASSAGE_COLUMNS.index("hash")]
    assert isinstance(value, bytes)
    return value
