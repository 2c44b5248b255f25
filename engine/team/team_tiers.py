"""Fits the tiers to what a member sees of a team's library, as the single file fits them to what it holds.

Each member sees other folders, so each has cuts of their own; they are kept in the team's library, beside the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from engine.embedding.out_of_domain import DescribedEncoder, foreign_queries, foreign_vectors
from engine.retrieval.tier_calibration import calibrate
from engine.retrieval.tiers import CALIBRATED, Cuts

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.indexing.stop_signal import Signal
    from engine.retrieval.search_pipeline import Model
    from engine.store.store_connection import StoreConnection
    from engine.team.team_store import TeamStore

GROWN = 1.5  # times the passages, or their part: below it the cuts move less than a tier's width


def fit(store: TeamStore, model_of: Callable[[StoreConnection], Model | None], stop: Signal) -> bool:
    """Fit the tiers where there are none, or the library has grown or shrunk much since; False where nothing was done.

    Costs as many searches as there are foreign queries, some hundreds.
    """
    with store.searching() as connection:
        model = model_of(connection)
        if model is None or not model.vectors.count:
            return False
        if not _misfit(connection, model.id):
            return False
        encoder = cast("DescribedEncoder", model.encoder)
        cuts = calibrate(
            connection,
            model.vectors,
            model.background,
            foreign_queries(),
            foreign_vectors(encoder),
            stop.is_set,
            model.reads,
            model.embedded,
        )
    if cuts is None:
        return False
    with store.writing() as writer:
        writer.calibrate(model.id, {CALIBRATED: cuts.to_json()})
    return True


def model_of(store: TeamStore, encoder: object, connection: StoreConnection) -> Model | None:
    """Return the team's model as searches use it, by its `encoder`; None where that is another model's."""
    from engine.retrieval.search_pipeline import Model

    given = cast("DescribedEncoder", encoder)
    stored = connection.active_model()
    if stored is None or stored.fingerprint != given.manifest.fingerprint:
        return None
    return Model(
        stored.name,
        lambda text: given.encode_queries([text])[0],
        store.vector_source(stored.id).at(connection),
        given.manifest.background_cosine,
        id=stored.id,
        reads=given.reads,
        embedded=connection.embedded_share(),
        encoder=encoder,
    )


def _misfit(connection: StoreConnection, model_id: int) -> bool:
    fitted = Cuts.from_json(connection.figure(model_id, CALIBRATED))
    now = connection.statistics().rows
    return fitted is None or not fitted.passages / GROWN <= now <= fitted.passages * GROWN
