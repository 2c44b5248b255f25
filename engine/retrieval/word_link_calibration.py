"""Fits from which cosine two words count as linked, for each model: how near words of wrong passages come by chance.

The shipped queries and background passages stand in for a library. A query is held against the three passages nearest
to it, which look most like an answer; those whose own subject a passage has are left out, and those that nothing is
like.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from engine.embedding.catalogue import EMBEDDED
from engine.embedding.out_of_domain import DescribedEncoder, background_passages, foreign_queries, foreign_vectors
from engine.retrieval.word_links import LinkCuts, TokenEncoder, other_word_cosines
from engine.store import models
from engine.store.transactions import transaction

if TYPE_CHECKING:
    from engine.store.library_connection import LibraryConnection
    from engine.store.store_connection import StoreConnection

CALIBRATED = "nearest_words"  # the name of the figure in the library
LINKED_BY_CHANCE = 0.04  # share of a question's words that a wrong passage may link
FAINT_BY_CHANCE = 0.12  # the same for the one link that is shown where there is no other
LIKE_BUT_WRONG = (0.1, 0.5)  # which queries are taken, by the cosine of their nearest passage: places in that order
NEAREST = 3  # passages a query
# Measured for the embedded model, on SciFact's right passages and those at place 100, see tests/bench/nearest_words.py.
EMBEDDED_CUTS = LinkCuts(0.6, 0.47)


def fitted_cuts(encoder: DescribedEncoder, stopped: Callable[[], bool] = lambda: False) -> LinkCuts | None:
    """Return the cuts of a model; None where it gives one vector a text, or `stopped` said so before the end.

    Costs a run of the model for each of some 400 texts, 3 s on one core.
    """
    if not isinstance(encoder, TokenEncoder):
        return None
    remembering = _Remembering(encoder)
    queries, passages = foreign_queries(), background_passages()
    prefix = encoder.manifest.passage_prefix
    near = foreign_vectors(encoder) @ encoder.encode_passages([prefix + each for each in passages]).T
    cosines: list[float] = []
    first, last = (int(share * len(queries)) for share in LIKE_BUT_WRONG)
    for query in np.argsort(-near.max(axis=1))[first:last].tolist():
        for passage in np.argsort(-near[query])[:NEAREST].tolist():
            if stopped():
                return None
            cosines += other_word_cosines(remembering, queries[query], passages[passage]).tolist()
    if not cosines:
        return None
    link, faint = np.quantile(cosines, [1.0 - LINKED_BY_CHANCE, 1.0 - FAINT_BY_CHANCE]).tolist()
    return LinkCuts(link, faint)


class _Remembering:
    """Encodes each text once."""

    def __init__(self, encoder: TokenEncoder) -> None:
        self.encode_query_tokens = cache(encoder.encode_query_tokens)
        self.encode_passage_tokens = cache(encoder.encode_passage_tokens)
        self.reads = encoder.reads


def fit(
    connection: LibraryConnection,
    encoder: DescribedEncoder,
    stopped: Callable[[], bool] = lambda: False,
    beside: models.StoredModel | None = None,
) -> None:
    """Keep the cuts of the active model, or of one `beside` it, whose encoder this is, where they are not there yet.

    `connection` is a writer's.
    """
    model = beside or models.active(connection)
    if model is None or cuts_of(connection, model.id, encoder.manifest.id) is not None:
        return
    cuts = fitted_cuts(encoder, stopped)
    if cuts is not None:
        with transaction(connection):
            models.calibrate(connection, model.id, {CALIBRATED: json.dumps([cuts.link, cuts.faint])})


def cuts_of(connection: StoreConnection, model_id: int, name: str) -> LinkCuts | None:
    """Return the cuts of a model in this library: those fitted, else the embedded model's own; None for others."""
    fitted = cuts_in(connection.figure(model_id, CALIBRATED))
    return fitted or (EMBEDDED_CUTS if name == EMBEDDED else None)


def cuts_in(written: object) -> LinkCuts | None:
    """Read cuts that `fit` kept; None where there are none, or they are damaged."""
    try:
        link, faint = json.loads(str(written))
        return LinkCuts(float(link), float(faint))
    except (ValueError, TypeError, RecursionError):
        return None
