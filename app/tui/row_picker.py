"""The picker: the browser's search, started by another program to choose rows for it. It indexes and opens nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from textual.screen import Screen

from app.tui.app import CarrelApp
from app.tui.browser import OpeningHearer, Place
from app.tui.ports import Ports
from app.tui.screens.search.row_picker_screen import PickingScreen
from engine.errors import CarrelError, UsageError
from engine.lazy_dataclass import dataclass
from engine.records import Hit, SearchResult


@dataclass(frozen=True, slots=True)
class PickRequest:
    """A query to begin with, whether several rows may be picked, and on how many lines: `15`, `40%`, "" for all."""

    query: str = ""
    multi: bool = False
    height: str = ""


@dataclass(frozen=True, slots=True)
class Picked:
    """The rows that a person chose, and the result that they stood in; `answered` where they answer its words."""

    hits: tuple[Hit, ...]
    result: SearchResult | None
    answered: bool


class RowPicker(CarrelApp):
    """Ends with rows in `picked`, None where the person cancelled, or with the `failure` that left none to pick."""

    def __init__(self, ports: Ports, request: PickRequest) -> None:
        super().__init__(ports, request.query)
        self._request = request
        self.picked: Picked | None = None
        self.failure: CarrelError | None = None

    def get_default_screen(self) -> Screen[None]:
        """Return the screen that the picker consists of."""
        wanted = self._request
        return PickingScreen(wanted.query, multi=wanted.multi, height=wanted.height)

    def on_mount(self) -> None:
        """End where the library cannot be opened: whoever asked is told."""
        self.failed_signal.subscribe(self, self._fail)

    def hand_over(self, hits: Sequence[Hit], result: SearchResult | None, *, answered: bool) -> bool:
        """Take rows that the person chose and end; those of an older query give way to the newest ones first."""
        screen = self.screen_stack[0]
        if not (isinstance(screen, PickingScreen) and screen.awaits_answer):
            self.picked = Picked(tuple(hits), result, answered)
            self.exit()
        return True

    def open_places(self, places: Sequence[Place], hearer: OpeningHearer | None = None) -> None:
        """Open nothing: the terminal belongs to whoever asked."""
        self.notify("Nothing is opened from here: enter in the results picks.", markup=False)

    def ask_for_folder(self, wanted: Path | None = None) -> None:
        """End: there is nothing to pick from."""
        self._fail(UsageError("No folder is watched yet.", fix="`carrel add FOLDER`, then `carrel sync`."))

    def _fail(self, error: CarrelError) -> None:
        self.failure = error
        self.exit()
