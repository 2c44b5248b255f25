"""CarrelApp: themes, keys and palette, and the wires between the library, the indexer and the screens."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from textual import events, on
from textual.app import App
from textual.filter import LineFilter
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.signal import Signal

from app.tui.actions import APP_ACTIONS, Action, bindings, offered
from app.tui.alt_keys import tell_alt_signs, writes_nothing
from app.tui.browser import OpeningHearer, Place
from app.tui.clipboard import copy_selected
from app.tui.early_keys import EarlyKeys
from app.tui.editor_launch import open_places
from app.tui.followed_library import FollowedLibrary, IndexerReported
from app.tui.indexer_state import IndexerState
from app.tui.kept_stylesheet import KeptStylesheet
from app.tui.list_keys import PRESETS
from app.tui.ports import Opened, Ports
from app.tui.screens.search.live_search import Answered, Refused
from app.tui.screens.search.screen import SearchScreen
from app.tui.sparing_output import with_sparing
from app.tui.status_line import StatusView
from app.tui.theme import CARREL_THEMES, ThemeChoice
from app.tui.theme_colors import TERMINAL_THEMES, ReversedChoice, inks
from app.tui.toasts import TOAST_CSS, TOAST_SECONDS, TROUBLE_SECONDS, Toasts
from app.tui.window_title import WindowTitle
from engine.config import Config
from engine.errors import CarrelError, ConfigError
from engine.records import Hit, SearchResult

_log = logging.getLogger("carrel")


def _library_screen() -> Screen[None]:
    from app.tui.screens.library.screen import LibraryScreen  # not before the first paint

    return LibraryScreen()


def _training_screen() -> Screen[None]:
    from app.tui.screens.training.screen import TrainingScreen  # not before the first paint

    return TrainingScreen()


class CarrelApp(App[int]):
    """The browser. Screens subscribe to its signals; they never ask the library for what it already knows."""

    TITLE = "Carrel"
    BINDINGS = bindings(APP_ACTIONS)
    COMMANDS: ClassVar = set()  # the list of commands is a screen of our own
    MODES = {"library": _library_screen, "training": _training_screen}
    DEFAULT_MODE = "search"  # its screen is the default one: that of a mode would have all styles parsed twice more
    CSS_PATH = "screens/search/search.tcss"  # for the same reason: a screen's own would be parsed after all others
    CSS = TOAST_CSS
    CLOSE_TIMEOUT = 0.5  # leaving takes less than a second, whatever a widget still does

    def __init__(self, ports: Ports, query: str = "") -> None:
        self._early = EarlyKeys(self)
        self._themes = ThemeChoice()
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)  # else it would be shown in greys
        self._query = query  # to begin with
        self.window_title = WindowTitle(str(self.TITLE), self.send_to_terminal)
        self.driver_class = with_sparing(self.driver_class)
        tell_alt_signs()
        self.stylesheet = KeptStylesheet(variables=self.get_css_variables())
        self.ports = ports
        self.opened: Opened | None = None
        self.view = StatusView(None, IndexerState())
        self.opened_signal: Signal[Opened] = Signal(self, "opened")
        self.failed_signal: Signal[CarrelError] = Signal(self, "failed")
        self.status_signal: Signal[StatusView] = Signal(self, "status")
        self.commit_signal: Signal[int] = Signal(self, "commit")
        self.config_signal: Signal[Config] = Signal(self, "config")
        self.key_signal: Signal[None] = Signal(self, "key")
        self.key_read: Callable[[], None] = lambda: None
        self.config = ports.settings.config
        self.own_keys: dict[str, str] = {}
        self.recent_commands: list[str] = []  # ids of actions that were picked from a list of commands, newest first
        self._toasts = Toasts(self)
        self._library = FollowedLibrary(self)
        for theme in (*CARREL_THEMES, *TERMINAL_THEMES):
            self.register_theme(theme)
        self.theme, self._theme_trouble = self._themes.wanted(self.config.theme, self.available_themes)

    @property
    def roots(self) -> tuple[bytes, ...]:
        """The watched folders."""
        return tuple(folder.path for folder in self.view.status.folders) if self.view.status else ()

    def get_default_screen(self) -> Screen[None]:
        """Return the screen that the browser begins with."""
        return SearchScreen(self._query)

    def on_mount(self) -> None:
        """Open the library once the first picture stands: the engine takes longer to import than a screen to paint."""
        self.add_mode(self.DEFAULT_MODE, self.get_default_screen)
        self._use_keys()
        self.app_resume_signal.subscribe(self, self._paint_all)
        self.call_after_refresh(self._begin)

    def _paint_all(self, _app: App[None]) -> None:
        """Paint every widget: Textual itself paints the screen's own cells, and the shell has written over the rest."""
        for widget in self.screen.walk_children():
            widget.refresh()

    @on(events.AppFocus)
    def _give_keys(self) -> None:
        """Give the focus that a screen would have taken had the terminal had it: keys would go nowhere."""
        if self.screen.focused is None and self.screen.AUTO_FOCUS:
            first = next((widget for widget in self.screen.query(self.screen.AUTO_FOCUS) if widget.focusable), None)
            self.screen.set_focus(first)

    def _begin(self) -> None:
        gc.enable()  # who started the browser may have switched it off until now
        for trouble in filter(None, (self.ports.settings.trouble, self._theme_trouble)):
            self.notify(trouble, severity="warning", timeout=10, markup=False)
        self._library.open()

    @on(Answered)
    @on(Refused)
    def _search_came_back(self) -> None:
        self._library.search_came_back()

    def on_indexer_reported(self, message: IndexerReported) -> None:
        """Show what the indexer does."""
        self._library.indexer_reported(message.state)

    def look_again(self) -> None:
        """Look whether the library has changed, and if so refresh what is shown of it."""
        self._library.look_again()

    def wake_indexer(self) -> None:
        """Start the indexer again where it was given up; one that is at work stays."""
        self._library.wake_indexer()

    def hand_over(self, hits: Sequence[Hit], result: SearchResult | None, *, answered: bool) -> bool:
        """Return that rows which the person chose are to be opened: nobody else asked for them."""
        return False

    def open_places(self, places: Sequence[Place], hearer: OpeningHearer | None = None) -> None:
        """Show places in the person's editor; what no program here shows is read in Carrel."""
        name = f"edit {hash(tuple(places))}"
        if any(worker.name == name and not worker.is_finished for worker in self.workers):
            return  # enter was pressed twice
        hearer = hearer or OpeningHearer(lambda: None, self._read)
        opening = open_places(self, places, partial(self.ports.edit, self), hearer)
        self.run_worker(opening, group="edit", name=name, exit_on_error=False)

    def _read(self, place: Place) -> None:
        from app.tui.screens.reader.screen import ReaderScreen  # not needed before the first paint
        from app.tui.screens.reader.trail import Reading

        if not isinstance(self.screen, ReaderScreen):
            self.push_screen(ReaderScreen(Reading(place.path)))

    def change_config(self, **changes: Any) -> bool:
        """Keep settings in the person's file and use them from now on; False, and told, where that cannot be."""
        try:
            self.config = self.ports.settings.change(changes)
        except ConfigError as error:
            self.notify(str(error), severity="error", timeout=8, markup=False)
            return False
        if "theme" in changes:
            self.theme, _ = self._themes.wanted(self.config.theme, self.available_themes)
        if {"keys", "key_preset"} & changes.keys():
            self._use_keys()
        self.config_signal.publish(self.config)
        return True

    def _use_keys(self) -> None:
        """Give the actions the keys of the preset and the person's own; what cannot be used is told of and left out."""
        troubles: list[str] = []
        preset = PRESETS[self.config.key_preset]
        own: dict[str, str] = {}
        if self.config.keys:
            from app.tui.keymap import usable  # brings the actions of every screen

            own, troubles = usable(self.config.keys, preset)
        self.own_keys = {**preset, **own}
        self.set_keymap(self.own_keys)
        for trouble in troubles:
            self.notify(f"Keys: {trouble}", severity="warning", timeout=10, markup=False)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return the inks for themes that are not Carrel's own and therefore lack them."""
        return inks(self.current_theme)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what the lines of every widget go through on their way to the screen."""
        filters = super().get_line_filters()
        return [ReversedChoice(), *filters] if self.current_theme.ansi else filters

    def opening(self) -> AbstractContextManager[None]:
        """Hold keys back while what a screen is to show is being read."""
        return self._early.held()

    async def on_event(self, event: events.Event) -> None:
        """Take an event. A key takes away what was told; one that is early waits for its screen."""
        if isinstance(event, events.Key) and not event.is_forwarded:
            writes_nothing(event)
            self.key_signal.publish(None)
            self._toasts.key_pressed()
        if not self._early.takes(event):
            await self._forward(event)

    async def _forward(self, event: events.Event) -> None:
        typed = isinstance(event, events.Key) and not event.is_forwarded
        taker = (self.focused or self.screen) if typed else None
        await super().on_event(event)
        if taker is not None and taker.screen is self.screen:  # else its key has closed it, before all others
            self._early.went(event, taker)

    @on(EarlyKeys.Due)
    async def _take_waiting(self) -> None:
        """Take the keys that waited for a screen."""
        while (event := self._early.next()) is not None:
            await self._forward(event)

    def action_help(self) -> None:
        """Explain the keys of the present screen."""
        self._list_commands(explained=True)

    def action_command_palette(self) -> None:
        """List all commands."""
        self._list_commands(explained=False)

    async def do(self, action: Action, screen: Screen[Any]) -> None:
        """Do what was picked from the commands of a screen."""
        await self.run_action(action.run, self if action in APP_ACTIONS else screen)

    def _list_commands(self, explained: bool) -> None:
        """List what can be done on the present screen, with its pages of help where it is to be `explained`."""
        from app.tui.screens.command_list import CommandScreen  # asked for rarely, and not before the first paint

        below = self.screen
        if isinstance(below, CommandScreen):
            return

        def picked(action: Action | None) -> None:
            if action is not None:
                self.recent_commands = [action.id, *(each for each in self.recent_commands if each != action.id)]
                self.call_later(self.do, action, below)

        pages = getattr(below, "help_pages", ()) if explained else ()
        self.push_screen(CommandScreen(offered(below, explained), pages, self.recent_commands, explained), picked)

    def action_settings(self) -> None:
        """Go to the settings, or from there back to where one was."""
        from app.tui.screens.settings.screen import SettingsScreen  # opened rarely, and not before the first paint

        if isinstance(self.screen, SettingsScreen):
            self.screen.dismiss()
        else:
            self.push_screen(SettingsScreen())

    def send_to_terminal(self, text: str) -> None:
        """Write what is no text of the screen, such as a picture that its cells refer to."""
        if self._driver is not None:
            self._driver.write(text)

    def draw_pictures(self, output: str) -> str:
        """Return what goes to the terminal, with pictures in the place of cells that stand for them."""
        return self.ports.pictures.draw(output)

    def ask_for_folder(self, wanted: Path | None = None) -> None:
        """Ask for a folder to watch; with one that is wanted, whether it shall be that."""
        from app.tui.screens.welcome.screen import WelcomeScreen  # most starts never show it

        if self.opened is not None and not isinstance(self.screen, WelcomeScreen):
            self.push_screen(WelcomeScreen(self.opened.library, wanted))

    def action_show_library(self) -> None:
        """Go to the library, or from there back to the search."""
        self.switch_mode("search" if self.current_mode == "library" else "library")

    def action_show_training(self) -> None:
        """Go to the retraining, or from there back to the search."""
        self.switch_mode("search" if self.current_mode == "training" else "training")

    def search_inside(self, query: str) -> None:
        """Go to the search with a query, over whatever lies on it."""
        self.switch_mode("search")
        while len(self.screen_stack) > 1 and not isinstance(self.screen, SearchScreen):
            self.pop_screen()
        if isinstance(self.screen, SearchScreen):
            self.screen.query_line.write(query)
            self.screen.query_line.focus()

    def action_other_theme(self) -> None:
        """Change between dark and light, until Carrel is left; the settings keep a theme for good."""
        dark = self.current_theme.dark
        self.theme = self._themes.other(dark, self.config.theme, self.available_themes)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Tell the person something in a line above the footer; what troubles stays longer than what pleases."""
        seconds = TOAST_SECONDS if severity == "information" else max(TOAST_SECONDS, timeout or TROUBLE_SECONDS)
        super().notify(message, title=title, severity=severity, timeout=seconds, markup=markup)

    async def action_copy_or_quit(self) -> None:
        """Copy the text that is selected; where none is, leave."""
        if not copy_selected(self):
            await self.action_quit()

    async def action_quit(self) -> None:
        """Leave. The indexer is told first, so that it finishes its commit while the screen closes."""
        self.let_go()
        self.exit(0)

    def on_unmount(self) -> None:
        """Leave no indexer and no title behind, however the browser ends."""
        self.window_title.give_back()
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
        self._library.let_go()
