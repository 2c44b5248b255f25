"""The model that the library's vectors were made with: the only one that may encode a query for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from engine.embedding import catalogue
from engine.embedding.manifest import Manifest
from engine.errors import ModelError
from engine.lazy_dataclass import dataclass
from engine.retrieval import tiers
from engine.retrieval.late_interaction import LateStage
from engine.retrieval.on_demand_vectors import AT_ONCE, OnDemandVectors
from engine.retrieval.query_memory import QueryMemory
from engine.retrieval.search_pipeline import Model
from engine.retrieval.vector_index import VectorIndex
from engine.retrieval.vector_leg import VectorSource
from engine.retrieval.word_links import TokenEncoder
from engine.store import models
from engine.store.store_connection import LateReads

if TYPE_CHECKING:
    from engine.embedding.encoder import Encoder
    from engine.store.store_connection import StoreConnection

FORMER_SECONDS = 60.0  # a search that began before the library took another model has long ended by then

# Which of a library's models it is: the model, the id of the one whose vectors are its own, the share of the texts that
# have one.
Which: TypeAlias = "Callable[[StoreConnection], tuple[models.StoredModel | None, int, float]]"
Version: TypeAlias = tuple[tuple[int, int], int, str]  # the library file, the model's id in it, and its fingerprint


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What is kept in memory of one model of one library file, first seen at change number `since` and at `moment`."""

    version: Version
    encoder: Encoder
    vectors: VectorSource
    on_demand: OnDemandVectors
    queries: QueryMemory
    since: int
    moment: float


class ActiveModel:
    """Keeps the encoder, the vectors and the past queries of the active model, and follows when another takes over.

    `which` names another one of the library's models, as the one that runs beside.

    What belongs to the model before stays for a minute, for searches that began on an older snapshot: they neither see
    another model's vectors nor push the newer model out.
    """

    def __init__(
        self,
        encoder: Encoder | None = None,
        clock: Callable[[], float] = time.monotonic,
        vectors: Callable[[int], VectorSource] = VectorIndex,
        which: Which | None = None,
    ) -> None:
        self._given = encoder
        self._vectors = vectors
        self._which = which or _in_use
        self._clock = clock
        self._lock = threading.Lock()
        self._newest: _Loaded | None = None
        self._former: _Loaded | None = None
        self._late: Encoder | None = None  # of the late model, where it is another one

    def of(self, connection: StoreConnection) -> tuple[Model | None, tiers.Cuts]:
        """Return what a search needs of the active model; None before the first sync.

        Raises ModelError where the model is not installed or is not the one that made the vectors.
        """
        stored, source, embedded = self._which(connection)
        if stored is None:
            return None, tiers.unfitted(0.0)
        manifest = Manifest.from_json(stored.manifest)
        loaded = self._of(connection, stored, source)
        encode = loaded.encoder.encode_query
        vectors = loaded.vectors.at(connection)
        model = Model(
            name=manifest.id,
            encode=encode,
            vectors=loaded.on_demand.over(connection, vectors) if embedded < 1.0 else vectors,
            background=manifest.background_cosine,
            past_queries=loaded.queries.at(connection, encode),
            id=stored.id,
            reads=loaded.encoder.reads,
            embedded=embedded,
            on_demand=loaded.on_demand,
            encoder=loaded.encoder,
            late=self._late_stage(connection, loaded.encoder),
        )
        return model, _cuts_of(connection, stored.id) or tiers.unfitted(manifest.background_cosine)

    def _late_stage(self, connection: StoreConnection, encoder: Encoder) -> LateStage | None:
        """Return the library's late model, where it is on and its model is here as it was; its vectors may be few."""
        late = connection.late_model() if isinstance(connection, LateReads) else None
        if late is None or late.state != "on":
            return None
        with self._lock:
            if late.fingerprint == encoder.manifest.fingerprint:
                own = encoder
            elif self._late is not None and self._late.manifest.fingerprint == late.fingerprint:
                own = self._late
            else:
                try:
                    own = self._late = catalogue.load(late.name)
                except ModelError:
                    return None
        same = own.manifest.fingerprint == late.fingerprint and isinstance(own, TokenEncoder)
        return LateStage(late, own) if same else None

    def _of(self, connection: StoreConnection, stored: models.StoredModel, source: int) -> _Loaded:
        version = connection.file, stored.id, stored.fingerprint
        with self._lock:
            newest, now = self._newest, self._clock()
            if newest is not None and now - newest.moment > FORMER_SECONDS:
                self._former = None
            if newest is not None and version == newest.version:
                return newest
            sequence = connection.change_latest()
            same_file = newest is not None and version[0] == newest.version[0]
            older = newest is not None and same_file and sequence < newest.since
            former = self._former
            if former is not None and version == former.version and (older or not same_file):
                return former
            loaded = self._load(version, stored, source, sequence, now)
            if not older:
                self._former, self._newest = newest, loaded
            return loaded

    def _load(self, version: Version, stored: models.StoredModel, source: int, sequence: int, now: float) -> _Loaded:
        known = (each.encoder for each in (self._newest, self._former) if each and each.version[2] == version[2])
        encoder = next(known, None) or self._given or _begun(stored.name)
        if encoder.manifest.fingerprint != stored.fingerprint:
            raise ModelError(
                f"The library was built with another version of {stored.name}.",
                cause="The vectors in it and this model's do not compare.",
                fix=f"Build it anew with `carrel models use {stored.name}`.",
            )
        return _Loaded(
            version=version,
            encoder=encoder,
            vectors=self._vectors(source),
            on_demand=OnDemandVectors(encoder.encode_passages),
            queries=QueryMemory(stored.id),
            since=sequence,
            moment=now,
        )


def _in_use(connection: StoreConnection) -> tuple[models.StoredModel | None, int, float]:
    stored = connection.active_model()
    return stored, stored.id if stored is not None else 0, connection.embedded_share()


def _begun(name: str) -> Encoder:
    """Return an encoder that loads itself while the vectors are read; raises ModelError where it is not installed."""
    encoder = catalogue.load(name, sessions=AT_ONCE)
    encoder.load_ahead()
    return encoder


def _cuts_of(connection: StoreConnection, model_id: int) -> tiers.Cuts | None:
    """Return the fitted cuts of a model in this library, None before the first fit, or where they are damaged."""
    return tiers.Cuts.from_json(connection.figure(model_id, tiers.CALIBRATED))
