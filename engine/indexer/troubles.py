"""What goes wrong in an indexer that keeps running: told once, and tried again later."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from engine.errors import CarrelError, LibraryDamaged, LibraryMissing
from engine.events import Event, Trouble
from engine.store.faults import system_errors_translated, translated
from engine.store.stored_values import values_explained

log = logging.getLogger(__name__)

AFTER_TROUBLE_SECONDS = 60.0  # until what failed is tried again, and the same trouble told again


class Troubles:
    """The troubles of one library's indexer; `on_event` is told of them."""

    def __init__(self, library: Path, on_event: Callable[[Event], None]) -> None:
        self._library = library
        self._on_event = on_event
        self._told, self._again = "", 0.0  # what was told last, and when it may be told again

    def survives(self, task: Callable[[], object]) -> bool:
        """Do a task, and return whether it came to its end; else what went wrong is told.

        Raises LibraryDamaged and LibraryMissing, with which no indexer can go on.
        """
        library = self._library
        try:
            with values_explained(library), translated(library), system_errors_translated(library):
                task()
        except (LibraryDamaged, LibraryMissing):
            raise
        except CarrelError as error:
            log.warning("a task of the indexer failed", exc_info=True)
            self._tell(f"{error.message} {error.cause}".strip(), error.fix)
            return False
        return True

    def _tell(self, message: str, fix: str) -> None:
        """Tell of a trouble, of the same again only after a minute: what fails at every turn would flood the events."""
        now = time.monotonic()
        if message != self._told or now >= self._again:
            self._told, self._again = message, now + AFTER_TROUBLE_SECONDS
            self._on_event(Trouble(message=message, fix=fix))
