"""A model that lacks most of its vectors, to judge what a search gives while passages still wait for theirs.

The vectors are made once, and all but some are hidden: so many settings can be judged on one index.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from engine.retrieval.overlaid_vectors import OverlaidVectors
from engine.retrieval.pending_passages import wanted
from engine.retrieval.tombstones import PassageRows
from engine.retrieval.vector_index import ExactVectors

if TYPE_CHECKING:
    from engine.retrieval.search_pipeline import Model, Search
    from engine.retrieval.vector_leg import Vectors
    from engine.store.store_connection import StoreConnection


def with_vectors_of(connection: StoreConnection, model: Model, passage_ids: Collection[int]) -> Model:
    """Return a model that has the vectors of these passages and no others."""
    ids = np.array(sorted(passage_ids), np.int64)
    rows = model.vectors.positions(ids)
    ids, rows = ids[rows >= 0], rows[rows >= 0]
    matrix = model.vectors.exactly(connection, rows)
    nothing = ExactVectors(PassageRows.of(ids[:0]), np.empty((0, model.vectors.dimension), np.float32))
    vectors: Vectors = OverlaidVectors(nothing, ids, matrix) if len(ids) else nothing
    return replace(model, vectors=vectors, embedded=len(ids) / max(1, model.vectors.count))


def on_demand(
    connection: StoreConnection, model: Model, most: int, run: Callable[[Model], Search], there: Collection[int] = ()
) -> Search:
    """Search as where only the passages `there` have vectors, and the best `most` of what is found are embedded."""
    first = run(with_vectors_of(connection, model, there))
    shown = [row.passage for row in first.rows]
    chosen = wanted(first.gathered.candidates, shown, most)
    return run(with_vectors_of(connection, model, {*there, *chosen})) if chosen else first
