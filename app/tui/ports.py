"""What the browser needs from outside: the library, the indexer, the clock, the editor.

The browser is written against these, so that it starts before the engine is imported and tests can hand in fakes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from app.editors import EditorCommand
from app.tui.freshness import Freshness, freshness_of
from app.tui.indexer_state import IndexerState
from engine.records import ResolvedLink, SearchResult, SearchSettings, Status, StoredDocument, StoredPassage


class CancellationPort(Protocol):
    """Stops the search that it was given to; safe from any thread."""

    def cancel(self) -> None:
        """Stop the search."""


class LibraryPort(Protocol):
    """The part of engine.library.Library that the browser uses; every method may be called from any thread."""

    path: Path
    read_only: bool

    def search(
        self,
        text: str,
        *,
        limit: int,
        settings: SearchSettings,
        typing: bool,
        cancel: Any,  # what Opened.new_cancellation made
    ) -> SearchResult:
        """Search; raises QueryError for a query that cannot be understood, anything once cancelled."""

    def warm(self) -> None:
        """Load what the first search would have to wait for."""

    def document_by_id(self, document_id: int) -> StoredDocument | None:
        """Return a document with its text."""

    def document(self, path: bytes) -> StoredDocument | None:
        """Return the document of the file at an absolute path, with its text."""

    def passages(self, passage_ids: Sequence[int]) -> tuple[StoredPassage, ...]:
        """Return passages in the order asked; those that are gone are left out."""

    def passages_of(self, document_id: int) -> tuple[StoredPassage, ...]:
        """Return all passages of a document in order."""

    def links(self, document_id: int) -> tuple[ResolvedLink, ...]:
        """Return the links written in a document, with the documents that they lead to."""

    def nearest_sentence(self, query: str, text: str) -> tuple[int, int] | None:
        """Return the span of the sentence of a text that is nearest in meaning to a query; None without a model."""

    def file_request(self, kind: str, argument: str = "") -> int:
        """Ask the process that indexes for something."""

    def status(self, *, stale: bool = False) -> Status:
        """Return the library at a glance."""

    def version(self) -> int:
        """Return a number that changes with every commit of another process."""

    def close(self) -> None:
        """Let go of the file."""


class IndexerPort(Protocol):
    """The indexer process, as app.tui.jobs follows it."""

    def start(self, report: Callable[[IndexerState], None]) -> None:
        """Start it, or follow whichever runs; `report` is called from a thread, at most ten times a second."""

    def leave(self) -> None:
        """Tell it to leave; returns at once."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A library that is open, ways to cancel its searches, and what a person should know of the opening."""

    library: LibraryPort
    new_cancellation: Callable[[], CancellationPort]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pace:
    """How long the browser waits, in seconds."""

    quiet: float = 0.06  # no key for this long before a query is encoded: below the gap between typed words
    settle: float | None = 0.7  # then the last word counts as finished; None: never
    poll: float = 0.3  # how often another process's commits are looked for
    refresh: float = 1.0  # least time between two refreshes that nobody asked for
    blink: bool = True


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything that the browser reaches for outside the screen."""

    open_library: Callable[[], Opened]
    indexer: Callable[[], IndexerPort | None]
    edit: Callable[[EditorCommand], str] | None = None  # returns what went wrong, or ""; None: the real terminal
    clock: Callable[[], float] = time.time
    pace: Pace = field(default_factory=Pace)
    freshness: Callable[[StoredDocument], Freshness] = freshness_of
    visit: Callable[[str], None] | None = None  # shows an address in a web browser; None: the person's own
