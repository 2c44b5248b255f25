"""Passages that are found by words before they have a vector: what they count until then, and which are wanted first.

They are neither what the encoder cannot read (`unread_passages`) nor data (`wordless_text`): their vectors will come.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.store import passage_counts, pending_vectors

if TYPE_CHECKING:
    import apsw

    from engine.retrieval.candidate_retrieval import Candidates

ASKED = 200  # passages of one search that the indexer is asked for, as many as a leg brings


def embedded_share(connection: apsw.Connection, model_id: int | None = None) -> float:
    """Return the share of the library's texts that have a vector, 0 to 1; data, which needs none, is left out.

    They are vectors of the active model, unless another is named.
    """
    if not pending_vectors.any_wait(connection, model_id=model_id):
        return 1.0
    needed = passage_counts.embeddable_texts(connection)
    waiting = pending_vectors.count(connection, model_id=model_id)
    return max(0.0, 1.0 - waiting / needed) if needed > 0 else 1.0


def awaited_texts(connection: apsw.Connection, passage_ids: Sequence[int]) -> dict[bytes, str]:
    """Return the texts that the encoder is to see of those of these passages that wait, by hash and in their order."""
    rows = connection.execute(
        "SELECT passage.hash FROM json_each(?) AS wanted CROSS JOIN passage ON passage.id = wanted.value"
        " ORDER BY wanted.key",
        (json.dumps(list(passage_ids)),),
    )
    hashes = [digest for (digest,) in rows if isinstance(digest, bytes)]
    texts = pending_vectors.texts(connection, hashes)
    return {digest: texts[digest] for digest in dict.fromkeys(hashes) if digest in texts}


def wanted(candidates: Candidates, shown: Iterable[int], most: int) -> list[int]:
    """Return the passages without a vector that would tell a search most: those it shows, then the best by words.

    `shown` are positions in the candidates. At most `most`, the first to be embedded first.
    """
    if candidates.pending is None:
        return []
    ranked = np.flatnonzero(candidates.keyword_rank != 0)
    by_words = ranked[np.argsort(np.abs(candidates.keyword_rank[ranked]), kind="stable")]
    first = [place for place in dict.fromkeys([*shown, *by_words.tolist()]) if candidates.pending[place]]
    return [int(candidates.ids[place]) for place in first[:most]]


def expected_meaning(
    pending: NDArray[np.bool_], meaning: NDArray[np.float64], words: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return what meaning is likely to give passages without a vector, each array (n,); 0 for those that have one.

    `meaning` and `words` are the parts of the score by each leg; a passage is expected to have both in the ratio that
    they have in those with a vector. With a tenth of SciFact's vectors, a third or seven tenths (100 of its train
    queries) the list reached .670, .675 and .703 in NDCG@10; with 0 expected .271, .561 and .696, with the mean of
    those with a vector .482, .604 and .696; with all vectors .737.
    """
    known = ~pending & (words > 0) & (meaning != 0)  # what is data, or cannot be read, has none
    if not known.any():
        return np.zeros(len(pending))
    ratio = float(meaning[known].sum() / words[known].sum())
    return np.where(pending, np.clip(ratio * words, 0.0, meaning[known].max()), 0.0)
