"""Indexes in the calling process, once, as an indexer does: it takes the orders that others file meanwhile.

The caller holds the indexer lock. Embedding takes minutes, and a note that somebody else has just saved is not to wait
for its words that long.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from engine.events import Event
from engine.indexer.encoders import Encoders, refit
from engine.records import SyncReport
from engine.store import requests
from engine.store.faults import system_errors_translated, translated
from engine.store.write_ahead_log import fold_in

if TYPE_CHECKING:
    from engine.embedding.encoder import Encoder
    from engine.indexer.service import Service
    from engine.indexing.passage_encoder import PassageEncoder
    from engine.store.library_connection import LibraryConnection

OnEvent = Callable[[Event], None]


class LocalIndexer:
    """One library's indexing: its writer's connection, and encoders that are loaded when a file first needs one.

    `encoder` stands in for the library's own model.
    """

    def __init__(self, connection: LibraryConnection, library: Path, encoder: Encoder | None) -> None:
        self._connection = connection
        self._library = library
        self._given = encoder
        self._encoders = Encoders()

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

        Without `meaning`, what has no vector waits for the next sync. With `paths` what waits elsewhere does.
        """
        with self._service(on_event, stop) as service:
            return service.bring_up_to_date(paths, full=full, accept_removals=accept_removals, meaning=meaning)

    def embed(self, on_event: OnEvent, stop: threading.Event) -> int:
        """Embed what waits and fit the tiers where they no longer fit, as after an import; return how many texts.

        Raises ModelError.
        """
        with self._service(on_event, stop) as service:
            return service.embed_all()

    def use_model(self, name: str, *, on_event: OnEvent, stop: threading.Event) -> bool:
        """Make an installed model the library's, and embed everything with it; False where `stop` came first."""
        with self._service(on_event, stop) as service:
            if not service.build_model(name):
                return False
            service.bring_up_to_date()
        return not stop.is_set()

    def start_shadow(self, name: str, *, on_event: OnEvent, stop: threading.Event) -> None:
        """Let a model run beside the one in use and make its vectors, until `stop` is set."""
        with self._service(on_event, stop) as service:
            service.start_shadow(name)
            service.embed_all()

    def switch_late(self, order: str, *, on_event: OnEvent, stop: threading.Event) -> None:
        """Switch late interaction on, off, or remove it; the vectors of one that is on are made here."""
        with self._service(on_event, stop) as service:
            service.switch_late(order)
            service.embed_all()

    def encoder_of(self, name: str | None) -> PassageEncoder:
        """Return the encoder of a model by its name in the catalogue, None standing for the default."""
        if self._given is not None and name in (None, self._given.manifest.id):
            return self._given
        return self._encoders(name)

    @contextmanager
    def _service(self, on_event: OnEvent, stop: threading.Event) -> Iterator[Service]:
        """Lend the indexer that does the work; what it has written is in the file itself afterwards."""
        from engine.indexer.service import Service
        from engine.indexer.warm_parser import WarmParser
        from engine.sources.parser import configured_parser

        requests.reopen(self._connection)
        parser = WarmParser(configured_parser)
        service = Service(
            self._connection,
            self._library,
            encoder_of=self.encoder_of,
            parser=parser,
            refit=partial(refit, self._connection),
            on_event=on_event,
            stop=stop,
        )
        try:
            with system_errors_translated(self._library):
                yield service
        finally:
            parser.end()
        with translated(self._library):
            fold_in(self._connection)
