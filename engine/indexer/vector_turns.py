"""Lets an indexer make vectors in short turns: of the model in use, of those that follow it, of the late one.

The tiers are fitted anew where passages have changed. Each turn gives way to what is more urgent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import apsw

from engine.events import Committed, Event
from engine.indexer.embedding_turns import EmbeddingTurns
from engine.indexer.follower_turns import FollowerTurns, Refit
from engine.indexer.preemption import Preemption
from engine.indexing.embedding_queue import ask_for_paths
from engine.indexing.late_build import LateTurns
from engine.indexing.stop_signal import Signal
from engine.indexing.sync import refit_where_due
from engine.store import pending_vectors

if TYPE_CHECKING:
    from engine.indexer.warm_parser import WarmParser
    from engine.indexing.passage_encoder import PassageEncoder


class VectorTurns:
    """All vectors of one library, and its tiers, in its indexer's process; `fitted` is called when these are new."""

    def __init__(
        self,
        conn: apsw.Connection,
        encoder_of: Callable[[str | None], PassageEncoder],
        parser: WarmParser,
        refit: Refit | None,
        preemption: Preemption,
        stop: Signal,
        on_event: Callable[[Event], None],
        fitted: Callable[[], None],
    ) -> None:
        self._conn = conn
        self._encoder_of = encoder_of
        self._refit = refit
        self._preemption = preemption
        self._stop = stop
        self._on_event = on_event
        self._fitted = fitted
        self._embedding = EmbeddingTurns(conn, self.encoder, on_event)
        self._followers = FollowerTurns(conn, encoder_of, parser.lent, on_event)
        self._late = LateTurns(conn, encoder_of, on_event)
        self._misfit = True  # whether passages have changed since the tiers were looked at

    @property
    def due(self) -> bool:
        """Whether something waits to be embedded now, for whatever model."""
        return self._embedding.due or self._followers.due or self._late.due

    @property
    def few(self) -> bool:
        """Whether no more waits for the model in use than a saved note brings."""
        return self._embedding.few

    @property
    def embedded(self) -> int:
        """How many texts got their vector of the model in use so far."""
        return self._embedding.embedded

    def encoder(self) -> PassageEncoder:
        """Return the encoder of the model in use, of the default one where there is none yet. Raises ModelError."""
        return self.maker()()

    def maker(self) -> Callable[[], PassageEncoder]:
        """Return what makes that encoder in whichever thread needs it first; the library is asked here, in its own."""
        from engine.store import models

        active = models.active(self._conn)
        return partial(self._encoder_of, active.name if active is not None else None)

    def note(self, event: Event) -> None:
        """Note what is told: where passages have changed, the tiers are looked at."""
        self._misfit = self._misfit or isinstance(event, Committed)

    def look_again(self) -> None:
        """Look at the next turn for passages that the model beside lacks, as after a sync of all folders."""
        self._followers.look_again()

    def turn(self, guarded: Callable[[Callable[[], object]], None]) -> None:
        """Do what is due, for a moment each; what goes wrong with the late model is `guarded`."""
        if self._embedding.due:
            self.embed()
        elif self._followers.due:
            self._follow()
        if self._misfit:
            self.fit()
        if self._late.due and not (self._embedding.due or self._followers.due):
            guarded(self._make_late)

    def embed_all(self, paths: Sequence[bytes], between: Callable[[], None]) -> int:
        """Embed what waits, calling `between` after each turn, then fit the tiers where due; return how many texts.

        With `paths` what waits below them, and what was asked for, is embedded and the rest left. Raises ModelError,
        LibraryError.
        """
        embedded = self.embedded
        if paths and not self._stop.is_set():
            ask_for_paths(self._conn, paths)
        asked = bool(paths)
        while not self._stop.is_set() and pending_vectors.any_wait(self._conn, asked=asked):
            if not self.embed(asked=asked):
                break
            between()
        while not paths and not self._stop.is_set() and self._followers.due:
            self._follow()
            between()
        if self._misfit:
            self.fit()
        while not self._stop.is_set() and self._late.due:
            self._make_late()
            between()
        return self.embedded - embedded

    def embed(self, *, asked: bool = False) -> bool:
        """Embed what waits, or was `asked` for, for a moment; what is more urgent comes first.

        Returns whether anything was embedded, or more urgent; else there is no use in going on.
        """
        before = self.embedded
        with self._preemption.task() as given_way:
            signal = given_way()
            self._embedding.take(signal, asked=asked)
        return signal.gave_way or self.embedded > before

    def fit(self) -> None:
        """Fit the tiers where they no longer fit the library; what is more urgent comes first."""
        refit = self._refit
        if refit is None or self._stop.is_set():
            return
        with self._preemption.task() as given_way:
            signal = given_way()
            fitted = refit_where_due(
                self._conn, lambda: refit(self.encoder(), signal.is_set, None), self._on_event, signal
            )
            if not self.due:
                fitted = self._followers.fit(refit, signal) or fitted
        self._misfit = signal.gave_way
        if fitted:
            self._fitted()

    def _follow(self) -> None:
        """Embed for the other models for a moment; what is more urgent comes first."""
        with self._preemption.task() as given_way:
            self._followers.take(given_way())
        self._misfit = self._misfit or not self._followers.due

    def _make_late(self) -> None:
        """Make token vectors for a moment; what is more urgent comes first."""
        with self._preemption.task() as given_way:
            self._late.take(given_way())
