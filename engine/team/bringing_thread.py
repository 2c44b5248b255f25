"""Keeps a team library in step with a person's own file for as long as an indexer runs, and helps with vectors.

It looks at the file's version and brings over what has changed. A server that is away is tried again, less and less
often; the own file does not wait for it. With nothing to bring, texts of any folder that wait for a vector of a model
which is installed here are embedded, a few at a time.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import CarrelError, LibraryMissing
from engine.events import Event, Trouble
from engine.team.membership import writing
from engine.team.publishing import Publisher

if TYPE_CHECKING:
    from engine.indexing.passage_encoder import PassageEncoder
    from engine.indexing.stop_signal import Signal
    from engine.store.library_connection import LibraryConnection
    from engine.team.team_writer import TeamWriter

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.3  # others are to see a change within two seconds of it
HEARTBEAT_SECONDS = 30.0  # who was not heard of for two minutes counts as away
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 30.0  # between two attempts to reach a server
TEXTS_AT_ONCE = 16  # half a second of embedding: a change of one's own comes soon enough behind it
_MODELS = "SELECT id, name, fingerprint FROM model WHERE state IN ('active', 'building') ORDER BY state, id"


class BringingThread:
    """Brings until `stop` is set; `encoder_of` gives a model's encoder by its name in the catalogue."""

    def __init__(
        self,
        address: str,
        library: Path,
        machine: str,
        encoder_of: Callable[[str | None], PassageEncoder],
        on_event: Callable[[Event], None],
        stop: Signal,
    ) -> None:
        self._address = address
        self._library = library
        self._machine = machine
        self._encoder_of = encoder_of
        self._on_event = on_event
        self._stop = stop
        self._left = threading.Event()
        self._told = ""
        self._thread = threading.Thread(target=self._run, name="team", daemon=True)

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def leave(self, seconds: float) -> None:
        """End, waiting so long at most for what is under way; what is not committed by then is brought next time."""
        self._left.set()
        self._thread.join(seconds)

    def _ended(self) -> bool:
        return self._left.is_set() or self._stop.is_set()

    def is_set(self) -> bool:
        """Return whether what is under way is to end: this stands for the signal that publishing looks at."""
        return self._ended()

    def _run(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self._ended():
            began = time.monotonic()
            try:
                self._bring()
            except CarrelError as error:
                self._tell(error)
            except Exception:
                log.exception("bringing folders to the team library failed")
            pause = FIRST_PAUSE_SECONDS if time.monotonic() - began > LONGEST_PAUSE_SECONDS else pause * 2
            self._left.wait(min(pause, LONGEST_PAUSE_SECONDS))

    def _tell(self, error: CarrelError) -> None:
        """Tell a trouble once: a server that is away is away at each attempt."""
        if error.message != self._told:
            self._told = error.message
            self._on_event(Trouble(message=f"Team library: {error.message} {error.cause}".strip(), fix=error.fix))

    def _bring(self) -> None:
        """Bring what has changed, look by look, on one session; raises what breaks it."""
        from engine.store.connection import open_reader

        publisher = Publisher(self._library, self._machine, self._on_event)
        try:
            reader = open_reader(self._library)
        except LibraryMissing:
            return
        try:
            with writing(self._address) as writer:
                self._follow(reader, publisher, writer)
        finally:
            reader.close()

    def _follow(self, reader: LibraryConnection, publisher: Publisher, writer: TeamWriter) -> None:
        version, heard = -1, 0.0
        while not self._ended():
            now = int(reader.pragma("data_version"))
            if now != version or time.monotonic() - heard > HEARTBEAT_SECONDS:
                publisher.publish(writer, self)
                version, heard, self._told = now, time.monotonic(), ""
            elif not self._helped(writer):
                self._left.wait(LOOK_SECONDS)

    def _helped(self, writer: TeamWriter) -> bool:
        """Embed a few texts that wait for a model which is installed here; False where there are none."""
        from engine.embedding import catalogue
        from engine.errors import ModelError

        models = writer.run(_MODELS)
        here = {each.fingerprint for each in catalogue.installed()} if models else ()
        for number, name, fingerprint in models:
            texts = writer.waiting(number, TEXTS_AT_ONCE) if fingerprint in here else {}
            if not texts:
                continue
            try:
                vectors = self._encoder_of(name).encode_passages(list(texts.values()))
            except ModelError as error:
                self._tell(error)
                return False
            writer.vectors(number, dict(zip(texts, vectors, strict=True)))
            return True
        return False
