"""The corpus: all passages of a library as arrays, a row each, with the base model's vectors and their texts."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.chunking import PassageRules, cut
from engine.embedding.manifest import Manifest
from engine.errors import ModelError, SourceError
from engine.records import Document
from engine.store import models
from engine.store.vector_tables import read_matrix

if TYPE_CHECKING:
    import apsw

    from engine.chunking import TokenStarts

OnText = Callable[[], None]


@dataclass(frozen=True)
class Corpus:
    """All passages that have a vector, in order of their ids; every array has a row for each.

    `documents` are document ids; `folders` number the uppermost folder below a watched one; `places` order passages by
    path and ordinal; `titles` and `paths` are by document id, paths absolute, and the bare id in a collection.
    """

    model: Manifest
    ids: NDArray[np.int64]
    documents: NDArray[np.int64]
    folders: NDArray[np.int64]
    places: NDArray[np.int64]
    hashes: tuple[bytes, ...]
    vectors: NDArray[np.float32]
    titles: Mapping[int, str]
    paths: Mapping[int, bytes]

    def rows_of(self, document: int) -> NDArray[np.int64]:
        """Return the rows of a document's passages."""
        order, sorted_documents = self._by_document
        low, high = np.searchsorted(sorted_documents, (document, document + 1))
        return order[low:high]

    @cached_property
    def digest(self) -> str:
        """What tells this state of a library from any other: its model, and which passage stands in which row."""
        told = hashlib.sha256(self.model.fingerprint.encode())
        for part in (self.ids.tobytes(), self.documents.tobytes(), *self.hashes):
            told.update(part)
        return told.hexdigest()

    @cached_property
    def root(self) -> bytes:
        """The path of the innermost folder that holds all documents."""
        return os.path.commonpath([os.path.dirname(path) for path in self.paths.values()] or [b"/"])

    @cached_property
    def _by_document(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        order = np.argsort(self.documents, kind="stable")
        return order, self.documents[order]


def read(connection: apsw.Connection) -> Corpus:
    """Read the passages of a library. Raises ModelError where it has no model yet."""
    active = models.active(connection)
    if active is None:
        raise ModelError("The library is empty: there is nothing to learn from.", fix="Run `carrel sync` first.")
    ids, vectors = read_matrix(connection, active.id)
    rows: list[Any] = connection.execute(
        """SELECT passage.id, document_id, document.folder_id, document.path, passage.hash
        FROM passage JOIN document ON document.id = document_id
        ORDER BY document.path, document.folder_id, passage.ordinal"""
    ).fetchall()
    at = {int(each): row for row, each in enumerate(ids)}
    documents, folders = np.zeros(len(ids), np.int64), np.zeros(len(ids), np.int64)
    places, hashes = np.zeros(len(ids), np.int64), [b""] * len(ids)
    numbers: dict[tuple[int, bytes], int] = {}
    for place, (passage, document, folder, path, digest) in enumerate(rows):
        row = at.get(passage)
        if row is not None:
            documents[row], places[row], hashes[row] = document, place, digest
            folders[row] = numbers.setdefault((folder, path.split(b"/")[0] if b"/" in path else b""), len(numbers))
    described: list[Any] = connection.execute(
        """SELECT document.id, title, folder.path, document.path FROM document
        JOIN folder ON folder.id = folder_id"""
    ).fetchall()
    return Corpus(
        model=Manifest.from_json(active.manifest),
        ids=ids,
        documents=documents,
        folders=folders,
        places=places,
        hashes=tuple(hashes),
        vectors=vectors,
        titles={document: title for document, title, _, _ in described},
        paths={document: os.path.join(folder, path) for document, _, folder, path in described},
    )


def texts(
    corpus: Corpus, documents: Iterable[Document], token_starts: TokenStarts, on_text: OnText = lambda: None
) -> list[str]:
    """Cut documents as the library did and return the embedded text of each row of the corpus, "" where none fits.

    The texts themselves are not kept in a library, so they are made anew; a passage is known by its hash.
    """
    manifest = corpus.model
    rules = PassageRules.from_dict(manifest.passage_rules)
    wanted = set(corpus.hashes)
    found: dict[bytes, str] = {}
    for document in documents:
        for passage in cut(document, token_starts, rules, manifest.passage_prefix):
            if passage.hash in wanted:
                found[passage.hash] = passage.embedded
        on_text()
    return [found.get(each, "") for each in corpus.hashes]


def documents_of(corpus: Corpus) -> Iterator[Document]:
    """Read the files of a corpus; those that cannot be read now are left out."""
    from engine.sources.parser import Parser

    parser = Parser()
    try:
        for path in corpus.paths.values():
            try:
                yield parser.read(path)
            except SourceError:
                continue
    finally:
        parser.close()
