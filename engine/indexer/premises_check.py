"""What an indexer looks at once a second: whether the library's file is still its own, and the settings can be used."""

from __future__ import annotations

import time
from collections.abc import Callable

import apsw

from engine.effective_settings import fault
from engine.events import Event, Trouble
from engine.store.transactions import refuse_moved

GLANCE_SECONDS = 1.0  # a transaction looks at the file itself; this ends an indexer that has nothing to write


class PremisesCheck:
    """The premises on which one indexer works; `on_event` is told of settings that cannot be used."""

    def __init__(self, conn: apsw.Connection, on_event: Callable[[Event], None]) -> None:
        self._conn = conn
        self._on_event = on_event
        self._next = 0.0
        self._told = ""  # what was told of the settings last

    def look(self) -> None:
        """Look where it is due. Raises LibraryMissing where the file was deleted or another took its place."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + GLANCE_SECONDS
        self._look_at_settings()
        refuse_moved(self._conn)

    def _look_at_settings(self) -> None:
        """Tell once of settings that cannot be used; the work goes on by the last that could."""
        wrong = fault()
        said = str(wrong or "")
        if wrong is not None and said != self._told:
            message = f"{wrong.message} {wrong.cause} Until that is done the settings from before hold."
            self._on_event(Trouble(message=message, fix=wrong.fix))
        self._told = said
