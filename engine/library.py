"""The one door of the engine: open a library, keep it in step with its folders, search it, ask it why.

A `Library` may be used from several threads. Reading takes no lock; what needs the indexer lock says so. Nothing heavy
is loaded by opening: the encoder and the vectors come with the first search that needs them.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import ModelError
from engine.paths import library_path
from engine.reader_memory import MarkingShelf
from engine.records import (
    Check,
    SearchResult,
    SearchSettings,
    Status,
    SyncReport,
    WhyReport,
    WhyStage,
)
from engine.retrieval.cancellation import Cancellation, SearchCancelled
from engine.store import documents, folders, lock, requests
from engine.store.connection import open_writer
from engine.store.migrations import version as schema_version
from engine.store.requests import RequestState
from engine.watchlist import Watchlist

if TYPE_CHECKING:
    from engine.embedding.encoder import Encoder
    from engine.events import Event
    from engine.exploration import Exploration
    from engine.local_indexing import Keeper
    from engine.retrieval import tiers
    from engine.retrieval.hits import Read
    from engine.retrieval.postings_cache import WordMemory
    from engine.retrieval.search_pipeline import Model
    from engine.store.connection import LibraryConnection

__all__ = ["Cancellation", "Library", "RequestState", "SearchCancelled"]

DEFAULT_LIMIT = 10
WHY_LIMIT = 10


class Library(Watchlist, MarkingShelf):
    """One library file. Use `Library.open`; close it, or use it as a context manager."""

    def __init__(self, path: Path, encoder: Encoder | None, read_only: bool) -> None:
        super().__init__(path, encoder)
        self.read_only = read_only
        self._words: WordMemory | None = None
        self._stays = False  # whether this process will search again and again
        self._watch: LibraryConnection | None = None

    @classmethod
    def open(cls, path: Path | None = None, *, create: bool = False, encoder: Encoder | None = None) -> Library:
        """Open the library at `path`, else the default one; with `create`, make it if it is missing.

        `encoder` stands in for the library's own model. Raises LibraryMissing, SchemaTooNew, LibraryDamaged.
        """
        place = library_path(path)
        if create and not place.exists():
            open_writer(place, create=True).close()
        library = cls(place, encoder, read_only=_read_only(place))
        with library._pool.lend():
            pass  # a missing, newer or damaged file is told now rather than at the first search
        return library

    def close(self) -> None:
        """Let go of the file, the vectors and the model."""
        with self._guard:
            self._pool.close()
            if self._watch is not None:
                self._watch.close()
            self._watch = self._active = None

    def __enter__(self) -> Library:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- searching -------------------------------------------------------------------------------------------------

    def search(
        self,
        text: str,
        *,
        limit: int = DEFAULT_LIMIT,
        settings: SearchSettings | None = None,
        typing: bool = False,
        cancel: Cancellation | None = None,
    ) -> SearchResult:
        """Find passages. An empty query, or one of filters only, lists documents by date, newest first.

        With `typing` the last word may still grow, and an unfinished quote or filter is passed over. A search by words
        alone loads no model. Where the model is missing, words alone are searched, and the weights say why. Raises
        QueryError, SearchCancelled.
        """
        return self._explored(text, limit, settings or SearchSettings(), typing, cancel, widely=False).result

    def explore(
        self,
        text: str,
        *,
        limit: int = DEFAULT_LIMIT,
        settings: SearchSettings | None = None,
        typing: bool = False,
        cancel: Cancellation | None = None,
    ) -> Exploration:
        """Search as `search` does, in both legs whatever the fusion, and keep the candidates for other settings."""
        return self._explored(text, limit, settings or SearchSettings(), typing, cancel, widely=True)

    def similar(self, passage_id: int, *, limit: int = DEFAULT_LIMIT) -> SearchResult:
        """Find the passages of other documents that are nearest in meaning to one; none where it has no vector."""
        from engine.retrieval.similar import similar

        with self._reading() as connection:
            model, cuts = self._active_model().of(connection)
            return similar(connection, passage_id, model, cuts, limit)

    def nearest_sentence(self, query: str, text: str) -> tuple[int, int] | None:
        """Return the span of the sentence of a text that is nearest in meaning to a query; None without a model."""
        from engine.retrieval.nearest_sentence import nearest_sentence
        from engine.retrieval.query import parse

        meaning = parse(query, typing=True).meaning
        with self._reading() as connection:
            model, _, missing = self._model(connection, SearchSettings(), meaning)
        return None if model is None or missing else nearest_sentence(model.encode, meaning, text)

    def warm(self) -> None:
        """Load the model and the vectors, so that the next search need not, and keep from now on what is read."""
        with self._guard:
            self._stays, self._words = True, None
        with self._reading() as connection:
            model, _ = self._active_model().of(connection)
        if model is not None:
            model.encode("warm")

    def why(
        self, text: str, path: Path, *, settings: SearchSettings | None = None, limit: int = WHY_LIMIT
    ) -> WhyReport:
        """Say at which stage of a search a file's document was lost, and what would bring it back."""
        from engine.indexing.absence import absence
        from engine.retrieval.query import parse
        from engine.retrieval.why_not import trace

        settings = settings or SearchSettings()
        query = parse(text)
        absolute = os.fsencode(path.expanduser().absolute())
        with self._reading() as connection:
            document = documents.document_id_at(connection, absolute)
            if (absent := absence(connection, self.path, absolute, document)) is not None:
                reason, advice = absent
                stage = WhyStage("indexed", False, None, reason, advice)
                return WhyReport(text, absolute, False, None, (stage,), "indexed", (advice,))
            assert document is not None  # else it was said why
            model, cuts, missing = self._model(connection, settings, query.meaning)
            if missing:
                settings = replace(settings, fusion="keyword")
            trail = trace(connection, query, document, settings, model, cuts, limit=limit)
        return WhyReport(
            text,
            absolute,
            trail.final_rank is not None,
            trail.final_rank,
            trail.stages,
            trail.dropped_at,
            trail.advice,
            trail.changes,
        )

    # --- indexing --------------------------------------------------------------------------------------------------

    def sync(
        self,
        paths: Sequence[Path] = (),
        *,
        full: bool = False,
        on_event: Callable[[Event], None] = lambda _: None,
        stop: threading.Event | None = None,
    ) -> SyncReport:
        """Bring the index up to date with the folders, once, in this process, and return what was done.

        `paths` restrict it; `full` reads every file again. When `stop` is set, it ends within a second with what is
        committed by then. Raises LibraryBusy where another process indexes, PathError, ModelError.
        """
        absolute = [os.fsencode(path.expanduser().absolute()) for path in paths]
        with self._keeping("syncing") as keeper:
            return keeper.sync(paths=absolute, full=full, on_event=on_event, stop=stop or threading.Event())

    def use_model(
        self,
        name: str,
        *,
        on_event: Callable[[Event], None] = lambda _: None,
        stop: threading.Event | None = None,
    ) -> bool:
        """Make an installed model the library's and embed everything with it; False where `stop` came first.

        Asked again, it goes on where it was stopped. Raises LibraryBusy, ModelError.
        """
        with self._keeping("building a model") as keeper:
            return keeper.use_model(name, on_event=on_event, stop=stop or threading.Event())

    def file_request(self, kind: str, argument: str = "") -> int:
        """Ask the process that indexes for something and return the request's number."""
        with self._writing() as connection:
            return requests.file(connection, kind, argument)

    def request_state(self, number: int) -> RequestState:
        """Return how far a request is; one that is forgotten counts as done without an answer."""
        with self._reading() as connection:
            return requests.state(connection, number) or RequestState(taken=True, done=True, outcome=None)

    # --- care ------------------------------------------------------------------------------------------------------

    def status(self, *, stale: bool = False) -> Status:
        """Return the library at a glance; with `stale`, walk the folders and count the files that differ."""
        from engine.maintenance import last_check
        from engine.store import models

        with self._reading() as connection:
            counted = documents.counts(connection)
            model = models.active(connection)
            status = Status(
                library=str(self.path),
                schema=schema_version(connection),
                documents=counted.documents,
                passages=counted.passages,
                bytes=self.path.stat().st_size,
                model=model.name if model else "",
                folders=folders.every(connection),
                writer=lock.holder(self.path),
                stale=-1,
                failed=counted.failed,
                skipped=folders.left_out(connection),
                read_only=self.read_only,
                checked=last_check(connection),
            )
            if not stale:
                return status
            from engine.indexing.absence import stale_files

            return replace(status, stale=stale_files(connection, self.path))

    def check(self, *, repair: bool = False) -> tuple[Check, ...]:
        """Look for everything that can be wrong with the file, and with `repair` mend what can be mended first.

        Checking needs no lock. Raises LibraryBusy where a repair is asked while another process indexes.
        """
        from engine.maintenance import Maintenance

        return Maintenance(self.path, self._encoder).check(repair=repair).checks

    def version(self) -> int:
        """Return a number that changes whenever another connection has committed; cheap enough to poll."""
        with self._guard:
            if self._watch is None:
                from engine.store.connection import open_reader

                self._watch = open_reader(self.path)
            return int(self._watch.pragma("data_version"))

    # --- within ----------------------------------------------------------------------------------------------------

    def _explored(
        self,
        text: str,
        limit: int,
        settings: SearchSettings,
        typing: bool,
        cancel: Cancellation | None,
        *,
        widely: bool,
    ) -> Exploration:
        from engine.exploration import Exploration
        from engine.retrieval import search_pipeline
        from engine.retrieval.query import parse

        query = parse(text, typing=typing)
        cancel = cancel or Cancellation()
        began = time.perf_counter()
        with self._reading(cancel) as connection:
            loading = time.perf_counter()
            needed = replace(settings, fusion="convex", memory=True) if widely else settings
            model, cuts, missing = self._model(connection, needed, query.meaning)
            loaded = time.perf_counter()
            if missing:
                needed = settings = replace(settings, fusion="keyword")
            search = search_pipeline.run(
                connection, query, needed, model, cuts, limit=limit, cancel=cancel, memory=self._word_memory()
            )
            if needed != settings:
                search = search_pipeline.reorder(search, settings, limit)
            read: dict[int, Read] = {}
            result = search_pipeline.present(connection, search, settings, model, cuts, read)
        timings = replace(result.timings, load=(loaded - loading) * 1e3, total=(time.perf_counter() - began) * 1e3)
        weights = replace(result.weights, reason=missing) if missing else result.weights
        result = replace(result, timings=timings, weights=weights)
        return Exploration(search, result, model, cuts, self._reading, read)

    def _word_memory(self) -> WordMemory:
        from engine.retrieval.postings_cache import WordMemory

        with self._guard:
            if self._words is None:
                self._words = WordMemory(keeps_scores=self._stays)
            return self._words

    @contextmanager
    def _keeping(self, task: str) -> Iterator[Keeper]:
        from engine.local_indexing import Keeper

        with lock.IndexerLock(self.path).acquire(task), self._writing(lock_held=True) as connection:
            self._pool.close()  # an open reader would keep the last writer from folding the log into the file
            yield Keeper(connection, self.path, self._encoder)

    def _model(
        self, connection: LibraryConnection, settings: SearchSettings, meaning: str
    ) -> tuple[Model | None, tiers.Cuts, str]:
        """Return the model that a search needs, its cuts, and in words why there is none though one was wanted."""
        from engine.retrieval.tiers import unfitted

        if settings.fusion == "keyword" or not meaning:
            return None, unfitted(0.0), ""
        try:
            model, cuts = self._active_model().of(connection)
        except ModelError as error:
            return None, unfitted(0.0), f"by words alone: {error}"
        return model, cuts, "" if model else "by words alone: nothing is indexed yet"


def _read_only(path: Path) -> bool:
    """Tell whether the library can only be read; a missing one is told by opening it."""
    return path.exists() and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))
