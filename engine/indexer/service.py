"""Keeps one library in step with its folders for as long as the indexer's process runs.

Everything happens in one thread, one thing after another: orders, then what the watcher heard, then the folders as a
whole from time to time; all of that brings words. Where nothing of it is due, what waits for its vector is embedded.
Whatever takes long gives way to a saved note or an order and is taken up again after it.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import apsw

from engine.errors import ModelError, PathError
from engine.events import Committed, Event, Scanned
from engine.indexer.embedding_turns import EmbeddingTurns
from engine.indexer.follower_turns import FollowerTurns, Refit
from engine.indexer.orders import Orders
from engine.indexer.premises_check import PremisesCheck
from engine.indexer.suspended_sync import Aside, Continued, Quiet, still_wanted
from engine.indexer.troubles import AFTER_TROUBLE_SECONDS, Troubles
from engine.indexing.embedding_queue import ask_for_paths
from engine.indexing.late_build import LateTurns
from engine.indexing.stop_signal import Either, GiveWay, Signal
from engine.indexing.sync import refit_where_due, sync
from engine.indexing.sync_progress import finished, joined, to_dict
from engine.records import SyncReport
from engine.sources.parser import ParserClosed
from engine.store import pending_vectors, requests
from engine.store.write_ahead_log import fold_in, rests
from engine.watching.folder_watch import FolderWatch
from engine.watching.polling import Clocks
from engine.watching.watched_roots import watched

if TYPE_CHECKING:
    from engine.indexer.warm_parser import WarmParser
    from engine.indexing.file_reader import DocumentParser
    from engine.indexing.passage_encoder import PassageEncoder

TICK_SECONDS = 0.25  # how long an idle indexer sleeps: an order is taken, and a stop heard, this soon
RECONCILE_SECONDS = 15 * 60.0  # the kernel loses events by design
FOLD_AGAIN_SECONDS = 5.0  # how often the log is emptied at most, and a reader in the way is asked after
DEEPEST = 8  # syncs that gave way to each other; the next one is carried through first


class Service:
    """One indexer at work on one library, whose lock the caller holds.

    `encoder_of` makes the encoder of a model by its name in the catalogue, None standing for the default; `refit` fits
    the tiers, unless it is asked to stop. `commands` are lines of the command pipe: "sync", "sync PATH". `stop`
    is heard within a second. `words_read` is called whenever a sync has ended.
    """

    def __init__(
        self,
        conn: apsw.Connection,
        library: Path,
        *,
        encoder_of: Callable[[str | None], PassageEncoder],
        parser: WarmParser,
        refit: Refit | None,
        on_event: Callable[[Event], None],
        stop: Signal,
        commands: queue.SimpleQueue[str] | None = None,
        words_read: Callable[[], None] = lambda: None,
    ) -> None:
        self._conn = conn
        self._library = library
        self._encoder_of = encoder_of
        self._parser = parser
        self._refit = refit
        self._on_event = on_event
        self._stop = stop
        self._words_read = words_read
        self._watch = FolderWatch(conn, library, on_event)
        self._orders = Orders(conn, self, commands or queue.SimpleQueue(), stop)
        self._next_whole = 0.0
        self._clocks = Clocks()
        self._depth = 0  # how many syncs are under way, all but one of which gave way
        self._gives_way = True  # whether orders come before what takes long
        self._scans = 0  # how many syncs have told of their beginning
        self._misfit = True  # whether passages have changed since the tiers were looked at
        self._model_wanted = ""
        self._troubles = Troubles(library, on_event)
        self._premises = PremisesCheck(conn, on_event)
        self._next_fold = 0.0
        self._embedding = EmbeddingTurns(conn, self._encoder, self._tell)
        self._late = LateTurns(conn, encoder_of, self._tell)
        self._followers = FollowerTurns(conn, encoder_of, self._lent_parser, self._tell)

    def run(self, *, watch: bool) -> None:
        """Bring the library up to date, embed it, and take orders; with `watch`, keep at it until `stop` is set."""
        requests.reopen(self._conn)
        self._premises.look()
        try:
            if watch:
                self._watch.start()
            self._whole()
            self._guarded(self._orders.take)
            self._guarded(self._fit)
            while (watch or self._embeds) and not self._stop.is_set():
                self._guarded(self._turn)
                self._watch.rest(0.0 if self._embeds else TICK_SECONDS)
        finally:
            self._watch.close()
            self._parser.end()

    def bring_up_to_date(
        self,
        paths: Sequence[bytes] = (),
        *,
        full: bool = False,
        accept_removals: bool = False,
        meaning: bool = True,
    ) -> SyncReport:
        """Sync once, and with `meaning` embed as `embed_all` does, taking orders meanwhile; return what was done.

        Without `meaning` no orders are taken: it is soon over, and a model that somebody asks for would keep it long.
        Raises PathError, ModelError, LibraryError.
        """
        embedded, began = self._embedding.embedded, time.monotonic()
        self._gives_way = meaning
        orders = [] if paths else requests.take_whole_syncs(self._conn)
        report = self.in_turns(paths, full=full, accept_removals=accept_removals)
        for order in orders:
            requests.finish(self._conn, order, to_dict(report))
        if meaning:
            self.embed_all(paths)
        embedded, seconds = self._embedding.embedded - embedded, round(time.monotonic() - began, 3)
        return replace(report, embedded=embedded, pending=pending_vectors.count(self._conn), seconds=seconds)

    def embed_all(self, paths: Sequence[bytes] = ()) -> int:
        """Embed what waits, taking orders meanwhile, then fit the tiers where that is due; return how many texts.

        With `paths` what waits below them, and what was asked for, is embedded and the rest left. Raises ModelError,
        LibraryError.
        """
        embedded = self._embedding.embedded
        if paths and not self._stop.is_set():
            ask_for_paths(self._conn, paths)
        asked = bool(paths)
        while not self._stop.is_set() and pending_vectors.any_wait(self._conn, asked=asked):
            if not self._embed(asked=asked):
                break
            self._guarded(self._orders.take)
        while not paths and not self._stop.is_set() and self._followers.due:
            self._follow()
            self._guarded(self._orders.take)
        if self._misfit:
            self._fit()
        while not self._stop.is_set() and self._late.due:
            self._make_late()
            self._guarded(self._orders.take)
        return self._embedding.embedded - embedded

    def _turn(self) -> None:
        """Do what is due, the most urgent first."""
        self._premises.look()
        self._guarded(self._orders.take)
        self._watch.look()
        if missed := self._watch.missed():
            self._guarded(partial(self.in_turns, missed))
        if self._watch.heard:
            self._sync_heard()
        if unheard := self._watch.due_for_a_look():
            self._watch.looked(found_nothing=self._sync_some(unheard))
        if self._clocks.jumped() or time.monotonic() >= self._next_whole:
            self._whole()
        if self._embedding.due:
            self._embed()
        elif self._followers.due:
            self._follow()
        if self._misfit:
            self._fit()
        if self._late.due and not (self._embedding.due or self._followers.due):
            self._guarded(self._make_late)
        self._fold_in()

    # --- syncing ----------------------------------------------------------------------------------------------------

    def in_turns(
        self,
        paths: Sequence[bytes] = (),
        *,
        doubted: Collection[bytes] = (),
        full: bool = False,
        retry: bool = False,
        accept_removals: bool = False,
        tell: Callable[[Event], None] | None = None,
    ) -> SyncReport:
        """Sync words, giving way to saved files and to orders as often as they come; return one report for all of it.

        `tell` takes its events in place of `on_event`, where the person did not ask for it.
        """
        tell = tell or self._tell
        told = Continued(tell)
        report: SyncReport | None = None
        if not paths:
            self._watch.watch_all()
        folders, began = watched(self._conn), time.time()
        with self._giving_way() as given_way:
            while True:
                signal = given_way()
                since = began if report is not None else None
                part = sync(
                    self._conn,
                    self._library,
                    encoder=self._encoder,
                    parser=lambda: self._parser,
                    paths=paths,
                    doubted=doubted,
                    full=full,
                    retry=retry,
                    accept_removals=accept_removals,
                    since=since,
                    on_event=told,
                    stop=signal,
                )
                report = joined(report, part) if report is not None else part
                if self._stop.is_set() or not signal.gave_way:
                    break
                told.take_up(anew=self._let_pass())
                if paths and not (paths := still_wanted(paths, folders, watched(self._conn))):
                    break
        self._words_read()
        tell(finished(report))
        return report

    def _whole(self) -> None:
        """Sync all folders."""
        self._followers.look_again()
        self._next_whole = time.monotonic() + RECONCILE_SECONDS
        self._guarded(self.in_turns)

    def build_model(self, name: str, called_off: Callable[[], bool] = lambda: False) -> bool:
        """Make an installed model the library's; False where it was stopped, or `called_off` by who asked for it.

        Raises ModelError where it cannot be used, or another was asked for meanwhile.
        """
        from engine.indexing.model_build import use_model

        encoder = self._encoder_of(name)
        self._model_wanted = name
        with self._giving_way() as given_way:
            while True:
                signal = given_way()
                heeded = Either(signal.is_set, called_off)
                parser = self._parser.heeding(heeded)
                try:
                    done = use_model(
                        self._conn, name, encoder, partial(_same, parser), on_event=self._tell, stop=heeded
                    )
                except ParserClosed:  # in the midst of a long file
                    done = False
                if done or self._stop.is_set() or called_off() or not signal.gave_way:
                    return done
                self._let_pass()
                if self._model_wanted != name:
                    message = f"{name} was not taken into use: {self._model_wanted} was asked for after it."
                    raise ModelError(message, fix="See which model is in use with `carrel models`.")

    def start_shadow(self, name: str) -> None:
        """Let an installed model run beside the one in use; its vectors are made when nothing else is due.

        Raises ModelError where it cannot be used or makes other passages, UsageError.
        """
        from engine.indexing.shadow_start import start

        start(self._conn, name, self._encoder_of(name).manifest)
        self._followers.look_again()

    # --- meaning ----------------------------------------------------------------------------------------------------

    def _embed(self, *, asked: bool = False) -> bool:
        """Embed what waits, or was `asked` for, for a moment; what is more urgent comes first.

        Returns whether anything was embedded, or more urgent; else there is no use in going on.
        """
        before = self._embedding.embedded
        with self._giving_way() as given_way:
            signal = given_way()
            self._embedding.take(signal, asked=asked)
        return signal.gave_way or self._embedding.embedded > before

    def switch_late(self, argument: str) -> None:
        """Carry out an order of late interaction, as `late_build.switch` reads it."""
        from engine.indexing.late_build import switch

        switch(self._conn, argument, self._encoder_of)

    def _make_late(self) -> None:
        """Make token vectors for a moment; what is more urgent comes first."""
        with self._giving_way() as given_way:
            self._late.take(given_way())

    @property
    def _embeds(self) -> bool:
        """Whether something waits to be embedded now, for whatever model."""
        return self._embedding.due or self._followers.due or self._late.due

    def _follow(self) -> None:
        """Embed for the other models for a moment; what is more urgent comes first."""
        with self._giving_way() as given_way:
            self._followers.take(given_way())
        self._misfit = self._misfit or not self._followers.due

    def _lent_parser(self, signal: Signal) -> Callable[[], DocumentParser]:
        return partial(_same, self._parser.heeding(signal))

    def _fit(self) -> None:
        """Fit the tiers where they no longer fit the library; what is more urgent comes first."""
        refit = self._refit
        if refit is None or self._stop.is_set():
            return
        with self._giving_way() as given_way:
            signal = given_way()
            fitted = refit_where_due(
                self._conn, lambda: refit(self._encoder(), signal.is_set, None), self._tell, signal
            )
            if not self._embeds:
                fitted = self._followers.fit(refit, signal) or fitted
        self._misfit = signal.gave_way
        if fitted:
            self._watch.tell()  # that it is back at watching

    def _encoder(self) -> PassageEncoder:
        from engine.store import models

        active = models.active(self._conn)
        return self._encoder_of(active.name if active is not None else None)

    def _fold_in(self) -> None:
        """Empty the log, which keeps what was forgotten, once nobody has written for a moment; else at a later turn."""
        now = time.monotonic()
        if now >= self._next_fold and rests(self._library):
            self._next_fold = now + FOLD_AGAIN_SECONDS
            fold_in(self._conn)

    # --- giving way -------------------------------------------------------------------------------------------------

    @contextmanager
    def _giving_way(self) -> Iterator[Callable[[], GiveWay]]:
        """Give a maker of signals for a task that takes long, of which only so many may wait for each other."""
        self._depth += 1
        urgent = self._urgent if self._depth <= DEEPEST else lambda: False
        try:
            yield lambda: GiveWay(self._stop, urgent)
        finally:
            self._depth -= 1

    def _urgent(self) -> bool:
        return self._gives_way and (self._orders.waiting or self._watch.heard)

    def _let_pass(self) -> bool:
        """Do what is more urgent, and return whether any of it told of progress of its own."""
        scans = self._scans
        self._guarded(self._orders.take)
        if self._watch.heard:
            self._sync_heard()
        if self._embedding.few:
            self._guarded(self._embed)
        return self._scans != scans

    def _tell(self, event: Event) -> None:
        """Pass an event on. It is also the moment to see whether an order waits, for it is the library's own thread."""
        self._scans += isinstance(event, Scanned)
        self._misfit = self._misfit or isinstance(event, Committed)
        self._on_event(event)
        self._orders.look()
        self._premises.look()

    def _guarded(self, task: Callable[[], object]) -> None:
        """Do a task; what goes wrong is told and tried again later, except in a library that is damaged."""
        if not self._troubles.survives(task):
            self._next_whole = time.monotonic() + AFTER_TROUBLE_SECONDS

    # --- what is due ------------------------------------------------------------------------------------------------

    def _sync_heard(self) -> None:
        """Sync what was heard of."""
        heard = self._watch.take()
        self._sync_some(heard.paths, heard.named)

    def _sync_some(self, paths: Sequence[bytes], doubted: Collection[bytes] = ()) -> bool:
        """Sync these paths, and return whether there was nothing to do."""
        quiet = Quiet(self._tell)

        def task() -> None:
            with suppress(PathError):  # its folder was removed meanwhile
                self.in_turns(paths, doubted=doubted, tell=Aside(quiet) if self._depth else quiet)

        if paths:
            self._guarded(task)
        return quiet.found_nothing

    def folders_changed(self) -> None:
        """Look at once which folders are to be watched."""
        self._watch.look(again=True)


def _same(parser: DocumentParser) -> DocumentParser:
    return parser
