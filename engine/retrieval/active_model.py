"""The model that the library's vectors were made with: the only one that may encode a query for it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from engine.embedding import catalogue
from engine.embedding.manifest import Manifest
from engine.errors import ModelError
from engine.retrieval import tiers
from engine.retrieval.query_memory import Memory
from engine.retrieval.search_pipeline import Model
from engine.retrieval.tier_calibration import cuts_of
from engine.retrieval.vector_index import Resident
from engine.store import models

if TYPE_CHECKING:
    import apsw

    from engine.embedding.encoder import Encoder


class ActiveModel:
    """Keeps the encoder and the matrix of the active model, and follows when the library takes another."""

    def __init__(self, encoder: Encoder | None = None) -> None:
        self._given = encoder
        self._lock = threading.Lock()
        self._encoder: Encoder | None = None
        self._fingerprint = ""
        self._resident = Resident()
        self._memory = Memory()

    def of(self, connection: apsw.Connection) -> tuple[Model | None, tiers.Cuts]:
        """Return what a search needs of the active model; None before the first sync.

        Raises ModelError where the model is not installed or is not the one that made the vectors.
        """
        stored = models.active(connection)
        if stored is None:
            return None, tiers.unfitted(0.0)
        manifest = Manifest.from_json(stored.manifest)
        encoder = self._encoder_of(stored)
        vectors = self._resident.refresh(connection, stored.id)
        self._memory.refresh(connection, stored.id, encoder.encode_query)
        model = Model(manifest.id, encoder.encode_query, vectors, manifest.background_cosine, self._memory, stored.id)
        return model, cuts_of(connection, stored.id) or tiers.unfitted(manifest.background_cosine)

    def _encoder_of(self, stored: models.StoredModel) -> Encoder:
        with self._lock:
            if self._encoder is None or self._fingerprint != stored.fingerprint:
                encoder = self._given or catalogue.load(stored.name)
                if encoder.manifest.fingerprint != stored.fingerprint:
                    raise ModelError(
                        f"The library was built with another version of {stored.name}.",
                        cause="The vectors in it and this model's do not compare.",
                        fix=f"Build it anew with `carrel models use {stored.name}`.",
                    )
                self._encoder, self._fingerprint = encoder, stored.fingerprint
            return self._encoder
