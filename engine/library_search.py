"""Searches one library: the encoder, the vectors and the word postings come with the first search that needs them."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import LibraryError, ModelError
from engine.library_file import LibraryFile
from engine.paths import expanded
from engine.records import Query, Scope, SearchResult, SearchSettings, WhyReport, WhyStage
from engine.retrieval.cancellation import Cancellation
from engine.store import change_log, documents, migrations
from engine.store.connection import open_writer

if TYPE_CHECKING:
    from engine.embedding.encoder import Encoder
    from engine.exploration import Exploration
    from engine.retrieval import tiers
    from engine.retrieval.active_model import ActiveModel
    from engine.retrieval.fts_query import FtsQuery
    from engine.retrieval.hits import Read
    from engine.retrieval.postings_cache import PostingsCache
    from engine.retrieval.row_memory import RowMemory
    from engine.retrieval.search_pipeline import Model
    from engine.store.connection import LibraryConnection

DEFAULT_LIMIT = 10
NO_LIMITS = Scope()
WHY_LIMIT = 10
EMBED_MOST = 50  # passages of one search: of more, the list gains little (tests/bench/partial_vectors.py)
EMBED_SECONDS = 1.5  # two idle cores embed 80 in it, busy ones some 20, which still give most of what there is to gain


class LibrarySearch:
    """Searches, from any thread. `encoder` stands in for the library's own model."""

    def __init__(self, file: LibraryFile, encoder: Encoder | None) -> None:
        self._file = file
        self._encoder = encoder
        self._active: ActiveModel | None = None
        self._postings: PostingsCache | None = None
        self._rows: RowMemory | None = None
        self._stays = False  # whether this process will search again and again
        self._closed = False  # a search that goes on keeps nothing for later ones
        self._newest = False  # whether the library was seen to have the newest schema
        self._guard = threading.Lock()

    def search(
        self,
        text: str,
        *,
        limit: int = DEFAULT_LIMIT,
        settings: SearchSettings | None = None,
        typing: bool = False,
        cancel: Cancellation | None = None,
        embed_seconds: float = 0.0,
    ) -> SearchResult:
        """Find passages. An empty query, or one of filters only, lists documents by date, newest first.

        With `typing` the last word may still grow, and an unfinished filter is passed over. No text is refused: the
        query's remarks say what was read otherwise than it may have been meant. A search by words alone loads no model.
        Where the model is missing, words alone are searched, and the weights say why. Raises SearchCancelled.

        Passages that have no vector yet are found by their words. With `embed_seconds` the best of them are embedded
        here, for so long at most, and the search is done again with their vectors.
        """
        settings = settings or SearchSettings()
        result = self._explored(text, limit, settings, typing, cancel, widely=False).result
        if not embed_seconds or not result.awaited:
            return result
        began = time.perf_counter()
        if not self.embed(result.awaited, seconds=embed_seconds, cancel=cancel):
            return result
        spent = (time.perf_counter() - began) * 1e3
        again = self._explored(text, limit, settings, typing, cancel, widely=False).result
        total = result.timings.total + spent + again.timings.total
        return replace(again, timings=replace(again.timings, embed=spent, total=total))

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

    def embed(
        self,
        passage_ids: Sequence[int],
        *,
        most: int = EMBED_MOST,
        seconds: float = EMBED_SECONDS,
        cancel: Cancellation | None = None,
    ) -> int:
        """Embed passages that wait for their vectors, the first `most` of them, and keep those for later searches.

        Returns how many have one now; the library is not written to. Raises SearchCancelled.
        """
        from engine.retrieval.pending_passages import awaited_texts

        cancel = cancel or Cancellation()
        with self._reading(cancel) as connection:
            model = self.model_if_there(connection)
            texts = awaited_texts(connection, passage_ids[:most])
        if model is None or model.on_demand is None:
            return 0
        return model.on_demand.embed(texts, seconds, cancel)

    def ask_to_embed(self, passage_ids: Sequence[int]) -> None:
        """Have the indexer embed passages before all others, where the library can be written to now.

        One small write. Nothing is lost without it: they are embedded in their turn.
        """
        from engine.retrieval.pending_passages import awaited_texts
        from engine.store import pending_vectors
        from engine.store.connection import transaction

        with suppress(LibraryError):
            with self._reading() as connection:
                hashes = list(awaited_texts(connection, passage_ids))
            if not hashes:
                return
            with self._file.writing() as connection, transaction(connection):
                pending_vectors.ask(connection, hashes)

    def similar(self, passage_id: int, *, limit: int = DEFAULT_LIMIT, scope: Scope = NO_LIMITS) -> SearchResult:
        """Find the passages of other documents that are nearest in meaning to one.

        One that has no vector yet is embedded here; there are no rows where it can have none.
        """
        from engine.retrieval.search_pipeline import similar

        self.embed([passage_id])
        with self._reading() as connection:
            model, cuts = self._active_model().of(connection)
            return similar(connection, passage_id, model, cuts, limit, scope)

    def may_see(self, document_id: int, scope: Scope) -> bool:
        """Return whether a document is there and lies within a scope."""
        from engine.retrieval.filters import in_scope

        with self._reading() as connection:
            return in_scope(connection, document_id, scope)

    def warm(self) -> None:
        """Load the model and the vectors, so that the next search need not, and keep from now on what is read."""
        with self._guard:
            self._stays, self._postings = True, None
        with self._reading() as connection:
            model, _ = self._active_model().of(connection)
        if model is not None:
            model.encode("warm")

    def why(
        self, text: str, path: Path, *, settings: SearchSettings | None = None, limit: int = WHY_LIMIT
    ) -> WhyReport:
        """Say at which stage of a search a file's document was lost, and what would bring it back."""
        from engine.indexing.absence import UNREAD_ADVICE, absence, held_back, unread
        from engine.retrieval.query import parse
        from engine.retrieval.why_not import trace
        from engine.retrieval.written_options import with_written_options

        settings = settings or SearchSettings()
        absolute = os.fsencode(expanded(path).absolute())
        with self._reading() as connection:
            document = documents.document_id_at(connection, absolute)
            if (absent := absence(connection, self._file.path, absolute, document)) is not None:
                reason, advice = absent
                stage = WhyStage("indexed", False, None, reason, advice)
                return WhyReport(text, absolute, False, None, (stage,), "indexed", (advice,))
            assert document is not None  # else it was said why
            query = _within(connection, with_written_options(connection, parse(text)), settings.scope)
            model, cuts, missing = self._model(connection, settings, query.meaning)
            if missing:
                settings = replace(settings, fusion="keyword")
            trail = trace(connection, query, document, settings, model, cuts, limit=limit)
            if (kept := held_back(connection, absolute)) is not None:
                trail = trail.though(*kept)
            asked = [word for term in query.terms if not term.excluded for word in term.text.split()]
            for remark in unread(connection, absolute, document, asked):
                trail = trail.though(remark, UNREAD_ADVICE)
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

    @contextmanager
    def lend(self, cancel: Cancellation) -> Iterator[tuple[LibraryConnection, ActiveModel, PostingsCache]]:
        """Lend what a search is made with, for one that is held against another model's."""
        with self._reading(cancel) as connection:
            yield connection, self._active_model(), self._postings_cache()

    def model_if_there(self, connection: LibraryConnection) -> Model | None:
        """Return the library's model; None where it has none, or it cannot be loaded."""
        try:
            return self._active_model().of(connection)[0]
        except ModelError:
            return None

    def close(self) -> None:
        """Let go of the vectors and the model."""
        with self._guard:
            self._active, self._rows, self._closed = None, None, True

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
        from engine.retrieval.written_options import with_written_options

        cancel = cancel or Cancellation()
        began = time.perf_counter()
        with self._reading(cancel) as connection:
            loading = time.perf_counter()
            query = _within(connection, with_written_options(connection, parse(text, typing=typing)), settings.scope)
            needed = replace(settings, fusion="convex", memory=True) if widely else settings
            model, cuts, missing = self._model(connection, needed, query.meaning)
            loaded = time.perf_counter()
            if missing:
                needed = settings = replace(settings, fusion="keyword")
            search = search_pipeline.run(
                connection, query, needed, model, cuts, limit=limit, cancel=cancel, postings=self._postings_cache()
            )
            if needed != settings:
                search = search_pipeline.reorder(search, settings, limit)
            read: dict[int, Read] = {}
            sequence = change_log.latest(connection)
            search = search_pipeline.with_nearest_words(search, self._postings_cache().of(connection))
            made = self._rows_made(connection, search.fts_query)
            result = search_pipeline.present(connection, search, settings, model, cuts, read, made=made)
        timings = replace(result.timings, load=(loaded - loading) * 1e3, total=(time.perf_counter() - began) * 1e3)
        weights = replace(result.weights, reason=missing) if missing else result.weights
        result = replace(result, timings=timings, weights=weights)
        return Exploration(search, result, model, cuts, self._file.reading, read, sequence)

    @contextmanager
    def _reading(self, cancel: Cancellation | None = None) -> Iterator[LibraryConnection]:
        """Lend a reader's connection; a library of an older Carrel is brought up to date before it is searched.

        Raises LibraryReadOnly where such a one cannot be written to, LibraryBusy where another process indexes it.
        """
        if not self._newest:
            if self._file.read(migrations.version) < migrations.newest_version():
                self._file.drain()
                open_writer(self._file.path).close()
            self._newest = True
        with self._file.reading(cancel) as connection:
            yield connection

    def _postings_cache(self) -> PostingsCache:
        from engine.retrieval.postings_cache import PostingsCache

        with self._guard:
            if self._postings is None:
                self._postings = PostingsCache(keeps_scores=self._stays)
            return self._postings

    def _rows_made(self, connection: LibraryConnection, fts_query: FtsQuery) -> dict[int, Read]:
        """Return what was made of this query's rows, in a process that searches again and again."""
        from engine.retrieval.row_memory import RowMemory

        with self._guard:
            if not self._stays or self._closed:
                return {}
            self._rows = self._rows or RowMemory()
        return self._rows.of(connection, fts_query)

    def _active_model(self) -> ActiveModel:
        from engine.retrieval.active_model import ActiveModel

        with self._guard:
            active = self._active or ActiveModel(self._encoder)
            self._active = None if self._closed else active
            return active

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
        if model is not None and not model.reads(meaning):
            return None, unfitted(0.0), f"by words alone: {model.name} does not read this writing"
        return model, cuts, "" if model else "by words alone: nothing is indexed yet"


def _within(connection: LibraryConnection, query: Query, scope: Scope) -> Query:
    """Return a query that sees no document outside a scope."""
    if scope == NO_LIMITS:
        return query
    from engine.retrieval.filters import hidden_documents

    return replace(query, filters=replace(query.filters, hidden=hidden_documents(connection, scope)))
