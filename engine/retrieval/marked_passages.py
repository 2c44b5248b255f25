"""Finds the passages that a mark stands for: a mark outlives the passage that it was made on.

It stands for every passage with its hash, in whatever file it is now, since the same text is the same answer. Where
the passage was edited, or cut anew for another model, it stands for the one of its file that holds most of its text,
and where none holds enough, for the one that lies nearest to the query.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.records import Mark
from engine.retrieval.versions import Versions
from engine.store.text_sketch import pairs_of, share_within

if TYPE_CHECKING:
    from engine.retrieval.vector_leg import Vectors
    from engine.store.store_connection import StoreConnection


Place = tuple[str, bytes, bytes]  # query, hash, path
ENOUGH = 0.3  # of a marked text: from so large a share on, a passage of its document is what became of it


class MarkedPassages:
    """Looks up the passages of marks for one model, and keeps what it found by version. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._versions: Versions[tuple[object, ...], dict[Place, tuple[int, ...]]] = Versions()

    def of(
        self, connection: StoreConnection, marks: Sequence[Mark], asked: NDArray[np.float32], vectors: Vectors
    ) -> list[tuple[int, ...]]:
        """Return what `passages_of_marks` does; `vectors` are those that `connection` sees."""
        version = connection.change_latest(), connection.words_version(), connection.folder_paths()
        with self._lock:
            known = self._versions.at(version, dict)
            unknown = [at for at, mark in enumerate(marks) if _place(mark) not in known]
            found = passages_of_marks(connection, [marks[at] for at in unknown], asked[unknown], vectors)
            known.update(zip((_place(marks[at]) for at in unknown), found, strict=True))
            return [known[_place(mark)] for mark in marks]


def _place(mark: Mark) -> Place:
    return mark.query, mark.passage_hash, mark.path


def passages_of_marks(
    connection: StoreConnection, marks: Sequence[Mark], asked: NDArray[np.float32] | None, vectors: Vectors | None
) -> list[tuple[int, ...]]:
    """Return the passages of each mark; `asked` (n, dimension) holds the vectors of the marks' queries."""
    holders = _holders(connection, {mark.passage_hash for mark in marks})
    return [
        _with_own(connection, mark, holders[mark.passage_hash])
        if mark.passage_hash in holders
        else _rewritten(connection, mark, None if asked is None else asked[at], vectors)
        for at, mark in enumerate(marks)
    ]


def _with_own(connection: StoreConnection, mark: Mark, holders: tuple[int, ...]) -> tuple[int, ...]:
    """Return the holders, and the passage of the mark's own document where only a copy of it has the hash by now."""
    document = connection.document_id_at(mark.path) if mark.sketch else None
    if document is None:
        return holders
    own = {passage for passage, _ in connection.passage_texts(document)}
    alike = None if own & set(holders) else _alike(connection, mark, document)
    return holders if alike is None else tuple(sorted({*holders, alike}))


def _alike(connection: StoreConnection, mark: Mark, document: int) -> int | None:
    """Return the passage of a document that holds most of the marked text, None where none holds enough of it."""
    texts = connection.passage_texts(document)
    shares = [(share_within(mark.sketch, pairs_of(text)), -at, passage) for at, (passage, text) in enumerate(texts)]
    share, _, passage = max(shares, default=(0.0, 0, 0))
    return passage if share >= ENOUGH else None


def _holders(connection: StoreConnection, hashes: set[bytes]) -> dict[bytes, tuple[int, ...]]:
    """Return the passages that have these hashes."""
    found: dict[bytes, tuple[int, ...]] = {}
    if hashes:
        for passage, digest in connection.passages_with_hashes(hashes):
            found[digest] = (*found.get(digest, ()), passage)
    return found


def _rewritten(
    connection: StoreConnection, mark: Mark, asked: NDArray[np.float32] | None, vectors: Vectors | None
) -> tuple[int, ...]:
    document = connection.document_id_at(mark.path)
    if document is None:
        return ()
    passage = _alike(connection, mark, document) if mark.sketch else None
    if passage is None:
        passage = nearest_passage(connection, document, asked, vectors)
    return () if passage is None else (passage,)


def documents_of(connection: StoreConnection, marks: Sequence[Mark]) -> list[tuple[bytes, ...]]:
    """Return for each mark the paths of the documents that hold its passage, its own first; none where it is gone."""
    placed = passages_of_marks(connection, marks, None, None)
    path_of = connection.paths_of(sorted({passage for held in placed for passage in held}))
    return [
        tuple(sorted({path_of[each] for each in held}, key=lambda path: (path != mark.path, path)))
        for mark, held in zip(marks, placed, strict=True)
    ]


def nearest_passage(
    connection: StoreConnection, document_id: int, asked: NDArray[np.float32] | None, vectors: Vectors | None
) -> int | None:
    """Return the passage of a document that is nearest to a unit vector, its first where that cannot be told."""
    passages = np.array([passage for passage, _ in connection.passage_texts(document_id)], np.int64)
    if not len(passages):
        return None
    if asked is not None and vectors is not None:
        rows = vectors.positions(passages)
        if (rows >= 0).any():
            there = passages[rows >= 0]
            return int(there[int(np.argmax(vectors.exactly(connection, rows[rows >= 0]) @ asked))])
    return int(passages[0])
