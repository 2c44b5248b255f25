"""What the browser needs from outside: the library, the indexer, the clock, the editor.

The browser is written against these, so that it starts before the engine is imported and tests can hand in fakes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from textual.app import App
from textual.content import Content

from app.editors import EditorCommand
from app.tui.beside_port import BesidePort
from app.tui.indexer_state import IndexerState
from app.tui.query_history import History
from app.tui.settings_file import SettingsFile
from app.tui.training_port import TrainingPort
from app.tui.watched_file import WatchedFile
from engine.lazy_dataclass import dataclass
from engine.records import StoredDocument

if TYPE_CHECKING:
    from app.tui.library_port import LibraryPort
    from engine.retrieval.cancellation import Cancellation

Freshness = Literal["same", "changed", "gone"]  # of a file, against what was indexed of it


class IndexerPort(Protocol):
    """The indexer process, as app.tui.indexer_process follows it."""

    def start(self, report: Callable[[IndexerState], None]) -> None:
        """Start it, or follow whichever runs; `report` is called from a thread, at most ten times a second."""

    def leave(self) -> None:
        """Tell it to leave; returns at once."""


class PicturesPort(Protocol):
    """The pictures of notes, as app.tui.pictures.picture_files makes them."""

    @property
    def shows(self) -> bool:
        """Whether this terminal shows pictures at all."""

    def cells(
        self, note: bytes, target: str, roots: Sequence[bytes], send: Callable[[str], None]
    ) -> tuple[Content, ...]:
        """Return the rows of cells of a picture that a note refers to; none where it cannot be shown. In a thread."""

    def draw(self, output: str) -> str:
        """Return what goes to the terminal, with pictures in the place of cells that stand for them."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A library that is open, ways to cancel its searches, and what a person should know of the opening.

    `large` is a folder that was to be watched and holds so much that the person is asked first.
    """

    library: LibraryPort
    new_cancellation: Callable[[], Cancellation]
    warnings: tuple[str, ...] = ()
    large: Path | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """How long the browser waits, in seconds."""

    quiet: float = 0.05  # no key for this long before a query is encoded: below the gap between typed words
    glance: float = 0.08  # no key for this long before the selected row's text is read: nobody reads it while typing
    patience: float = 0.3  # more where only the words have answered: the row may give way to a better one
    sentence: float = 0.4  # then the nearest sentence is looked for: a dozen runs of the encoder
    words_at_once: bool = True  # whether each key asks by words, before the keys rest
    settle: float | None = 0.7  # then all rows are asked for; None: with the first ones
    stood: float | None = 3.0  # then a query is worth keeping in the history; None: only what is looked at is
    rested: float = 2.0  # then a search is made with the model beside too, where that is wanted
    poll: float = 1.0  # how often another process's commits are looked for
    away: float = 5.0  # the same while the terminal is out of focus
    refresh: float = 1.0  # least time between two refreshes that nobody asked for
    considered: float = 0.4  # two lists were not compared sooner: the key was pressed twice
    look: float = 4.0  # a document that is left sooner was not read, and opening it counts nothing
    blink: bool = True


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything that the browser reaches for outside the screen."""

    open_library: Callable[[], Opened]
    indexer: Callable[[], IndexerPort | None]
    edit: Callable[[App[Any], EditorCommand], str]  # returns what went wrong, or ""
    clock: Callable[[], float]
    typed: Callable[[], None]  # told of every key in the query line: indexing waits for a moment
    freshness: Callable[[StoredDocument], Freshness]
    find_line: Callable[[bytes, str, int], int | None]  # where a passage stands in its file now; None: the file is gone
    visit: Callable[[str], bool]  # shows an address in a web browser, where there is one; in a thread
    which: Callable[[str], str | None]  # finds an installed program by its name
    settings: SettingsFile
    history: History
    watched: WatchedFile
    training: TrainingPort
    beside: BesidePort
    pictures: PicturesPort
    pace: Pace = Pace()
