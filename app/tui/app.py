"""CarrelApp: themes, keys and palette, and the wires between the library, the indexer and the screens."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from textual.app import App
from textual.message import Message
from textual.signal import Signal

from app.editors import editor_command
from app.tui.actions import APP_ACTIONS, ActionCommands, HasActions, bindings
from app.tui.editing import edit_in_terminal
from app.tui.indexer_state import IndexerState
from app.tui.ports import IndexerPort, Opened, Ports
from app.tui.screens.help import HelpScreen
from app.tui.screens.search.screen import SearchScreen
from app.tui.screens.search.status_line import StatusView
from app.tui.theme import DARK, LIGHT, other, preferred
from app.tui.threads import in_thread
from engine.errors import CarrelError

_log = logging.getLogger("carrel")


@dataclass
class IndexerReported(Message):
    """The indexer does something else now; only the newest of waiting reports counts."""

    state: IndexerState

    def can_replace(self, message: Message) -> bool:
        """Take the place of an older report that nobody has read yet."""
        return isinstance(message, IndexerReported)


class CarrelApp(App[int]):
    """The browser. Screens subscribe to its signals; they never ask the library for what it already knows."""

    TITLE = "Carrel"
    BINDINGS = bindings(APP_ACTIONS)
    COMMANDS = {ActionCommands}
    MODES = {"search": SearchScreen}
    DEFAULT_MODE = "search"
    CLOSE_TIMEOUT = 0.5  # leaving takes less than a second, whatever a widget still does

    def __init__(self, ports: Ports) -> None:
        super().__init__()
        self.ports = ports
        self.opened: Opened | None = None
        self.view = StatusView(None, IndexerState())
        self.opened_signal: Signal[Opened] = Signal(self, "opened")
        self.failed_signal: Signal[CarrelError] = Signal(self, "failed")
        self.status_signal: Signal[StatusView] = Signal(self, "status")
        self.commit_signal: Signal[int] = Signal(self, "commit")
        self._indexer: IndexerPort | None = None
        self._version = 0
        self._refreshed = 0.0
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = preferred()

    @property
    def roots(self) -> tuple[bytes, ...]:
        """The watched folders."""
        return tuple(folder.path for folder in self.view.status.folders) if self.view.status else ()

    def on_mount(self) -> None:
        """Open the library once the first picture stands: the engine takes longer to import than a screen to paint."""
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self.run_worker(self._open(), group="open", name="open", exit_on_error=False)

    async def _open(self) -> None:
        """Open the library, tell the screens, start the indexer, and load what the first search needs."""
        try:
            opened = await in_thread(self.ports.open_library)
            status = await in_thread(opened.library.status)
            self._version = await in_thread(opened.library.version)
        except CarrelError as error:
            self.failed_signal.publish(error)
            return
        except Exception:
            _log.exception("The library could not be opened")
            self.failed_signal.publish(CarrelError("The library could not be opened.", fix="The log says why."))
            return
        self.opened = opened
        self._tell(replace(self.view, status=status, read_only=opened.library.read_only))
        self.opened_signal.publish(opened)
        for warning in opened.warnings:
            self.notify(warning, severity="warning", timeout=8, markup=False)
        if not opened.library.read_only:
            self._start_indexer()
        self.set_interval(self.ports.pace.poll, self._poll)
        await in_thread(partial(_warmed, opened))

    def _start_indexer(self) -> None:
        self._indexer = self.ports.indexer()
        if self._indexer is not None:
            self._indexer.start(lambda state: _ignore(self.post_message(IndexerReported(state))))

    def on_indexer_reported(self, message: IndexerReported) -> None:
        """Show what the indexer does; a finished sync is looked at without delay."""
        finished = self.view.indexer.busy and not message.state.busy
        self._tell(replace(self.view, indexer=message.state))
        if finished:
            self._refreshed = 0.0

    def _tell(self, view: StatusView) -> None:
        self.view = view
        self.status_signal.publish(view)

    def _poll(self) -> None:
        """Look for commits of other processes, but refresh no more often than a person can follow."""
        if self.ports.clock() - self._refreshed >= self.ports.pace.refresh:
            self.look_again()

    def look_again(self) -> None:
        """Look whether the library has changed, and if so refresh what is shown of it."""
        self.run_worker(self._look(), group="look", name="look", exclusive=True, exit_on_error=False)

    async def _look(self) -> None:
        if self.opened is None:
            return
        library = self.opened.library
        version = await in_thread(library.version)
        if version == self._version:
            return
        self._version, self._refreshed = version, self.ports.clock()
        self._tell(replace(self.view, status=await in_thread(library.status)))
        self.commit_signal.publish(version)

    def open_file(self, path: bytes, line: int, kind: str) -> None:
        """Show a file in the person's editor at a line, or say why that cannot be."""
        try:
            command = editor_command(path, line, kind=kind)
        except CarrelError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        edit: Callable[..., str] = self.ports.edit or partial(edit_in_terminal, self)
        if trouble := edit(command):
            self.notify(trouble, severity="error", markup=False)

    def action_help(self) -> None:
        """Explain the keys of the present screen."""
        screen = self.screen
        self.push_screen(HelpScreen(screen.ACTIONS if isinstance(screen, HasActions) else ()))

    def action_other_theme(self) -> None:
        """Change between dark and light."""
        self.theme = other(self.theme)

    async def action_quit(self) -> None:
        """Leave. The indexer is told first, so that it finishes its commit while the screen closes."""
        self.let_go()
        self.exit(0)

    def on_unmount(self) -> None:
        """Leave no indexer behind, however the browser ends."""
        self.let_go()

    @property
    def crashed(self) -> bool:
        """Whether an error that nobody caught ended the browser."""
        return self._exception is not None

    def _fatal_error(self) -> None:
        """Write an error that nobody caught to the log; a traceback on the screen helps nobody."""
        _log.critical("The browser ended", exc_info=self._exception)
        self._close_messages_no_wait()

    def let_go(self) -> None:
        """Tell the indexer to leave; returns at once."""
        if self._indexer is not None:
            self._indexer.leave()


def _warmed(opened: Opened) -> None:
    """Load what the first search would wait for; what fails here is said by the search that needs it."""
    try:
        opened.library.warm()
    except Exception:
        _log.exception("The model could not be loaded ahead")


def _ignore(_value: object) -> None:
    """Drop a value: the indexer's reporter returns nothing."""


def run(library: Path | None = None, folders: Sequence[Path] = ()) -> int:
    """Run the browser until the person leaves it, and return the exit code of the process."""
    from app.tui.running import run_browser  # brings the log and process handling, which tests do without

    return run_browser(library, folders)
