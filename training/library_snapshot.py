"""A library as one run reads it: its passages with vectors and texts, and its model. A run changes nothing in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from engine.embedding import catalogue
from engine.embedding.encoder import Encoder
from engine.evaluation.beir import Collection
from engine.paths import library_path
from engine.records import Document
from engine.store import models
from engine.store.connection import open_reader
from training import collection_libraries, corpus
from training.batch_retrieval import BatchRetriever
from training.run_plan import Plan

if TYPE_CHECKING:
    from engine.store.library_connection import LibraryConnection

Preparing = Callable[[str, int, int], None]
"""Called with what is done, how much of it, and of how much (0: not known)."""


@dataclass(frozen=True)
class LibrarySnapshot:
    """An opened library: its connection, its corpus, and the encoder that made the vectors."""

    plan: Plan
    connection: LibraryConnection
    corpus: corpus.Corpus
    encoder: Encoder
    preparing: Preparing

    @cached_property
    def retriever(self) -> BatchRetriever:
        """Both legs over all passages."""
        return BatchRetriever(self.connection, self.corpus)

    @cached_property
    def texts(self) -> list[str]:
        """The embedded text of each passage; "" where its file cannot be read now, or was changed since."""
        of = len(self.corpus.paths)
        done = 0

        def count() -> None:
            nonlocal done
            done += 1
            if done % 500 == 0 or done == of:
                self.preparing("reading the texts", done, of)

        return corpus.texts(self.corpus, self._documents(), self.encoder.token_starts, count)

    def _documents(self) -> Iterator[Document]:
        if not self.plan.collection:
            return corpus.documents_of(self.corpus)
        return (document for _, document in Collection.open(Path(self.plan.collection)).documents())


def open_snapshot(plan: Plan, preparing: Preparing) -> LibrarySnapshot:
    """Open what the plan names; a collection is indexed first, where no earlier run has done it. Raises CarrelError."""
    if plan.collection:
        encoder = catalogue.load(plan.base or catalogue.EMBEDDED, sessions=os.cpu_count() or 1)
        path = collection_libraries.library_of(
            Path(plan.collection), encoder, lambda done: preparing("indexing the collection", done, 0)
        )
        connection = open_reader(path)
    else:
        connection = open_reader(library_path(plan.library))
        active = models.active(connection)
        encoder = catalogue.load(active.name if active else catalogue.EMBEDDED, sessions=os.cpu_count() or 1)
    return LibrarySnapshot(plan, connection, corpus.read(connection), encoder, preparing)


def passages(plan: Plan) -> int:
    """Return about how many passages the plan's library has; a collection is counted by its documents, three each."""
    if plan.collection:
        with (Path(plan.collection) / "corpus.jsonl").open("rb") as stream:
            return 3 * sum(1 for _ in stream)
    connection = open_reader(library_path(plan.library))
    try:
        return int(str(connection.execute("SELECT count(*) FROM passage").get or 0))
    finally:
        connection.close()
