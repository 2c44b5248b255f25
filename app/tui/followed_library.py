"""The library that the browser shows: opened, followed through commits and an exchange of its file; its indexer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from textual.app import App
from textual.message import Message
from textual.worker import Worker, WorkerError

from app.tui.browser import Browser
from app.tui.freshness import LibraryFile
from app.tui.indexer_state import IndexerState
from app.tui.ports import IndexerPort, Opened
from app.tui.status_line import StatusView
from app.tui.threads import in_thread
from engine.errors import CarrelError
from engine.records import Status

if TYPE_CHECKING:
    from app.tui.library_port import ChangeFeedPort

_log = logging.getLogger("carrel")
FIRST_ROWS_SECONDS = 2.0  # a search that takes longer keeps the indexer waiting no more
FEED_SECONDS = 60.0  # for which a feed is waited on at a time; nothing hangs on it
FAILED_SECONDS = 1.0  # before a feed that failed is waited on again


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
        self._looking: Worker[object] | None = None  # the look that was begun last
        self._file: LibraryFile | None = None
        self._refusal = ""  # why the file that took its place could not be opened
        self._left = False
        self._rows_shown = asyncio.Event()  # those of the first search, or why there are none
        self._feed: ChangeFeedPort | None = None  # tells of commits; None: they are looked for
        self._following: asyncio.Task[None] | None = None

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
        self._follow()
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
        """Tell the indexer to leave, and follow the library no more; returns at once."""
        self._left = True
        self._end_feed()
        if self._indexer is not None:
            self._indexer.leave()

    # --- commits of others, and another file ---------------------------------------------------------------------

    def _tell(self, view: StatusView) -> None:
        self._browser.view = view
        self._browser.status_signal.publish(view)

    def _poll(self) -> None:
        """Look for commits of other processes, but refresh no more often than a person can follow.

        Where a feed tells of them nothing but the file is looked at. A look that goes on is let be: one that takes
        longer than the clock would never come to its end.
        """
        now, pace = self._browser.ports.clock(), self._browser.ports.pace
        due = now - self._refreshed >= pace.refresh and (self._app.app_focus or now - self._looked >= pace.away)
        if due and (self._looking is None or self._looking.is_finished):
            self._begin_look(self._look if self._feed is None else self._look_at_file)

    def look_again(self) -> None:
        """Look whether the library has changed, and if so refresh what is shown of it."""
        self._begin_look(self._look)

    def _begin_look(self, look: Callable[[], Coroutine[Any, Any, object]]) -> Worker[object]:
        """Begin a look; one that still goes on ends."""
        self._looked = self._browser.ports.clock()
        looking: Worker[object] = self._app.run_worker(
            look, group="look", name="look", exclusive=True, exit_on_error=False
        )
        self._looking = looking
        return looking

    async def _look_at_file(self) -> bool:
        """Look what became of the file, and return whether it is as it was."""
        if self._file is None or (state := await in_thread(self._file.look)) == "same":
            return True
        await (self._reopen() if state == "replaced" else self._miss_file(self._file))
        return False

    async def _look(self) -> None:
        browser = self._browser
        if browser.opened is None or not await self._look_at_file():
            return
        library = browser.opened.library
        version = await in_thread(library.version)
        if version == self._version:
            return
        self._refreshed = browser.ports.clock()
        status = await in_thread(library.status)
        self._version = version  # not before: a look that a newer one ends has shown nothing
        self._tell(replace(browser.view, status=status))
        browser.commit_signal.publish(version)

    # --- a feed that tells of commits ------------------------------------------------------------------------------

    def _follow(self) -> None:
        """Have the library tell of commits from now on, where it can."""
        self._end_feed()
        opened = self._browser.opened
        if opened is not None and not self._left and (feed := opened.library.following()) is not None:
            self._feed = feed
            self._following = asyncio.create_task(self._wait_on(feed))

    def _end_feed(self) -> None:
        feed, self._feed = self._feed, None
        if feed is not None:
            feed.close()

    async def _wait_on(self, feed: ChangeFeedPort) -> None:
        """Look as often as a feed tells of a change; no more often than a person can follow.

        What came between the opening and the feed's beginning is seen by the first look.
        """
        seconds, told, failure = 0.0, True, ""
        while self._feed is feed:
            try:
                told |= await in_thread(partial(feed.wait, seconds))
            except CarrelError as error:
                if failure != str(error):
                    failure = str(error)
                    _log.warning("What tells of changes of the library failed: %s", failure)
                await asyncio.sleep(FAILED_SECONDS)
                continue
            except Exception:
                _log.exception("What tells of changes of the library failed; it is looked at each second")
                self._end_feed()
                return
            if told and self._feed is feed:
                look = self._begin_look(self._look)
                with suppress(WorkerError):
                    await look.wait()
                if self._feed is feed:
                    await asyncio.sleep(self._browser.ports.pace.refresh)
            told, seconds = False, FEED_SECONDS

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
            if str(error) != self._refusal:  # said once; the next look tries again: who is busy is so for a while
                self._refusal = str(error)
                browser.notify(self._refusal, severity="error", timeout=10, markup=False)
            return
        self._version, self._refusal = -1, ""
        self._show(opened, status)
        self._follow()
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
