"""Indexes in the calling process: syncs, then fits the tiers anew where they no longer fit.

The caller holds the indexer lock.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from engine.events import Event
from engine.records import SyncReport
from engine.store import models
from engine.store.faults import translated
from engine.store.write_ahead_log import fold_in

if TYPE_CHECKING:
    import apsw

    from engine.embedding.encoder import Encoder

OnEvent = Callable[[Event], None]


class LocalIndexer:
    """One library's indexing: its writer's connection, and an encoder that is loaded when the first file needs it."""

    def __init__(self, connection: apsw.Connection, library: Path, encoder: Encoder | None) -> None:
        self._connection = connection
        self._library = library
        self._encoder = encoder

    def sync(
        self,
        *,
        paths: Sequence[bytes] = (),
        full: bool = False,
        accept_removals: bool = False,
        meaning: bool = True,
        on_event: OnEvent,
        stop: threading.Event,
    ) -> SyncReport:
        """Bring the index up to date, and fit the tiers anew where they no longer fit.

        Without `meaning`, what has no vector waits for the next sync.
        """
        from engine.indexing.sync import sync
        from engine.sources.parser import configured_parser

        def fit() -> None:
            from engine.retrieval.tier_calibration import refit  # numpy, 0.1 s, which a sync without work does without

            refit(self._connection, self.encoder(), stop.is_set)

        report = sync(
            self._connection,
            self._library,
            encoder=self.encoder,
            parser=configured_parser,
            paths=paths,
            full=full,
            accept_removals=accept_removals,
            meaning=meaning,
            refit=fit if meaning else None,
            on_event=on_event,
            stop=stop,
        )
        with translated(self._library):
            fold_in(self._connection)
        return report

    def embed(self, on_event: OnEvent, stop: threading.Event) -> int:
        """Embed what waits, and return how many texts that were. Raises ModelError."""
        from engine.indexing.embedding_queue import EmbeddingQueue

        return EmbeddingQueue(self._connection, self.encoder, on_event).work(stop)

    def fit(self, on_event: OnEvent, stop: threading.Event) -> None:
        """Fit the tiers anew where they no longer fit, as after an import. Raises ModelError."""
        from engine.indexing.sync import refit_where_due
        from engine.retrieval.tier_calibration import refit  # as above

        fitting = partial(refit, self._connection, self.encoder(), stop.is_set)
        refit_where_due(self._connection, fitting, on_event, stop)

    def use_model(self, name: str, *, on_event: OnEvent, stop: threading.Event) -> bool:
        """Make an installed model the library's, and embed everything with it; False where `stop` came first."""
        from engine.embedding import catalogue
        from engine.indexing.model_build import use_model
        from engine.sources.parser import configured_parser

        if self._encoder is None or self._encoder.manifest.id != name:
            self._encoder = catalogue.load(name, sessions=os.cpu_count() or 1)
        if not use_model(self._connection, name, self._encoder, configured_parser, on_event=on_event, stop=stop):
            return False
        self.sync(on_event=on_event, stop=stop)
        return not stop.is_set()

    def encoder(self) -> Encoder:
        """Return the encoder of the library's model, of the embedded one in a new library, a session for every core."""
        if self._encoder is None:
            from engine.embedding import catalogue

            active = models.active(self._connection)
            name = active.name if active else catalogue.EMBEDDED
            self._encoder = catalogue.load(name, sessions=os.cpu_count() or 1)
        return self._encoder
