"""Compares base and candidate by the real search over the whole library, with memory off and on.

The candidate's vectors are made in the run's folder, a block at a time, so that a kill costs seconds; the library
itself is only read. All that differs between the two is the model that is handed to the search.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.atomic_files import replace_file
from engine.embedding.encoder import Encoder
from engine.embedding.out_of_domain import foreign_queries, foreign_vectors
from engine.evaluation.metrics import RECALL_DEPTH, QueryScore, score
from engine.records import Mark, SearchSettings
from engine.retrieval import search_pipeline, tiers
from engine.retrieval.late_interaction import Late
from engine.retrieval.postings_cache import PostingsCache
from engine.retrieval.query import plain
from engine.retrieval.query_memory import PastQueries
from engine.retrieval.tier_calibration import calibrate
from engine.retrieval.tombstones import PassageRows
from engine.retrieval.vector_index import ExactVectors
from engine.store import fitted_constants
from engine.store.judgements import RIGHT
from training.corpus import Corpus
from training.known_queries import KnownQuery

if TYPE_CHECKING:
    from engine.store.library_connection import LibraryConnection

BLOCK = 256  # passages embedded before the count of those that are done is written down
VECTORS_FILE, COUNT_FILE = "vectors.f32", "vectors.done"
Check = Callable[[], None]


@dataclass(frozen=True, slots=True)
class SystemScores:
    """The scores of one system for each query, and the documents that it found first."""

    scores: tuple[QueryScore, ...]
    found: tuple[tuple[int, ...], ...]

    def values(self, measure: str) -> NDArray[np.float64]:
        """Give one measure of each query."""
        return np.array([getattr(row, measure) for row in self.scores], np.float64)


class RetrievalSystem:
    """The search of one library with one model; `vectors` are those of the corpus's passages, row for row.

    Constants of the fusion that were fitted to the library for this model count, as they do for a person.
    """

    def __init__(
        self,
        connection: LibraryConnection,
        corpus: Corpus,
        encoder: Encoder,
        vectors: NDArray[np.float32],
        check: Check,
    ) -> None:
        self._connection = connection
        self._corpus = corpus
        self._encoder = encoder
        self._postings = PostingsCache(keeps_scores=True)
        self._vectors = ExactVectors(PassageRows.of(corpus.ids), vectors)
        background = encoder.manifest.background_cosine
        self._model = search_pipeline.Model(encoder.manifest.id, encoder.encode_query, self._vectors, background)
        self._cuts = self._fitted(background, check)
        kept = fitted_constants.kept(connection)
        self._constants = kept.constants if kept is not None and kept.model == encoder.manifest.id else None

    def with_late(self, late: Late | None) -> RetrievalSystem:
        """Let late interaction rank the best again from now on, or none."""
        self._model = replace(self._model, late=late)
        return self

    def _fitted(self, background: float, check: Check) -> tiers.Cuts:
        def stopped() -> bool:
            check()
            return False

        fitted = calibrate(
            self._connection,
            self._vectors,
            background,
            foreign_queries(),
            foreign_vectors(self._encoder),
            stopped,
        )
        return fitted or tiers.unfitted(background)

    def remembering(self, queries: Sequence[KnownQuery]) -> PastQueries:
        """Return past queries of which these answers were marked, each on its document's best passage."""
        vectors = self._encoder.encode_queries([query.text for query in queries])
        return judged_memory(self._corpus, queries, vectors, self._vectors.matrix)

    def answer(self, queries: Sequence[KnownQuery], past: PastQueries | None, check: Check) -> SystemScores:
        """Search for each query and measure; a document's rank is its best passage's."""
        settings = SearchSettings(collapse=0.0, memory=past is not None, constants=self._constants)
        model = self._model if past is None else replace(self._model, past_queries=past)
        scores, found = [], []
        for number, query in enumerate(queries):
            check()
            search = search_pipeline.run(
                self._connection,
                plain(query.text),
                settings,
                model,
                self._cuts,
                limit=RECALL_DEPTH,
                postings=self._postings,
            )
            documents = search.gathered.candidates.documents
            listed = tuple(int(documents[row.passage]) for row in search.rows)
            grades = {str(document): grade for document, grade in query.relevant.items()}
            scores.append(score(str(number), [str(each) for each in listed], grades))
            found.append(listed[:10])
        return SystemScores(tuple(scores), tuple(found))


def judged_memory(
    corpus: Corpus, queries: Sequence[KnownQuery], vectors: NDArray[np.float32], passages: NDArray[np.float32]
) -> PastQueries:
    """Return judged queries that stand in no library, with their vectors; the last of equal texts counts."""
    marks: list[Mark] = []
    known: dict[str, NDArray[np.float32]] = {}
    for query, vector in zip(queries, vectors, strict=True):
        known[query.text] = vector
        for document in query.relevant:
            rows = corpus.rows_of(document)
            if len(rows):
                best = int(rows[int(np.argmax(passages[rows] @ vector))])
                marks.append(Mark(query.text, corpus.hashes[best], corpus.paths[document], RIGHT))
    return PastQueries(marks, known)


def embedded(
    folder: Path,
    encoder: Encoder,
    texts: Sequence[str],
    known: NDArray[np.float32],
    check: Check,
    on_progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> NDArray[np.float32]:
    """Return the encoder's vectors of texts, kept in `folder` as they are made; what is there already is not made anew.

    A text that is "", because its file cannot be read now, keeps its row of `known`.
    """
    shape = (len(texts), encoder.manifest.dimension)
    path, counter = folder / VECTORS_FILE, folder / COUNT_FILE
    if not (path.exists() and counter.exists()):
        np.lib.format.open_memmap(path, "w+", np.float32, shape).flush()
        counter.write_text("0", encoding="ascii")
    vectors = np.lib.format.open_memmap(path, "r+")
    done = int(counter.read_text(encoding="ascii") or 0)
    while done < len(texts):
        check()
        until = min(done + BLOCK, len(texts))
        rows = [row for row in range(done, until) if texts[row]]
        vectors[done:until] = known[done:until]
        if rows:
            vectors[rows] = encoder.encode_passages([texts[row] for row in rows])
        vectors.flush()
        done = until
        replace_file(counter, str(done))
        on_progress(done, len(texts))
    return np.array(vectors)
