"""What changes a library's index in this process: syncing, building a model, switching late interaction.

Each holds the indexer lock for as long as it lasts.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from engine.library_file import LibraryFile
from engine.paths import expanded
from engine.records import SyncReport
from engine.store import lock

if TYPE_CHECKING:
    from engine.embedding.encoder import Encoder
    from engine.events import Event
    from engine.local_indexer import LocalIndexer
    from engine.retrieval.search_pipeline import Model
    from engine.store.store_connection import StoreConnection
    from engine.team_or_own import TeamOrOwn


class LibrarySync:
    """Indexes one library file, and brings what is shared to its team's library where it has one.

    What is done is told in an event file too where `tells_others` says so.
    """

    def __init__(
        self,
        file: LibraryFile,
        encoder: Encoder | None,
        team: TeamOrOwn | None,
        model_if_there: Callable[[StoreConnection], Model | None],
        tells_others: Callable[[], bool],
    ) -> None:
        self._file = file
        self._encoder = encoder
        self._team = team
        self._model_if_there = model_if_there
        self._tells_others = tells_others

    def sync(
        self,
        paths: Sequence[Path] = (),
        *,
        full: bool = False,
        accept_removals: bool = False,
        meaning: bool = True,
        on_event: Callable[[Event], None] = lambda _: None,
        stop: threading.Event | None = None,
    ) -> SyncReport:
        """Bring the index up to date with the folders, once, in this process, and return what was done.

        All is found by words first; then, with `meaning`, embedded. `paths` restrict both; `full` reads every file
        again; with `accept_removals`, documents whose files are gone go even where most of a folder's are, which are
        held back else. When `stop` is set, it ends within a second with what is committed by then. Orders that others
        file meanwhile are carried out too. What is shared with a team is brought to its library at the end. Raises
        LibraryBusy where another process indexes, PathError, ModelError.
        """
        stop = stop or threading.Event()
        with self._indexer("syncing", on_event) as (indexer, tell):
            report = indexer.sync(
                paths=_absolute(paths),
                full=full,
                accept_removals=accept_removals,
                meaning=meaning,
                on_event=tell,
                stop=stop,
            )
        if self._team is not None and not stop.is_set():
            from engine.team import publisher, team_tiers

            publisher.bring(self._team.address, self._file.path, self._team.machine, on_event, stop)
            team_tiers.fit(self._team.team, self._model_if_there, stop)
        return report

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
        with self._indexer("building a model", on_event) as (indexer, tell):
            return indexer.use_model(name, on_event=tell, stop=stop or threading.Event())

    def start_shadow(
        self,
        name: str,
        *,
        on_event: Callable[[Event], None] = lambda _: None,
        stop: threading.Event | None = None,
    ) -> None:
        """Let an installed model run beside the one in use, and make its vectors until they are there or `stop` is set.

        What is left the indexer makes when nothing else is due. Raises LibraryBusy where another process indexes: file
        the order "shadow" then. Raises ModelError where the model makes other passages, UsageError.
        """
        with self._indexer("building a model beside", on_event) as (indexer, tell):
            indexer.start_shadow(name, on_event=tell, stop=stop or threading.Event())

    def switch_late(
        self, order: str, *, on_event: Callable[[Event], None] = lambda _: None, stop: threading.Event | None = None
    ) -> None:
        """Switch late interaction: `on FACTOR METHOD MODEL`, `off` or `remove`; vectors are made until `stop` is set.

        Raises LibraryBusy, ModelError.
        """
        with self._indexer("late interaction", on_event) as (indexer, tell):
            indexer.switch_late(order, on_event=tell, stop=stop or threading.Event())

    @contextmanager
    def _indexer(
        self, task: str, on_event: Callable[[Event], None]
    ) -> Iterator[tuple[LocalIndexer, Callable[[Event], None]]]:
        """Lend what indexes, with the lock held, and who is to hear what it does. Raises LibraryBusy."""
        from engine.event_log.told_work import told_work
        from engine.local_indexer import LocalIndexer

        heard = told_work(task, on_event) if self._tells_others() else nullcontext((None, on_event))
        with (
            heard as (events, tell),
            lock.IndexerLock(self._file.path).acquire(task, events),
            self._file.writing(lock_held=True) as connection,
        ):
            self._file.drain()
            yield LocalIndexer(connection, self._file.path, self._encoder), tell


def _absolute(paths: Sequence[Path]) -> list[bytes]:
    return [os.fsencode(expanded(path).absolute()) for path in paths]
