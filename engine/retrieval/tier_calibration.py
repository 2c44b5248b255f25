"""Fits the tiers of a library: the shipped foreign queries run through the same legs and signals as a person's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.embedding.out_of_domain import DescribedEncoder, foreign_queries, foreign_vectors
from engine.records import SearchSettings
from engine.retrieval import tiers
from engine.retrieval.assessment import Assessment, assess
from engine.retrieval.candidate_retrieval import Meaning, gather
from engine.retrieval.fts_query import fts_query_of
from engine.retrieval.postings_cache import PostingsCache
from engine.retrieval.query import plain
from engine.retrieval.query_memory import complete
from engine.retrieval.unread_passages import Reads, everything
from engine.retrieval.vector_index import VectorIndex
from engine.retrieval.vector_leg import Vectors
from engine.store import models, row_reads
from engine.store.allowed import EVERYTHING
from engine.store.transactions import transaction

if TYPE_CHECKING:
    from engine.store.library_connection import LibraryConnection
    from engine.store.store_connection import StoreConnection


def calibrate(
    connection: StoreConnection,
    vectors: Vectors,
    background: float,
    texts: Sequence[str],
    queries: NDArray[np.float32],
    stopped: Callable[[], bool] = lambda: False,
    reads: Reads = everything,
    embedded: float = 1.0,
) -> tiers.Cuts | None:
    """Fit the cuts to what foreign queries reach here; None where `stopped` said so before the end.

    `queries` (n, dimension) are the unit vectors of `texts`; `embedded` is the share of the passages that have a
    vector. Costs a search each.
    """
    settings = SearchSettings(feedback=False)
    postings = PostingsCache(keeps_scores=True)  # foreign queries share their common words
    query_signals: list[float] = []
    row_signals: list[Sequence[float]] = []
    for text, vector in zip(texts, queries, strict=True):
        if stopped():
            return None
        words = postings.of(connection)
        fts_query = fts_query_of(plain(text), words)
        meaning = Meaning(vector, vectors, background, reads, embedded)
        gathered = gather(words, fts_query, EVERYTHING, meaning, settings)
        seen = assess(connection, gathered, settings, rows=tiers.BEST_COUNT)
        query_signals.append(tiers.query_signal(gathered.best_cosines, seen.coverages, fts_query.rows, embedded))
        row_signals.append(_known(seen))
    return tiers.fit(query_signals, row_signals, connection.statistics().rows)


def _known(seen: Assessment) -> Sequence[float]:
    """Return the signals of the rows that have a vector: those of the others say nothing of meaning."""
    if not any(seen.pending):
        return seen.signals
    return [signal for signal, waits in zip(seen.signals, seen.pending, strict=True) if not waits]


def refit(
    connection: LibraryConnection,
    encoder: DescribedEncoder,
    stopped: Callable[[], bool] = lambda: False,
    beside: models.StoredModel | None = None,
) -> None:
    """Fit the tiers of the active model, or of one `beside` it, to the library as it is now and keep them.

    `connection` is a writer's and `encoder` that model's; the vectors of the foreign queries are shipped or kept with
    it.
    """
    model = beside or models.active(connection)
    if model is None:
        return
    source = models.vectors_of(connection, model)
    vectors = VectorIndex(source).at(connection)
    if not vectors.count:
        return
    complete(connection, model.id, lambda text: encoder.encode_queries([text])[0])
    foreign = foreign_vectors(encoder)
    background = encoder.manifest.background_cosine
    embedded = row_reads.embedded_share(connection, source)
    cuts = calibrate(connection, vectors, background, foreign_queries(), foreign, stopped, encoder.reads, embedded)
    if cuts is not None:
        with transaction(connection):
            models.calibrate(connection, model.id, {tiers.CALIBRATED: cuts.to_json()})
