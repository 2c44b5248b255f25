"""What screens may ask of the app: its state, its signals, and a few favours, which `app.tui.app.CarrelApp` answers.

Screens and widgets know this and not the app, so that none of them imports what puts them together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol, cast

from textual.notifications import SeverityLevel
from textual.screen import Screen, ScreenResultCallbackType, ScreenResultType
from textual.signal import Signal
from textual.widget import Widget

from app.tui.actions import Where
from app.tui.ports import Opened, Ports
from app.tui.status_line import StatusView
from app.tui.window_title import WindowTitle
from app.wording.safe_text import one_line
from engine.config import Config
from engine.errors import CarrelError
from engine.lazy_dataclass import dataclass
from engine.records import Hit, SearchResult


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file as it was indexed; `text` begins at `line`, and finds it again where the file has changed.

    `line` is None where the text stands on no line of its file.
    """

    path: bytes
    line: int | None
    kind: str
    page: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class OpeningHearer:
    """Who wants to know what became of places that were opened.

    `looked_at` is called once the program that shows them has ended after more than a glance, or has a window of its
    own; `unshown` where no program here shows a place, in place of an error.
    """

    looked_at: Callable[[], None]
    unshown: Callable[[Place], None]


class Browser(Protocol):
    """The app as its screens see it."""

    ports: Ports
    opened: Opened | None  # None: the library is not open yet, or could not be opened
    view: StatusView
    config: Config
    opened_signal: Signal[Opened]
    failed_signal: Signal[CarrelError]
    status_signal: Signal[StatusView]
    commit_signal: Signal[int]
    config_signal: Signal[Config]
    key_signal: Signal[None]  # a key was pressed, whatever it is for
    key_read: Callable[[], None]  # called before that, in the thread that reads the terminal
    window_title: WindowTitle

    @property
    def own_keys(self) -> Mapping[str, str]:
        """The keys of the preset and the person's own, by the ids of actions."""

    @property
    def roots(self) -> tuple[bytes, ...]:
        """The watched folders."""

    def look_again(self) -> None:
        """Look whether the library has changed, and if so refresh what is shown of it."""

    def wake_indexer(self) -> None:
        """Start the indexer again where it was given up."""

    def change_config(self, **changes: Any) -> bool:
        """Keep settings in the person's file and use them from now on; False, and told, where that cannot be."""

    def hand_over(self, hits: Sequence[Hit], result: SearchResult | None, *, answered: bool) -> bool:
        """Give rows that the person chose to whoever asked for some; False where they are to be opened.

        `answered` says that they answer the words of their result's query.
        """

    def open_places(self, places: Sequence[Place], hearer: OpeningHearer | None = None) -> None:
        """Show places in the person's editor, found again where their files have changed.

        What no program here shows is read in Carrel, unless a `hearer` does something else about it.
        """

    def opening(self) -> AbstractContextManager[None]:
        """Hold keys back while what a screen is to show is being read."""

    def send_to_terminal(self, text: str) -> None:
        """Write what is no text of the screen, such as a picture that its cells refer to."""

    def ask_for_folder(self, wanted: Path | None = None) -> None:
        """Ask for a folder to watch; with one that is wanted, whether it shall be that."""

    def search_inside(self, query: str) -> None:
        """Go to the search with a query, over whatever lies on it."""

    def action_show_library(self) -> None:
        """Go to the library, or from there back to the search."""

    def action_show_training(self) -> None:
        """Go to the retraining, or from there back to the search."""

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Tell the person something, in a corner of the screen."""

    def push_screen(
        self,
        screen: Screen[ScreenResultType],
        callback: ScreenResultCallbackType[ScreenResultType] | None = None,
    ) -> object:
        """Show a screen over the present one; `callback` gets what it gives back."""


def tell(widget: Widget, text: str, *, good: bool = True) -> None:
    """Tell the person something in passing; it may hold what a note or a file is called."""
    widget.app.notify(one_line(text), severity="information" if good else "warning", markup=False)


def browser_of(widget: Widget) -> Browser:
    """Return the app that a screen or widget stands in."""
    return cast(Browser, widget.app)


class CarrelScreen(Screen[None]):
    """A screen of the browser that gives nothing back when it is left."""

    @property
    def carrel(self) -> Browser:
        """The app, as far as a screen may use it."""
        return browser_of(self)

    def where(self) -> Where:
        """Return which part of the screen the keys go to; where it is one alone, they do the same everywhere."""
        return "everywhere"
