"""A search that can be asked "what if": its candidates stay, so that other settings need no search of the legs."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.records import FusionConstants, SearchResult, SearchSettings, SignalScale
from engine.retrieval import search_pipeline, tiers
from engine.store.store_connection import NotRead

if TYPE_CHECKING:
    from engine.retrieval.hits import Read
    from engine.retrieval.search_pipeline import Model, Search
    from engine.store.store_connection import StoreConnection


class Exploration:
    """The result of a search by the settings it was made with, and by any others."""

    def __init__(
        self,
        search: Search,
        result: SearchResult,
        model: Model | None,
        cuts: tiers.Cuts,
        reading: Callable[[], AbstractContextManager[StoreConnection]],
        read: dict[int, Read],
        sequence: int,
        constants: FusionConstants | None = None,
        kept: StoreConnection | None = None,
    ) -> None:
        self.result = result
        self._search = search
        self._model = model
        self._cuts = cuts
        self._reading = reading
        self._read = read  # of the passages shown so far: other settings bring mostly the same ones
        self._constants = constants  # of the library, for settings that name none
        self._kept = kept  # what was read of a store a network away, which is not asked again
        self._sequence = sequence  # the change number of the library that was searched

    @property
    def scale(self) -> SignalScale:
        """What foreign queries reach here, for a picture of where a row lies."""
        cuts = self._cuts.of_query(self._search.assessment.best_row)
        return SignalScale(cuts.low, cuts.high, cuts.histogram, cuts.row_strong, cuts.row_likely, cuts.passages > 0)

    def again(self, settings: SearchSettings, limit: int = 10) -> SearchResult:
        """Return the rows that these settings would have given, from the same candidates."""
        settings = settings if settings.constants else replace(settings, constants=self._constants)
        search = search_pipeline.reorder(self._search, settings, limit)
        result = self._presented(search, settings)
        return replace(result, timings=self.result.timings)

    def _presented(self, search: Search, settings: SearchSettings) -> SearchResult:
        if self._kept is not None:
            with suppress(NotRead):
                return search_pipeline.present(self._kept, search, settings, self._model, self._cuts, self._read)
        with self._reading() as connection:
            gone = self._gone(connection, search)
            return search_pipeline.present(connection, search, settings, self._model, self._cuts, self._read, gone=gone)

    def fills(self, result: SearchResult, limit: int) -> bool:
        """Whether a result of `again` has as many rows as a new search would find: a search looks deeper for more."""
        return len(result.hits) >= limit or not self._search.gathered.candidates.truncated

    def _gone(self, connection: StoreConnection, search: Search) -> Collection[int]:
        """Return the candidates that are not what was found any more: an id is given to other text once it is free."""
        if not connection.change_reaches(self._sequence):
            return set(search.gathered.candidates.ids.tolist())
        return connection.replaced(self._sequence)
