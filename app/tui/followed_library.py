"""The library that the browser shows: opened, followed through commits and an exchange of its file; its indexer."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

from textual.app import App
from textual.message import Message
from textual.worker import Worker

from app.tui.browser import Browser
from app.tui.freshness import LibraryFile
from app.tui.indexer_state import IndexerState
from app.tui.ports import IndexerPort, Opened
from app.tui.status_line import StatusView
from app.tui.threads import in_thread
from engine.errors import CarrelError
from engine.records import Status

_log = logging.getLogger("carrel")
FIRST_ROWS_SECONDS = 2.0  # a search that takes longer keeps the indexer waiting no more


@dataclass
class IndexerReported(Message):
    """The indexer does something else now; only the newest of waiting reports counts."""

    state: IndexerState

    def can_replace(self, message: Message) -> bool:
        """Take the place of an older report that nobody has read yet."""
        return isinstance(message, IndexerReported)


class FollowedLibrary:
    """Keeps what the app knows of the library up to date, and tells the screens by the app's signals."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._browser = cast(Browser, app)
        self._indexer: IndexerPort | None = None
        self._version = 0
        self._refreshed = 0.0
        self._looked = 0.0
        self._file: LibraryFile | None = None
        self._rows_shown = asyncio.Event()  # those of the first search, or why there are none

    # --- opening ------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Begin to open the library."""
        _: Worker[None] = self._app.run_worker(self._open, group="open", name="open", exit_on_error=False)

    async def _open(self) -> None:
        """Open the library, tell the screens, and once they have rows start the indexer and load the model.

        Both take the processor from the first search, which waits for neither.
        """
        browser = self._browser
        try:
            opened, self._version, status = await in_thread(self._opened_now)
        except CarrelError as error:
            browser.failed_signal.publish(error)
            return
        except Exception:
            _log.exception("The library could not be opened")
            browser.failed_signal.publish(CarrelError("The library could not be opened.", fix="The log says why."))
            return
        self._show(opened, status)
        for warning in opened.warnings:
            browser.notify(warning, severity="warning", timeout=8, markup=False)
        if not opened.library.read_only and (opened.large is not None or not status.folders):
            browser.ask_for_folder(opened.large)
        self._app.set_interval(browser.ports.pace.poll, self._poll)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._rows_shown.wait(), FIRST_ROWS_SECONDS)
        if not opened.library.read_only:
            self._start_indexer()
        await in_thread(partial(_warmed, opened))

    def _opened_now(self) -> tuple[Opened, int, Status]:
        """Open the library and look at it: its version first, so that no commit is missed."""
        opened = self._browser.ports.open_library()
        return opened, opened.library.version(), opened.library.status()

    def _show(self, opened: Opened, status: Status) -> None:
        self._browser.opened, self._file = opened, LibraryFile(opened.library.path)
        self._tell(replace(self._browser.view, status=status, read_only=opened.library.read_only))
        self._browser.opened_signal.publish(opened)

    def search_came_back(self) -> None:
        """Note, once what came of a search is painted, that there was one."""
        if not self._rows_shown.is_set():
            self._app.call_after_refresh(self._rows_shown.set)

    # --- the indexer --------------------------------------------------------------------------------------------

    def _start_indexer(self) -> None:
        self._indexer = self._browser.ports.indexer()
        if self._indexer is not None:
            self._indexer.start(lambda state: _ignore(self._app.post_message(IndexerReported(state))))

    def wake_indexer(self) -> None:
        """Start the indexer again where it was given up; one that is at work stays."""
        if self._indexer is not None and self._browser.view.indexer.phase == "dead":
            self._start_indexer()

    def indexer_reported(self, state: IndexerState) -> None:
        """Show what the indexer does; a finished sync is looked at without delay."""
        finished = self._browser.view.indexer.busy and not state.busy
        self._tell(replace(self._browser.view, indexer=state))
        if finished:
            self._refreshed = 0.0
            self.look_again()

    def let_go(self) -> None:
        """Tell the indexer to leave; returns at once."""
        if self._indexer is not None:
            self._indexer.leave()

    # --- commits of others, and another file ---------------------------------------------------------------------

    def _tell(self, view: StatusView) -> None:
        self._browser.view = view
        self._browser.status_signal.publish(view)

    def _poll(self) -> None:
        """Look for commits of other processes, but refresh no more often than a person can follow."""
        now, pace = self._browser.ports.clock(), self._browser.ports.pace
        if now - self._refreshed >= pace.refresh and (self._app.app_focus or now - self._looked >= pace.away):
            self.look_again()

    def look_again(self) -> None:
        """Look whether the library has changed, and if so refresh what is shown of it."""
        _: Worker[None] = self._app.run_worker(
            self._look, group="look", name="look", exclusive=True, exit_on_error=False
        )

    async def _look(self) -> None:
        browser = self._browser
        self._looked = browser.ports.clock()
        if browser.opened is None:
            return
        library = browser.opened.library
        if self._file is not None and (state := await in_thread(self._file.look)) != "same":
            await (self._reopen() if state == "replaced" else self._miss_file(self._file))
            return
        version = await in_thread(library.version)
        if version == self._version:
            return
        self._refreshed = browser.ports.clock()
        status = await in_thread(library.status)
        self._version = version  # not before: a look that a newer one ends has shown nothing
        self._tell(replace(browser.view, status=status))
        browser.commit_signal.publish(version)

    async def _miss_file(self, file: LibraryFile) -> None:
        """Say, once, that the library's file is gone; what was read of it can be searched on."""
        if not file.missed:
            file.missed = True
            self._tell(replace(self._browser.view, indexer=IndexerState(phase="gone")))
            said = "The library file is gone. Put it back; until then you search what was read of it before."
            self._browser.notify(said, severity="error", timeout=10, markup=False)

    async def _reopen(self) -> None:
        """Open the file that took the place of the library's."""
        browser = self._browser
        before = browser.opened
        try:
            opened = await in_thread(browser.ports.open_library)
            status = await in_thread(opened.library.status)
        except CarrelError as error:
            browser.notify(str(error), severity="error", timeout=10, markup=False)
            self._file = None  # said once; nothing more can be done about it here
            return
        self._version = -1
        self._show(opened, status)
        browser.notify("The library file was replaced by another one, which is shown now.", timeout=8, markup=False)
        if before is not None:
            await in_thread(before.library.close)


def _warmed(opened: Opened) -> None:
    """Load what the first search would wait for; what fails here is said by the search that needs it."""
    try:
        opened.library.warm()
    except Exception:
        _log.exception("The model could not be loaded ahead")


def _ignore(_value: object) -> None:
    """Drop a value: the indexer's reporter returns nothing."""
