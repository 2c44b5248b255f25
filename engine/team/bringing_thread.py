"""Keeps a team library in step with a person's own file for as long as an indexer runs, and helps with vectors.

It looks at the file's version and brings over what has changed. A server that is away is tried again, less and less
often; the own file does not wait for it. With nothing to bring, vectors that the team lacks are made of a model that is
installed here, a few at a time, and with nothing of that, the tiers are fitted to what the person sees of the team.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import CarrelError, LibraryMissing, ModelError
from engine.events import Event, Trouble
from engine.paths import places
from engine.sources.parser import configured_parser
from engine.team.membership import writing
from engine.team.model_backfill import ModelFilling
from engine.team.publisher import Publisher
from engine.typing_priority import waits_for_typing

if TYPE_CHECKING:
    from engine.indexing.passage_encoder import PassageEncoder
    from engine.indexing.stop_signal import Signal
    from engine.store.library_connection import LibraryConnection
    from engine.team.team_writer import TeamWriter

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.3  # others are to see a change within two seconds of it
HEARTBEAT_SECONDS = 30.0  # who was not heard of for two minutes counts as away
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 30.0  # between two attempts to reach a server
FIT_AGAIN_SECONDS = 60.0  # between two looks whether the library has outgrown its tiers
_ACTIVE = "SELECT fingerprint FROM model WHERE state = 'active'"


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
        self._on_event = on_event
        self._stop = stop
        self._left = threading.Event()
        self._told = ""
        self._lost = False  # whether the way to the server is broken
        self._filling = ModelFilling(machine, encoder_of, configured_parser, self)
        self._fitted_at = -FIT_AGAIN_SECONDS
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
                self._lost = True
                self._tell(error)
            except Exception:
                log.exception("bringing folders to the team library failed")
            pause = FIRST_PAUSE_SECONDS if time.monotonic() - began > LONGEST_PAUSE_SECONDS else pause * 2
            self._left.wait(min(pause, LONGEST_PAUSE_SECONDS))

    def _tell(self, error: CarrelError) -> None:
        """Tell a trouble once: a server that is away is away at each attempt."""
        if error.message != self._told:
            self._told = error.message
            message = f"Team library: {error.message} {error.cause}".strip()
            self._on_event(Trouble(message=message, fix=error.fix, of="team"))

    def _found_again(self) -> None:
        """Tell that the server answers, where it was told that it does not."""
        if self._lost:
            self._lost, self._told = False, ""
            self._on_event(Trouble(message="The team library answers again.", of="team", over=True))

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
            self._filling.close()

    def _follow(self, reader: LibraryConnection, publisher: Publisher, writer: TeamWriter) -> None:
        version, heard = -1, 0.0
        while not self._ended():
            now = _version(reader)
            if now != version or time.monotonic() - heard > HEARTBEAT_SECONDS:
                publisher.publish(writer, self)
                version, heard = now, time.monotonic()
                self._found_again()
            elif not (self._helped(writer) or self._fitted(writer, partial(_differs, reader, version))):
                self._left.wait(LOOK_SECONDS)

    def _helped(self, writer: TeamWriter) -> bool:
        """Make a few vectors that the team lacks; False where there are none to make here."""
        try:
            return self._filling.help(writer)
        except ModelError as error:
            self._tell(error)
            return False

    def _fitted(self, writer: TeamWriter, changed: Callable[[], bool]) -> bool:
        """Fit the tiers where the library has outgrown them, until the own file has `changed`; False: nothing done.

        That is some hundred searches, of which none begins while somebody types.
        """
        from engine.team import team_tiers
        from engine.team.team_store import TeamStore

        if time.monotonic() - self._fitted_at < FIT_AGAIN_SECONDS:
            return False
        self._fitted_at = time.monotonic()
        model = next(iter(writer.run(_ACTIVE)), None)
        encoder = self._filling.encoder(model[0]) if model is not None else None
        if encoder is None:
            return False
        store = TeamStore(self._address, machine=self._machine)
        try:
            return team_tiers.fit(store, partial(team_tiers.model_of, store, encoder), _GivesWay(self, changed))
        finally:
            store.close()


class _GivesWay:
    """A signal to stop that is set too once the own file has `changed`; to look at it waits until nobody types."""

    def __init__(self, stop: Signal, changed: Callable[[], bool]) -> None:
        self._stop = stop
        self._changed = changed
        self._wait = waits_for_typing(places().state)

    def is_set(self) -> bool:
        """Return whether what is under way is to end."""
        self._wait(self._stop.is_set)
        return self._stop.is_set() or self._changed()


def _version(reader: LibraryConnection) -> int:
    return int(reader.pragma("data_version"))


def _differs(reader: LibraryConnection, version: int) -> bool:
    return _version(reader) != version
