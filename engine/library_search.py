"""Searches one library: the encoder, the vectors and the word postings come with the first search that needs them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from engine.errors import LibraryError, ModelError, TeamAway
from engine.library_file import LibraryFile
from engine.paths import expanded, is_of_another
from engine.records import Query, Scope, SearchResult, SearchSettings, WhyReport, WhyStage
from engine.retrieval.cancellation import Cancellation
from engine.retrieval.search_caches import SearchCaches

if TYPE_CHECKING:
    from engine.embedding.encoder import Encoder
    from engine.exploration import Exploration
    from engine.retrieval import tiers
    from engine.retrieval.active_model import ActiveModel
    from engine.retrieval.hits import Read
    from engine.retrieval.postings_cache import PostingsCache
    from engine.retrieval.search_pipeline import Model
    from engine.retrieval.searched_store import SearchedStore
    from engine.retrieval.shadow_search import RowsMade
    from engine.store.library_connection import LibraryConnection
    from engine.store.store_connection import StoreConnection

DEFAULT_LIMIT = 10
NO_LIMITS = Scope()
WHY_LIMIT = 10
LATE_TRIED = 0.3  # for what if, where late interaction has no weight of the person's own
NOT_PUBLISHED = "it has not come to the team's library yet", "Run `carrel sync`."
EMBED_MOST = 50  # passages of one search: of more, the list gains little (tests/bench/partial_vectors.py)
EMBED_SECONDS = 1.5  # two idle cores embed 80 in it, busy ones some 20, which still give most of what there is to gain

_Given = ParamSpec("_Given")
_Found = TypeVar("_Found")


def _again_where_away(search: Callable[_Given, _Found]) -> Callable[_Given, _Found]:
    """Search once more where the way to a server broke in the middle: anew, or without the server."""

    @wraps(search)
    def tried(*args: _Given.args, **kwargs: _Given.kwargs) -> _Found:
        try:
            return search(*args, **kwargs)
        except TeamAway:
            return search(*args, **kwargs)

    return tried


class LibrarySearch:
    """Searches, from any thread. `encoder` stands in for the library's own model.

    `own` is the reader's own file, which knows why a file of this machine is not indexed.
    """

    def __init__(self, store: SearchedStore, encoder: Encoder | None, own: LibraryFile) -> None:
        self._store = store
        self._own = own
        self._caches = SearchCaches(encoder, store.vector_source)

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
        cancel = cancel or Cancellation()
        with self._store.searching(cancel) as connection:
            model = self.model_if_there(connection)
            texts = connection.awaited_texts(passage_ids[:most])
        if model is None or model.on_demand is None:
            return 0
        return model.on_demand.embed(texts, seconds, cancel)

    def ask_to_embed(self, passage_ids: Sequence[int]) -> None:
        """Have the indexer embed passages before all others, where the library can be written to now.

        One small write. Nothing is lost without it: they are embedded in their turn.
        """
        with suppress(LibraryError):
            with self._store.searching() as connection:
                hashes = list(connection.awaited_texts(passage_ids))
            if hashes:
                self._store.ask_to_embed(hashes)

    def similar(self, passage_id: int, *, limit: int = DEFAULT_LIMIT, scope: Scope = NO_LIMITS) -> SearchResult:
        """Find the passages of other documents that are nearest in meaning to one.

        One that has no vector yet is embedded here; there are no rows where it can have none.
        """
        from engine.retrieval.similar_passages import similar

        self.embed([passage_id])
        with self._store.searching() as connection:
            model, cuts = self._caches.active_model().of(connection)
            return similar(connection, passage_id, model, cuts, limit, scope)

    def may_see(self, document_id: int, scope: Scope) -> bool:
        """Return whether a document is there and lies within a scope."""
        with self._store.searching() as connection:
            return connection.in_scope(document_id, scope)

    def warm(self) -> None:
        """Load the model and the vectors, so that the next search need not, and keep from now on what is read."""
        self._caches.stay()
        with self._store.searching() as connection:
            model, _ = self._caches.active_model().of(connection)
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
        of_another = is_of_another(os.fspath(path))
        absolute = os.fsencode(path if of_another else expanded(path).absolute())
        with self._store.searching() as connection, self._of_reader(connection) as own:
            settings = with_constants(connection, settings)
            document, indexed = connection.document_id_at(absolute), own.document_id_at(absolute)
            absent = absence(own, self._own.path, absolute, indexed)
            if document is None or (absent is not None and indexed is not None):
                reason, advice = absent or NOT_PUBLISHED
                stage = WhyStage("indexed", False, None, reason, advice)
                return WhyReport(text, absolute, False, None, (stage,), "indexed", (advice,))
            query = _within(connection, with_written_options(connection, parse(text)), settings.scope)
            model, cuts, missing = self._model(connection, settings, query.meaning)
            if missing:
                settings = replace(settings, fusion="keyword")
            trail = trace(connection, query, document, settings, model, cuts, limit=limit)
            if (kept := held_back(own, absolute)) is not None:
                trail = trail.though(*kept)
            asked = [word for term in query.terms if not term.excluded for word in term.text.split()]
            for remark in unread(own, absolute, indexed, asked) if indexed is not None else ():
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
    def lend(self, cancel: Cancellation) -> Iterator[tuple[StoreConnection, ActiveModel, PostingsCache, RowsMade]]:
        """Lend what a search is made with, for one that is held against another model's."""
        with self._store.searching(cancel) as connection:
            made = partial(self._caches.rows_made, connection)
            yield connection, self._caches.active_model(), self._caches.postings(), made

    @contextmanager
    def _of_reader(self, connection: StoreConnection) -> Iterator[LibraryConnection]:
        """Lend a connection to the reader's own file: the one that is searched, where it is that file's."""
        from engine.store.library_connection import LibraryConnection

        if isinstance(connection, LibraryConnection):
            yield connection
            return
        with self._own.reading() as own:
            yield own

    def model_if_there(self, connection: StoreConnection) -> Model | None:
        """Return the library's model; None where it has none, or it cannot be loaded."""
        try:
            return self._caches.active_model().of(connection)[0]
        except ModelError:
            return None

    def close(self) -> None:
        """Let go of the vectors and the model."""
        self._caches.close()

    @_again_where_away
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
        from engine.retrieval.asked_ahead import ahead_of_rows
        from engine.retrieval.query import parse
        from engine.retrieval.written_options import with_written_options
        from engine.store.store_connection import AheadReads

        cancel = cancel or Cancellation()
        began = time.perf_counter()
        asked = parse(text, typing=typing)
        with self._store.searching(cancel, asked) as connection:
            loading = time.perf_counter()
            settings = with_constants(connection, settings)
            query = _within(connection, with_written_options(connection, asked), settings.scope)
            late = settings.late or LATE_TRIED
            needed = replace(settings, fusion="convex", memory=True, late=late) if widely else settings
            model, cuts, missing = self._model(connection, needed, query.meaning)
            loaded = time.perf_counter()
            if missing:
                needed = settings = replace(settings, fusion="keyword")
            search = search_pipeline.run(
                connection, query, needed, model, cuts, limit=limit, cancel=cancel, postings=self._caches.postings()
            )
            if needed != settings:
                search = search_pipeline.reorder(search, settings, limit)
            read: dict[int, Read] = {}
            sequence = connection.change_latest()
            search = search_pipeline.with_nearest_words(search, self._caches.postings().of(connection))
            made = self._caches.rows_made(connection, search.fts_query)
            if widely:
                ahead_of_rows(connection, search.fts_query, search.gathered.candidates.ids.tolist())
            result = search_pipeline.present(connection, search, settings, model, cuts, read, made=made)
            waited = connection.waited * 1e3
        took = (time.perf_counter() - began) * 1e3
        timings = replace(result.timings, load=(loaded - loading) * 1e3, total=took, server=waited)
        weights = replace(result.weights, reason=missing) if missing else result.weights
        result = replace(result, timings=timings, weights=weights)
        kept = connection if isinstance(connection, AheadReads) else None
        return Exploration(search, result, model, cuts, self._store.searching, read, sequence, settings.constants, kept)

    def _model(
        self, connection: StoreConnection, settings: SearchSettings, meaning: str
    ) -> tuple[Model | None, tiers.Cuts, str]:
        """Return the model that a search needs, its cuts, and in words why there is none though one was wanted."""
        from engine.retrieval.tiers import unfitted

        if settings.fusion == "keyword" or not meaning:
            return None, unfitted(0.0), ""
        try:
            model, cuts = self._caches.active_model().of(connection)
        except ModelError as error:
            return None, unfitted(0.0), f"by words alone: {error}"
        if model is not None and not model.reads(meaning):
            return None, unfitted(0.0), f"by words alone: {model.name} does not read this writing"
        return model, cuts, "" if model else "by words alone: nothing is indexed yet"


def with_constants(connection: StoreConnection, settings: SearchSettings) -> SearchSettings:
    """Return settings with the library's own fusion constants, where they name none and it keeps some."""
    from engine.store.store_connection import ConstantReads

    if settings.constants or not isinstance(connection, ConstantReads):
        return settings
    return replace(settings, constants=connection.fusion_constants())


def _within(connection: StoreConnection, query: Query, scope: Scope) -> Query:
    """Return a query that sees no document outside a scope."""
    if scope == NO_LIMITS:
        return query
    return replace(query, filters=replace(query.filters, hidden=connection.hidden_documents(scope)))
