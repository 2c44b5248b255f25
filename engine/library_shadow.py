"""A candidate beside the model in use: lets one run there, asks both the same, and keeps what each found.

Searching by both writes nothing; what is scored is written down by whoever was told that the person wants it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from engine.errors import ModelError, UsageError
from engine.library_file import LibraryFile
from engine.library_search import LibrarySearch, with_constants
from engine.records import (
    SearchResult,
    SearchSettings,
    ShadowEvent,
    ShadowEventKind,
    ShadowModel,
    ShadowReview,
    ShadowSearch,
    ShadowState,
    ShadowStream,
)
from engine.retrieval.cancellation import Cancellation
from engine.store import models, requests, row_reads, shadow_log, stored_values
from engine.store.library_connection import LibraryConnection
from engine.store.transactions import transaction

if TYPE_CHECKING:
    from engine.retrieval.active_model import ActiveModel
    from engine.retrieval.postings_cache import PostingsCache
    from engine.retrieval.shadow_search import RowsMade, Side
    from engine.store.models import StoredModel
    from engine.store.store_connection import StoreConnection

Lent: TypeAlias = "tuple[StoreConnection, ActiveModel, PostingsCache, RowsMade]"  # what a search is made with
ENOUGH = 0.99  # of the passages have a vector of the model beside: of fewer its searches say too little
REVIEWED = 5  # rows of a list that is judged blind
COMPONENT_BYTES = 4


class LibraryShadow:
    """What one library knows of the model beside the one in use; every method from any thread."""

    def __init__(self, file: LibraryFile, search: LibrarySearch) -> None:
        self._file = file
        self._search = search
        self._beside: ActiveModel | None = None
        self._guard = threading.Lock()

    def shadow_state(self) -> ShadowState | None:
        """Return the two models, how far the one beside is, and what was counted; None where nothing runs beside."""
        with self._file.reading() as connection:
            active, beside = models.active(connection), models.shadow(connection)
            if active is None or beside is None:
                return None
            covered = models.coverage(connection, beside)
            former = models.figure(connection, beside.id, models.FORMER_SINCE)
            former_since = former if isinstance(former, float) else None
            return ShadowState(
                active=_facts(connection, active),
                shadow=_facts(connection, beside),
                coverage=covered.share,
                covered=covered.covered,
                passages=covered.passages,
                waiting=covered.waiting,
                shares_vectors=covered.shared,
                tiers_fitted=_cuts(connection, beside.id) is not None,
                former_since=former_since,
                since=_since(connection, beside),
                searches=shadow_log.counts(connection, active.id, beside.id),
                reviews=len(shadow_log.reviews(connection, active.id, beside.id)),
                searches_since=shadow_log.live_since(connection, active.id, beside.id, former_since or 0.0),
                reference_cut=_strong_cut(connection, active.id),
            )

    def ask_for_shadow(self, name: str) -> int:
        """Have the indexer let an installed model run beside the one in use, and return the order's number.

        Raises ModelError where it is not installed or makes other passages, UsageError.
        """
        from engine.embedding import catalogue
        from engine.indexing.shadow_start import refuse

        manifest = catalogue.load(name).manifest
        self._file.read(lambda connection: refuse(connection, name, manifest))
        with self._file.writing() as connection:
            return requests.file(connection, "shadow", name)

    def stop_shadow(self) -> str:
        """Let nothing run beside the model in use, and return what did; its vectors are kept to go to.

        Raises UsageError where nothing runs beside.
        """
        with self._file.writing() as connection, transaction(connection):
            beside = models.shadow(connection)
            if beside is None:
                raise _nothing_beside()
            models.stop_shadow(connection)
            return beside.name

    def shadow_score(
        self,
        text: str,
        stream: ShadowStream,
        *,
        settings: SearchSettings | None = None,
        cancel: Cancellation | None = None,
    ) -> ShadowSearch | None:
        """Search with both models and write down what each found.

        None, and nothing is written, where nothing runs beside, where less than 99 % of its vectors are there, or where
        the text asks for no words. Raises SearchCancelled, ModelError where a model cannot be used.
        """
        from engine.retrieval.shadow_search import compared

        cancel = cancel or Cancellation()
        with self._search.lend(cancel) as lent:
            sides = self._sides(lent, text, shadow_log.TOP, settings or SearchSettings(), cancel)
            if sides is None:
                return None
            cancel.check()
            a, b = sides
            scored = compared(lent[0], a, b, stream)
        cancel.check()
        with self._file.noting() as writer:
            number = shadow_log.add(writer, a.model.id, b.model.id, scored)
        return replace(scored, id=number)

    def shadow_lists(
        self,
        text: str,
        *,
        limit: int = REVIEWED,
        settings: SearchSettings | None = None,
        cancel: Cancellation | None = None,
    ) -> tuple[SearchResult, SearchResult]:
        """Search with the model in use and with the one beside it, for a person to compare; nothing is written.

        Raises UsageError where nothing runs beside, or the text asks for no words.
        """
        cancel = cancel or Cancellation()
        with self._search.lend(cancel) as lent:
            sides = self._sides(lent, text, limit, settings or SearchSettings(), cancel)
        if sides is None:
            raise _nothing_beside()
        return sides[0].result, sides[1].result

    def shadow_searches(
        self, *, pairs: bool = False, stream: ShadowStream | None = None, limit: int | None = None
    ) -> tuple[ShadowSearch, ...]:
        """Return the questions that went through the present two models, newest first; with `pairs` their passages."""
        with self._file.reading() as connection:
            both = _both(connection)
            return (
                () if both is None else shadow_log.searches(connection, *both, pairs=pairs, stream=stream, limit=limit)
            )

    def add_shadow_review(self, review: ShadowReview) -> int:
        """Keep what was chosen between two lists, and return its number."""
        with self._file.writing() as connection:
            return shadow_log.add_review(connection, review)

    def shadow_reviews(self) -> tuple[ShadowReview, ...]:
        """Return what was chosen between the lists of the present two models, oldest first."""
        with self._file.reading() as connection:
            both = _both(connection)
            return () if both is None else shadow_log.reviews(connection, *both)

    def keep_shadow_cut(self, cut: Mapping[str, object]) -> None:
        """Keep where the cosine of the model beside is cut; nothing where none runs beside."""
        with self._file.writing() as connection, transaction(connection):
            beside = models.shadow(connection)
            if beside is not None:
                models.calibrate(connection, beside.id, {shadow_log.CUT: json.dumps(dict(cut))})

    def shadow_cut(self) -> dict[str, object] | None:
        """Return what `keep_shadow_cut` kept of the model that runs beside."""
        with self._file.reading() as connection:
            beside = models.shadow(connection)
            kept = None if beside is None else models.figure(connection, beside.id, shadow_log.CUT)
            return stored_values.json_object(kept)

    def note_shadow(self, kind: ShadowEventKind, detail: Mapping[str, object]) -> None:
        """Write down a step of the model that runs beside; nothing where none does."""
        with self._file.writing() as connection, transaction(connection):
            beside = models.shadow(connection)
            if beside is not None:
                shadow_log.note(connection, kind, beside.name, detail)

    def shadow_events(self) -> tuple[ShadowEvent, ...]:
        """Return the steps of all models that ran beside, oldest first."""
        return self._file.read(shadow_log.events)

    def empty_shadow(self) -> int:
        """Forget all that was compared and chosen, overwriting it in the file; return how many searches it were."""
        with self._file.writing() as connection:
            return shadow_log.empty(connection)

    def _sides(
        self, lent: Lent, text: str, limit: int, settings: SearchSettings, cancel: Cancellation
    ) -> tuple[Side, Side] | None:
        """Search with both models in one state of the library; None where they cannot be compared now."""
        from engine.retrieval.query import parse
        from engine.retrieval.shadow_search import searched
        from engine.retrieval.written_options import with_written_options

        connection, active, postings, made = lent
        if not isinstance(connection, LibraryConnection) or not _complete(connection):
            return None  # the library of a team has one model
        settings = with_constants(connection, settings)
        query = with_written_options(connection, parse(text))
        if not query.meaning:
            return None
        sides = []
        for which in (active, self._model_beside()):
            model, cuts = which.of(connection)
            if model is None or not model.reads(query.meaning):
                return None
            cancel.check()
            sides.append(
                searched(
                    connection, query, settings, model, cuts, limit=limit, postings=postings, made=made, cancel=cancel
                )
            )
        return sides[0], sides[1]

    def _model_beside(self) -> ActiveModel:
        from engine.retrieval.active_model import ActiveModel

        with self._guard:
            self._beside = self._beside or ActiveModel(which=_which)
            return self._beside

    def close(self) -> None:
        """Let go of the model beside."""
        with self._guard:
            self._beside = None


def _complete(connection: LibraryConnection) -> bool:
    """Whether a model runs beside whose vectors are nearly all there."""
    beside = models.shadow(connection)
    return beside is not None and models.coverage(connection, beside).share >= ENOUGH


def _which(connection: StoreConnection) -> tuple[StoredModel | None, int, float]:
    """Return the model beside, the one whose vectors are its own, and the share of the texts that have one."""
    assert isinstance(connection, LibraryConnection)
    beside = models.shadow(connection)
    if beside is None:
        return None, 0, 0.0
    source = models.vectors_of(connection, beside)
    return beside, source, row_reads.embedded_share(connection, source)


def _both(connection: LibraryConnection) -> tuple[int, int] | None:
    active, beside = models.active(connection), models.shadow(connection)
    return None if active is None or beside is None else (active.id, beside.id)


def _facts(connection: LibraryConnection, model: StoredModel) -> ShadowModel:
    from engine.embedding import catalogue
    from engine.store.vector_tables import dimension

    size = dimension(connection, model.id)
    try:
        octets = sum(each.stat().st_size for each in catalogue.folder_of(model.name).iterdir() if each.is_file())
    except (ModelError, OSError):  # it is not installed any more
        octets = 0
    memory = models.figure(connection, model.id, models.MEMORY_BYTES)
    return ShadowModel(
        id=model.id,
        name=model.name,
        dimension=size,
        model_bytes=octets,
        vector_bytes=models.coverage(connection, model).covered * size * COMPONENT_BYTES,
        memory_bytes=memory if isinstance(memory, int) else 0,
    )


def _cuts(connection: LibraryConnection, model_id: int) -> object:
    from engine.retrieval import tiers

    return tiers.Cuts.from_json(models.figure(connection, model_id, tiers.CALIBRATED))


def _strong_cut(connection: LibraryConnection, model_id: int) -> float:
    """Return the signal from which a row of the model in use is strong, 0 before its tiers were fitted."""
    from engine.retrieval import tiers

    cuts = tiers.Cuts.from_json(models.figure(connection, model_id, tiers.CALIBRATED))
    return cuts.row.at(tiers.STRONG_DEVIATIONS) if cuts is not None else 0.0


def _since(connection: LibraryConnection, beside: StoredModel) -> float:
    """Return since when a model runs beside, in seconds since 1970."""
    started = [each.at for each in shadow_log.events(connection) if each.kind == "shadow_started"]
    return started[-1] if started else beside.created_at


def _nothing_beside() -> UsageError:
    return UsageError(
        "No model runs beside the one in use, or its vectors are not there yet.",
        fix="`carrel shadow MODEL` lets one run; `carrel shadow` says how far it is.",
    )
