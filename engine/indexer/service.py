"""Keeps one library in step with its folders for as long as the indexer's process runs.

Everything happens in one thread, one thing after another: orders, then what the watcher heard, then the folders as a
whole from time to time; all of that brings words. Where nothing of it is due, what waits for its vector is embedded.
Whatever takes long gives way to a saved note or an order and is taken up again after it.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import apsw

from engine.errors import ModelError, PathError
from engine.events import Event, Scanned
from engine.indexer.follower_turns import Refit
from engine.indexer.orders import Orders
from engine.indexer.preemption import Preemption
from engine.indexer.premises_check import PremisesCheck
from engine.indexer.suspended_sync import Aside, Continued, Quiet, still_wanted
from engine.indexer.troubles import AFTER_TROUBLE_SECONDS, Troubles
from engine.indexer.vector_turns import VectorTurns
from engine.indexing.stop_signal import Either, Signal
from engine.indexing.sync import sync
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
    from engine.indexing.passage_encoder import PassageEncoder

TICK_SECONDS = 0.25  # how long an idle indexer sleeps: an order is taken, and a stop heard, this soon
RECONCILE_SECONDS = 15 * 60.0  # the kernel loses events by design
FOLD_AGAIN_SECONDS = 5.0  # how often the log is emptied at most, and a reader in the way is asked after


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
        self._on_event = on_event
        self._stop = stop
        self._words_read = words_read
        self._watch = FolderWatch(conn, library, on_event)
        self._orders = Orders(conn, self, commands or queue.SimpleQueue(), stop)
        self._next_whole = 0.0
        self._clocks = Clocks()
        self._gives_way = True  # whether orders come before what takes long
        self._scans = 0  # how many syncs have told of their beginning
        self._aside: SyncReport | None = None  # what small syncs did in the midst of what has not ended
        self._model_wanted = ""
        self._troubles = Troubles(library, on_event)
        self._premises = PremisesCheck(conn, on_event)
        self._next_fold = 0.0
        self._preemption = Preemption(stop, self._urgent)
        self._vectors = VectorTurns(
            conn, encoder_of, parser, refit, self._preemption, stop, self._tell, self._watch.tell
        )

    def run(self, *, watch: bool) -> None:
        """Bring the library up to date, embed it, and take orders; with `watch`, keep at it until `stop` is set."""
        requests.reopen(self._conn)
        self._premises.look()
        try:
            if watch:
                self._watch.start()
            self._whole()
            self._guarded(self._orders.take)
            self._guarded(self._vectors.fit)
            while (watch or self._vectors.due) and not self._stop.is_set():
                self._guarded(self._turn)
                self._watch.rest(0.0 if self._vectors.due else TICK_SECONDS)
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
        embedded, began = self._vectors.embedded, time.monotonic()
        self._gives_way = meaning
        orders = [] if paths else requests.take_whole_syncs(self._conn)
        report = self.in_turns(paths, full=full, accept_removals=accept_removals)
        if not self._stop.is_set():  # else they are taken again by the next indexer
            for order in orders:
                requests.finish(self._conn, order, to_dict(report))
        if meaning:
            self.embed_all(paths)
        embedded, seconds = self._vectors.embedded - embedded, round(time.monotonic() - began, 3)
        return replace(report, embedded=embedded, pending=pending_vectors.count(self._conn), seconds=seconds)

    def embed_all(self, paths: Sequence[bytes] = ()) -> int:
        """Embed what waits, taking orders meanwhile, then fit the tiers where that is due; return how many texts.

        With `paths` what waits below them, and what was asked for, is embedded and the rest left. Raises ModelError,
        LibraryError.
        """
        return self._vectors.embed_all(paths, lambda: self._guarded(self._orders.take))

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
        self._vectors.turn(self._guarded)
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
        of_outer = None
        if self._preemption.depth:
            of_outer, self._aside = self._aside, None
        with self._preemption.task() as given_way:
            while True:
                signal = given_way()
                since = began if report is not None else None
                part = sync(
                    self._conn,
                    self._library,
                    encoder=self._vectors.maker(),
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
        report, self._aside = report if self._aside is None else joined(self._aside, report), of_outer
        self._words_read()
        tell(finished(report))
        return report

    def _whole(self) -> None:
        """Sync all folders."""
        self._vectors.look_again()
        self._next_whole = time.monotonic() + RECONCILE_SECONDS
        self._guarded(self.in_turns)

    def build_model(self, name: str, called_off: Callable[[], bool] = lambda: False) -> bool:
        """Make an installed model the library's; False where it was stopped, or `called_off` by who asked for it.

        Raises ModelError where it cannot be used, or another was asked for meanwhile.
        """
        from engine.indexing.model_build import use_model

        encoder = self._encoder_of(name)
        self._model_wanted = name
        with self._preemption.task() as given_way:
            while True:
                signal = given_way()
                heeded = Either(signal.is_set, called_off)
                try:
                    parser = self._parser.lent(heeded)
                    done = use_model(self._conn, name, encoder, parser, on_event=self._tell, stop=heeded)
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
        self._vectors.look_again()

    def switch_late(self, argument: str) -> None:
        """Carry out an order of late interaction, as `late_build.switch` reads it."""
        from engine.indexing.late_build import switch

        switch(self._conn, argument, self._encoder_of)

    # --- giving way -------------------------------------------------------------------------------------------------

    def _urgent(self) -> bool:
        return self._gives_way and (self._orders.waiting or self._watch.heard)

    def _let_pass(self) -> bool:
        """Do what is more urgent, and return whether any of it told of progress of its own."""
        scans = self._scans
        self._guarded(self._orders.take)
        if self._watch.heard:
            self._sync_heard()
        if self._vectors.few:
            self._guarded(self._vectors.embed)
        return self._scans != scans

    def _tell(self, event: Event) -> None:
        """Pass an event on. It is also the moment to see whether an order waits, for it is the library's own thread."""
        self._scans += isinstance(event, Scanned)
        self._vectors.note(event)
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
        aside = Aside(quiet) if self._preemption.depth else None

        def task() -> None:
            with suppress(PathError):  # its folder was removed meanwhile
                report = self.in_turns(paths, doubted=doubted, tell=aside or quiet)
                if aside is not None and not aside.large:
                    self._aside = report if self._aside is None else joined(self._aside, report)

        if paths:
            self._guarded(task)
        return quiet.found_nothing

    def _fold_in(self) -> None:
        """Empty the log, which keeps what was forgotten, once nobody has written for a moment; else at a later turn."""
        now = time.monotonic()
        if now >= self._next_fold and rests(self._library):
            self._next_fold = now + FOLD_AGAIN_SECONDS
            fold_in(self._conn)

    def folders_changed(self) -> None:
        """Look at once which folders are to be watched."""
        self._watch.look(again=True)
