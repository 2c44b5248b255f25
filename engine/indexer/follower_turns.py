"""Lets an indexer bring the vectors of other models up to date in short turns, once the active model's are.

Models that were in use, and one that runs beside, follow what changes, so that one can go to them at once. What changed
waits in the library with its text; what the model that runs beside lacks besides is read again from the files.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import apsw

from engine.errors import CarrelError, LibraryError, ModelError
from engine.events import Event
from engine.indexing.embedding_queue import EmbeddingQueue
from engine.indexing.passage_encoder import refuse_other
from engine.indexing.stop_signal import GiveWay, Signal
from engine.indexing.sync import refit_where_due
from engine.sources.parser import ParserClosed
from engine.store import models, pending_vectors, shadow_log
from engine.store.transactions import transaction

if TYPE_CHECKING:
    from engine.indexing.file_reader import DocumentParser
    from engine.indexing.passage_encoder import PassageEncoder

Refit = Callable[["PassageEncoder", Callable[[], bool], "models.StoredModel | None"], None]
log = logging.getLogger(__name__)

TURN_SECONDS = 1.0  # then it is looked whether something else is due
BUILD_SECONDS = 10.0  # of reading files again, since each turn looks anew for what is missing
AFTER_TROUBLE_SECONDS = 600.0  # until a model that could not be used is tried again
ENOUGH = 0.99  # of the passages: from here on what a model finds is held against the one in use


class FollowerTurns:
    """The vectors of the other models of one library, in its indexer's process, whose lock it holds."""

    def __init__(
        self,
        conn: apsw.Connection,
        encoder_of: Callable[[str | None], PassageEncoder],
        parser: Callable[[Signal], Callable[[], DocumentParser]],
        on_event: Callable[[Event], None],
    ) -> None:
        self._conn = conn
        self._encoder_of = encoder_of
        self._parser = parser
        self._on_event = on_event
        self._after: dict[int, float] = {}  # by model: when it may be tried again
        self._looked_through = 0  # the model of which everything was read that can be read now

    def look_again(self) -> None:
        """Look at the next turn for passages that the model beside lacks, as after a sync of all folders."""
        self._looked_through = 0

    def fit(self, refit: Refit, signal: Signal) -> bool:
        """Fit the tiers of the model that runs beside where its vectors are there and its tiers no longer fit.

        Returns whether they were not as they should be; a model that cannot be used rests. Raises LibraryError.
        """
        beside = models.shadow(self._conn)
        if beside is None or time.monotonic() < self._after.get(beside.id, 0.0):
            return False
        if models.coverage(self._conn, beside).share < ENOUGH:
            return False

        def fit_it() -> None:
            refit(self._encoder_of(beside.name), signal.is_set, beside)

        try:
            fitted = refit_where_due(self._conn, fit_it, self._on_event, signal, beside)
        except LibraryError:
            raise
        except CarrelError as error:
            self._rest(beside, error)
            return False
        if not signal.is_set():
            self._measure(beside)
        return fitted

    def _measure(self, beside: models.StoredModel) -> None:
        """Measure once what memory the model in use takes, and the one beside it."""
        from engine.embedding import catalogue
        from engine.embedding.model_memory import measured_memory

        for each in (models.active(self._conn), beside):
            if each is None or models.figure(self._conn, each.id, models.MEMORY_BYTES) is not None:
                continue
            try:
                octets = measured_memory(catalogue.folder_of(each.name)) or 0
            except ModelError:  # it has no files here
                octets = 0
            with transaction(self._conn):
                models.calibrate(self._conn, each.id, {models.MEMORY_BYTES: octets})

    @property
    def due(self) -> bool:
        """Whether there is something to embed for another model now."""
        return self._next() is not None

    def take(self, signal: Signal) -> None:
        """Embed for a moment for the model that is due, or until `signal` is set.

        A model that cannot be used rests for ten minutes; where it is not here any more and nobody runs it beside, it
        does without what waited for it until it is used again. Raises LibraryError.
        """
        model = self._next()
        if model is None:
            return
        try:
            encoder = self._encoder_of(model.name)
            refuse_other(model.fingerprint)(encoder)
        except CarrelError as error:
            self._rest(model, error)
            if model.state != "shadow":
                with transaction(self._conn):
                    pending_vectors.give_up(self._conn, model.id)
            return
        try:
            if pending_vectors.any_wait(self._conn, model_id=model.id):
                EmbeddingQueue(self._conn, lambda: encoder, lambda _: None, model).work(signal, TURN_SECONDS)
            else:
                self._fill(model, encoder, signal)
        except LibraryError:
            raise
        except CarrelError as error:  # a text on which it fails waits behind the others now
            self._rest(model, error)

    def _rest(self, model: models.StoredModel, error: CarrelError) -> None:
        log.warning("%s does not follow: %s", model.name, error)
        self._after[model.id] = time.monotonic() + AFTER_TROUBLE_SECONDS

    def _fill(self, model: models.StoredModel, encoder: PassageEncoder, signal: Signal) -> None:
        """Make the vectors that the model beside lacks and that wait for nothing, from the files."""
        from engine.indexing.model_build import build

        before, until = models.coverage(self._conn, model), time.monotonic() + BUILD_SECONDS
        short = GiveWay(signal, lambda: time.monotonic() >= until)
        parser = self._parser(short)
        with suppress(ParserClosed):  # in the midst of a long file
            if build(self._conn, model, encoder, parser, on_event=self._on_event, stop=short):
                self._looked_through = model.id
        after = models.coverage(self._conn, model)
        if before.share < ENOUGH <= after.share:
            with transaction(self._conn):
                filled = {"passages": after.covered, "coverage": round(after.share, 4)}
                shadow_log.note(self._conn, "shadow_gap_filled", model.name, filled)

    def _next(self) -> models.StoredModel | None:
        """Return the model that is due: the one beside before those that are kept."""
        active = models.active(self._conn)
        if active is None:
            return None
        now = time.monotonic()
        following = [each for each in models.following(self._conn, active.id) if now >= self._after.get(each.id, 0.0)]
        for each in sorted(following, key=lambda model: model.state != "shadow"):
            if pending_vectors.any_wait(self._conn, model_id=each.id):
                return each
        beside = next((each for each in following if each.state == "shadow"), None)
        if beside is None:
            self._looked_through = 0
        if beside is None or beside.id == self._looked_through:
            return None
        from engine.indexing.outdated_documents import documents_with_gaps

        if documents_with_gaps(self._conn, beside.id):
            return beside
        self._looked_through = beside.id
        return None
