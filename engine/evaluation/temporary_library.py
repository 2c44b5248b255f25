"""A temporary library of a judged collection, cut, embedded and stored as a person's files would be."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from engine.chunking import PassageRules, cut
from engine.embedding.encoder import Encoder
from engine.evaluation.evaluator import Ranking
from engine.evaluation.partial_vectors import on_demand
from engine.records import Document, Passage, SearchSettings
from engine.retrieval import search_pipeline
from engine.retrieval.active_model import ActiveModel
from engine.retrieval.connection_pool import ReaderPool
from engine.retrieval.postings_cache import PostingsCache
from engine.retrieval.query import plain
from engine.retrieval.tier_calibration import refit
from engine.store import documents as stored
from engine.store import folders, models
from engine.store.connection import open_writer
from engine.store.document_writer import Writer
from engine.store.library_connection import LibraryConnection
from engine.store.row_mapping import FileFacts

FOLDER = b"/collection"
BATCH_DOCUMENTS = 64  # embedded and committed together
OnIndexed = Callable[[int, int], None]
"""Called after each batch with how many documents and passages are indexed."""


class TemporaryLibrary:
    """Searches a collection that was indexed; a document's place in a ranking is that of its best passage.

    Near-duplicates are not collapsed, because a judged collection counts every copy.
    """

    def __init__(self, path: Path, encoder: Encoder, settings: SearchSettings, index_seconds: float) -> None:
        self.path = path
        self._pool = ReaderPool(path)
        self._encoder = encoder
        self._active = ActiveModel(encoder)
        self._postings = PostingsCache(keeps_scores=True)
        self.settings = replace(settings, collapse=0.0, group=True)
        self.on_demand: int | None = None
        self.index_seconds = index_seconds
        with self._pool.lend() as connection:
            counted = stored.counts(connection)
            rows: list[Any] = connection.execute("SELECT id, path_text FROM document").fetchall()
        self.documents, self.passages = counted.documents, counted.passages
        self._names: dict[int, str] = dict(rows)

    def rank(self, text: str, limit: int) -> Ranking:
        """Rank the best `limit` documents for a query, which is taken as plain words, whatever signs it holds."""
        with self._pool.lend() as connection:
            model, cuts = self._active.of(connection)

            def run(model: search_pipeline.Model | None) -> search_pipeline.Search:
                return search_pipeline.run(
                    connection, plain(text), self.settings, model, cuts, limit=limit, postings=self._postings
                )

            if model is None or self.on_demand is None:
                search = run(model)
            else:
                search = on_demand(connection, model, self.on_demand, run)
        candidates, ranking = search.gathered.candidates, search.ranking
        found = [
            (self._names[int(candidates.documents[row.passage])], float(ranking.score[row.passage]))
            for row in search.rows
        ]
        timings = search.timings
        return Ranking(found, encode_ms=timings.encode, search_ms=timings.total - timings.encode)

    def with_settings(self, settings: SearchSettings, on_demand: int | None = None) -> TemporaryLibrary:
        """Make later rankings by other settings, on the same index.

        With `on_demand`, as if no passage had a vector but so many of those that a query finds by words.
        """
        self.settings, self.on_demand = replace(settings, collapse=0.0, group=True), on_demand
        return self

    def with_token_vectors(self, factor: int, encoder: Encoder) -> TemporaryLibrary:
        """Give every passage an installed model's token vectors, one for `factor` tokens: late interaction then counts.

        They are pooled as that model was trained to have them. Raises ModelError where it gives none.
        """
        from engine.indexing.late_build import LateTurns, switch_on
        from engine.indexing.stop_signal import Never

        connection = open_writer(self.path)
        try:
            manifest = encoder.manifest
            switch_on(connection, manifest.id, encoder, factor, manifest.late_pooling)
            turns = LateTurns(connection, lambda _: encoder, lambda _: None)
            while turns.due:
                turns.take(Never())
        finally:
            connection.close()
        return self

    def model(self, connection: LibraryConnection) -> search_pipeline.Model:
        """Return what a search needs of the model that made the vectors."""
        model, _ = self._active.of(connection)
        assert model is not None  # indexing wrote it down
        return model

    def close(self) -> None:
        """Let go of the file."""
        self._pool.close()


@contextmanager
def temporary_library(
    collection: Iterator[tuple[str, Document]],
    encoder: Encoder,
    settings: SearchSettings,
    on_indexed: OnIndexed = lambda _documents, _passages: None,
) -> Iterator[TemporaryLibrary]:
    """Index a collection into a library in a temporary folder, and remove it when the context ends."""
    with tempfile.TemporaryDirectory(prefix="carrel-eval-") as folder:
        path = Path(folder) / "collection.carrel"
        began = time.perf_counter()
        index(path, collection, encoder, on_indexed)
        searcher = TemporaryLibrary(path, encoder, settings, time.perf_counter() - began)
        try:
            yield searcher
        finally:
            searcher.close()


def index(
    path: Path,
    collection: Iterator[tuple[str, Document]],
    encoder: Encoder,
    on_indexed: OnIndexed = lambda _documents, _passages: None,
) -> None:
    """Make a library of a collection at `path`, where none may be yet."""
    manifest = encoder.manifest
    rules = PassageRules.from_dict(manifest.passage_rules)
    connection = open_writer(path, create=True)
    try:
        model_id = models.write_down(connection, manifest, state="active")
        folder_id = folders.add(connection, FOLDER)
        writer = Writer(connection, model_id)
        done = passages = 0
        while batch := list(islice(collection, BATCH_DOCUMENTS)):
            pieces = [cut(document, encoder.token_starts, rules, manifest.passage_prefix) for _, document in batch]
            _write(writer, folder_id, batch, pieces, encoder)
            done, passages = done + len(batch), passages + sum(map(len, pieces))
            on_indexed(done, passages)
        refit(connection, encoder)
    finally:
        connection.close()


def _write(
    writer: Writer,
    folder_id: int,
    batch: Sequence[tuple[str, Document]],
    pieces: Sequence[Sequence[Passage]],
    encoder: Encoder,
) -> None:
    texts = {passage.hash: passage.embedded for passages in pieces for passage in passages}
    missing = sorted(writer.missing(texts))
    vectors = dict(zip(missing, encoder.encode_passages([texts[each] for each in missing]), strict=True))
    with writer.transaction():
        for (identity, document), passages in zip(batch, pieces, strict=True):
            content = document.text.encode("utf-8", "replace")
            facts = FileFacts(
                path=identity.encode("utf-8", "replace"),
                size=len(content),
                mtime_ns=0,
                inode=0,
                device=0,
                content_hash=hashlib.blake2b(content, digest_size=16).digest(),
            )
            writer.put(folder_id, facts, document, passages, vectors)
