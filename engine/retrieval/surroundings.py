"""What stands around a passage: the two before and the two after it in its document, by their vectors and their words.

A document is cut where the encoder's window ends, and the words of one sentence about a thing then stand beside the
name of it. So a passage is ranked half by itself and half as the middle of what is around it. How far it reaches does
not grow with the document, so that a long one has no advantage.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.lazy_dataclass import dataclass
from engine.retrieval.distinct_ids import distinct
from engine.retrieval.fts_query import FtsQuery
from engine.retrieval.postings_cache import PostingsReader
from engine.retrieval.vector_leg import Vectors
from engine.store.phrase import Phrase

if TYPE_CHECKING:
    from engine.store.store_connection import StoreConnection

# Chosen with `FusionConstants.around` by leaving one collection out; tests/bench/left_out.py has the figures. One to
# three passages and 20 to 100 candidates lie on a plateau.
REACH = 2  # passages before and after
FIRST_PASSAGES = 20  # candidates that are ranked by what is around them; reading it costs .05 ms a passage at most


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is around some of the candidates: `places` (m,) among them.

    `vectors` (m, dimension) are the unit means of a passage's and its neighbours' vectors; `bm25` (m,) is what each
    word of the query gives where it scores best among them.
    """

    places: NDArray[np.int64]
    vectors: NDArray[np.float32]
    bm25: NDArray[np.float64]


def surroundings(
    words: PostingsReader, fts_query: FtsQuery, vectors: Vectors, ids: NDArray[np.int64], places: NDArray[np.int64]
) -> Surroundings | None:
    """Read what is around the candidates at these places, of all with these ids (n,); None where nothing is."""
    wanted = ids[places]
    pairs = np.array(words.connection.around(wanted.tolist(), REACH), np.int64).reshape(-1, 2)
    if len(pairs) <= len(wanted):  # each is around itself
        return None
    near = distinct(pairs[:, 1])
    owner = np.searchsorted(np.sort(wanted), pairs[:, 0])
    back = np.argsort(wanted, kind="stable")  # from the order of ids to that of the places
    member = np.searchsorted(near, pairs[:, 1])
    rows = vectors.positions(near)
    known = np.flatnonzero(rows >= 0)
    exact = np.zeros((len(near), vectors.dimension), np.float32)
    exact[known] = vectors.exactly(words.connection, rows[known])
    begins = np.flatnonzero(np.diff(owner, prepend=-1))  # the pairs come in order of the first
    place = back[owner[begins]]
    means = np.zeros((len(wanted), vectors.dimension))
    means[place] = np.add.reduceat(exact[member], begins, dtype=np.float64)
    length = np.linalg.norm(means, axis=1, keepdims=True)
    unit = (means / np.where(length > 0, length, 1.0)).astype(np.float32)
    scores = _word_scores(words, fts_query, near)
    best = np.zeros((len(wanted), scores.shape[1]))
    best[place] = np.maximum.reduceat(scores[member], begins)
    return Surroundings(places, unit, best.sum(axis=1))


def _word_scores(words: PostingsReader, fts_query: FtsQuery, ids: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what each scored phrase gives each passage, (n, phrases)."""
    phrases = [fts_query.phrases[index] for index in fts_query.known]
    if phrases and all(words.knows(phrase) for phrase in phrases):
        return np.stack([_kept(words, phrase, ids) for phrase in phrases], axis=1)
    holding = [fts_query.readings[index].documents for index in fts_query.known]
    return _read(words.connection, phrases, holding, ids)


def _kept(words: PostingsReader, phrase: Phrase, ids: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what a phrase gives, from scores that were read before: they cost nothing."""
    postings = words.postings(phrase)
    if not len(postings.ids):
        return np.zeros(len(ids))
    at = np.searchsorted(postings.ids, ids).clip(max=len(postings.ids) - 1)
    return np.where(postings.ids[at] == ids, postings.scores[at], 0.0)


def _read(
    connection: StoreConnection, phrases: Sequence[Phrase], holding: Sequence[int], ids: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return what each phrase gives, from the texts themselves: in a large library that reads far less."""
    scores = np.zeros((len(ids), len(phrases)))
    if not phrases:
        return scores
    parts = connection.bm25_parts(ids.tolist(), phrases, holding)
    for place, passage in enumerate(ids.tolist()):
        if passage in parts:
            scores[place] = [part.score for part in parts[passage].parts]
    return scores
