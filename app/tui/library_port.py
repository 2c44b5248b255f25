"""What the browser asks of a library; `engine.library.Library` answers, and in tests a fake one.

It is named in types alone, so a start does not load it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from engine.records import (
    Check,
    DocumentChange,
    Facets,
    Failure,
    Folder,
    FolderCount,
    FolderNode,
    Grade,
    Hit,
    LateStatus,
    Mark,
    NearestWord,
    ResolvedLink,
    SearchResult,
    SearchSettings,
    ShadowReview,
    ShadowSearch,
    ShadowState,
    ShadowStream,
    SignalScale,
    Status,
    StoredDocument,
    StoredPassage,
    WhyReport,
)

if TYPE_CHECKING:
    from engine.records.team import SharedSearch
    from engine.retrieval.cancellation import Cancellation


class ExplorationPort(Protocol):
    """A search whose candidates are kept, as engine.exploration.Exploration; usable from any thread."""

    result: SearchResult

    @property
    def scale(self) -> SignalScale:
        """What foreign queries reach here."""

    def again(self, settings: SearchSettings, limit: int) -> SearchResult:
        """Return the rows that other settings would have given."""

    def fills(self, result: SearchResult, limit: int) -> bool:
        """Whether a new search would bring no more rows than such a result of at most `limit`."""


class RequestStatePort(Protocol):
    """How far an order is, as engine.store.requests.RequestState."""

    @property
    def done(self) -> bool:
        """Whether it was carried out, or could not be."""

    @property
    def outcome(self) -> dict[str, Any] | None:
        """What the indexer answered."""


class ForgottenPort(Protocol):
    """A folder that was forgotten within a day, as engine.indexing.removed_folders.Removed."""

    @property
    def path(self) -> bytes:
        """Where it was, absolute."""


class ChangeFeedPort(Protocol):
    """What waits for changes of a library, as engine.team.change_feed.ChangeFeed."""

    def wait(self, seconds: float) -> bool:
        """Wait at most so long, in a thread; return whether the library's version is another than the last time."""

    def close(self) -> None:
        """End it; returns at once, and so does a thread that still waits."""


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
        cancel: Cancellation,  # what Opened.new_cancellation made
    ) -> SearchResult:
        """Search; raises anything once cancelled."""

    def explore(
        self, text: str, *, limit: int, settings: SearchSettings, typing: bool, cancel: Cancellation
    ) -> ExplorationPort:
        """Search as `search` does, in both legs, and keep the candidates."""

    def embed(self, passage_ids: Sequence[int], *, cancel: Cancellation) -> int:
        """Embed the first of these passages that have no vector yet; return how many have one now."""

    def ask_to_embed(self, passage_ids: Sequence[int]) -> None:
        """Have the indexer embed passages before all others, where the library can be written to."""

    def mark(self, query: str, passage_id: int, grade: Grade) -> Mark:
        """Keep what the person thinks of a passage as an answer to a query."""

    def unmark(self, query: str, passage_id: int) -> bool:
        """Take back what was kept of a passage as an answer to a query."""

    def opened(self, query: str, passage_id: int) -> Mark:
        """Remember that a result was opened."""

    def share_marks(self, on: bool) -> None:
        """Share one's marks with a team and have those of others count, or keep them to oneself."""

    def shared_searches(self) -> tuple[SharedSearch, ...]:
        """Return the searches that members of a team share."""

    def share_search(self, name: str, query: str) -> None:
        """Let all members of a team have a search under a name."""

    def take_back_search(self, name: str) -> bool:
        """Share a search no longer; false where it was not shared."""

    def last_opened(self, limit: int) -> tuple[bytes, ...]:
        """Return the documents whose passages were opened or marked last, newest first."""

    def log_search(self, result: SearchResult) -> int:
        """Write a finished search down, and return its number."""

    def log_opened(self, number: int, hit: Hit) -> None:
        """Write down that a result of a logged search was opened."""

    def empty_search_log(self) -> int:
        """Forget all logged searches; return how many there were."""

    def shadow_state(self) -> ShadowState | None:
        """Return the model in use and the one beside it; None where nothing runs beside."""

    def ask_for_shadow(self, name: str) -> int:
        """Have the indexer let an installed model run beside the one in use; raises where it cannot."""

    def late_status(self) -> LateStatus | None:
        """Return the model for late interaction and how far its vectors are; None where the library has none."""

    def late_estimate(self, name: str, factor: int) -> tuple[int, int]:
        """Return how many passages there are, and the bytes of a late model's vectors of them; raises ModelError."""

    def stop_shadow(self) -> str:
        """Let nothing run beside the model in use; return what did."""

    def shadow_score(
        self, text: str, stream: ShadowStream, *, settings: SearchSettings, cancel: Cancellation
    ) -> ShadowSearch | None:
        """Search with both models and write down what each found; raises anything once cancelled."""

    def shadow_lists(
        self, text: str, *, limit: int, settings: SearchSettings, cancel: Cancellation
    ) -> tuple[SearchResult, SearchResult]:
        """Search with both models; nothing is written."""

    def shadow_searches(
        self, *, pairs: bool = False, stream: ShadowStream | None = None, limit: int | None = None
    ) -> tuple[ShadowSearch, ...]:
        """Return the questions that went through the present two models, newest first."""

    def add_shadow_review(self, review: ShadowReview) -> int:
        """Keep what was chosen between two lists."""

    def shadow_reviews(self) -> tuple[ShadowReview, ...]:
        """Return what was chosen between the present two models, oldest first."""

    def similar(self, passage_id: int, *, limit: int) -> SearchResult:
        """Find the passages of other documents that are nearest in meaning to one."""

    def why(self, text: str, path: Path, *, settings: SearchSettings, limit: int) -> WhyReport:
        """Say at which stage of a search a document was lost."""

    def documents_named(self, fragment: str, limit: int) -> tuple[StoredDocument, ...]:
        """Return documents whose title or path holds a text, without their own text."""

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

    def nearest_words(self, query: str, text: str, kind: str) -> tuple[NearestWord, ...]:
        """Return for each word of a query the word of a passage that is nearest to it in meaning."""

    def file_request(self, kind: str, argument: str = "") -> int:
        """Ask the process that indexes for something."""

    def status(self, *, stale: bool = False) -> Status:
        """Return the library at a glance."""

    def version(self) -> int:
        """Return a number that changes with every commit of another process."""

    def following(self) -> ChangeFeedPort | None:
        """Return what waits for changes of `version`, where something tells of them; None where one has to look."""

    def facets(self) -> Facets:
        """Return the values that filters can take here, with their documents."""

    def add(self, folder: Path) -> Folder:
        """Watch a folder and ask for it to be indexed; raises PathError."""

    def forgotten(self) -> Sequence[ForgottenPort]:
        """Return the folders that can be taken back, the latest first."""

    def undo_remove(self, folder: Path) -> Folder:
        """Watch a folder again that was forgotten within a day; raises PathError."""

    def tree(self, folder: bytes) -> tuple[FolderNode, ...]:
        """Return the folders below a watched one that hold documents, each before what is in it."""

    def failures(self) -> tuple[Failure, ...]:
        """Return the files that could not be read, and why."""

    def left_out(self, folder: bytes | None) -> dict[str, int]:
        """Return how many files the last whole sync left out, by reason."""

    def left_out_files(
        self, folder: bytes, reason: str | None, limit: int, rules: Sequence[str] | None
    ) -> tuple[tuple[bytes, str], ...]:
        """Walk a watched folder now, and return what is left out of it: relative path and reason."""

    def count_files(self, folder: Path, most: int, stop: Callable[[], bool]) -> FolderCount:
        """Count the files of a folder that would be indexed, as far as `most` and until `stop`; raises PathError."""

    def ignore_files(self, folder: bytes) -> Sequence[tuple[bytes, Sequence[str]]]:
        """Walk a watched folder now, and return its `.carrelignore` files with their patterns."""

    def folder_rules(self, folder: bytes) -> tuple[str, ...]:
        """Return the person's own patterns for a watched folder."""

    def set_folder_rules(self, folder: bytes, patterns: Sequence[str]) -> None:
        """Keep other patterns for a watched folder; the next sync acts on them."""

    def changed_since(self, moment: float, limit: int) -> tuple[DocumentChange, ...]:
        """Return what was indexed, or failed to be, since a moment, newest first."""

    def request_state(self, number: int) -> RequestStatePort:
        """Return how far an order is."""

    def check(self) -> tuple[Check, ...]:
        """Look for everything that can be wrong with the file."""

    def close(self) -> None:
        """Let go of the file."""
