"""The settings screen: every setting with its value and what it does; changes are kept in the settings file at once."""

from __future__ import annotations

import os
from typing import Any

from textual.app import ComposeResult
from textual.content import Content

from app.tui.actions import Action, bindings
from app.tui.background import in_background
from app.tui.list_keys import MOVING
from app.tui.screens.chooser import Choice, ChoiceScreen
from app.tui.screens.prompts import AskScreen
from app.tui.screens.settings.keys_screen import KeysScreen
from app.tui.screens.settings.rows_screen import RowsScreen
from app.tui.screens.settings.setting_list import Setting, fault, settings
from app.tui.screens.settings.setting_rows import Row, SettingRows
from app.tui.theme import BRIGHT, QUIET
from app.tui.threads import in_thread
from app.tui.widgets.built_line import BuiltLine
from app.tui.widgets.footer import KeyLine
from app.wording.paths import shown_path
from app.wording.safe_text import one_line
from engine.config import Config
from engine.figures import counted

SETTINGS_ACTIONS = (
    Action("settings.change", "enter,space", "change", "change", "Change this setting", "Change the chosen setting."),
    Action("settings.next", "right,l", "step(1)", "next value", "Next value", "Go on to the next value, or back.",
           shown_key="← →"),
    Action("settings.previous", "left,h", "step(-1)", "", "Value before", "", footer=False),
    Action("settings.default", "delete", "default", "as it came", "Set back to what Carrel comes with",
           "Set the chosen setting back to what Carrel comes with.", late=True),
    Action("settings.back", "escape", "back", "back", "Back from the settings", "Back to where you were."),
)  # fmt: skip
KEYS_ROW = Row("Keys", "change them one by one", "Every action and its keys.")


class SettingsScreen(RowsScreen):
    """A list of settings."""

    ACTIONS = (*SETTINGS_ACTIONS, *MOVING)
    BINDINGS = bindings(ACTIONS)
    DEFAULT_CSS = """
    SettingsScreen { background: $background; }
    SettingsScreen #title { margin: 1 2; }
    SettingsScreen #place { margin: 1 2 0 2; }
    """

    def compose(self) -> ComposeResult:
        """Lay out the title, the settings, and where they are kept."""
        yield BuiltLine(id="title")
        yield SettingRows()
        yield BuiltLine(id="place")
        yield KeyLine()

    def on_mount(self) -> None:
        """Show the settings as they are, and follow their changes."""
        themes = sorted(self.app.available_themes.values(), key=lambda theme: not theme.name.startswith("carrel"))
        tesseract = self.carrel.ports.which("tesseract") is not None
        self._settings = settings([(theme.name, theme.dark) for theme in themes], tesseract=tesseract)
        self.query_one("#title", BuiltLine).show(lambda width: Content.styled("Settings", f"bold {BRIGHT}"))
        path = self.carrel.ports.settings.path
        kept = f"Kept in {shown_path(os.fsencode(path))}" if path else "Kept until Carrel is left"
        self.query_one("#place", BuiltLine).show(
            lambda width: Content.styled(one_line(kept), QUIET).truncate(width, ellipsis=True)
        )
        self.carrel.config_signal.subscribe(self, self._show)
        self._show(self.carrel.config)
        self.rows.focus()

    def _show(self, config: Config) -> None:
        default = Config()
        rows = [
            Row(
                each.title,
                each.shown(config),
                each.missing or each.help,
                own=getattr(config, each.name) != getattr(default, each.name),
                greyed=bool(each.missing),
            )
            for each in self._settings
        ]
        self.rows.show([*rows, KEYS_ROW])

    @property
    def _chosen(self) -> Setting | None:
        return self.rows.chosen_of(self._settings)

    def action_change(self) -> None:
        """Change the chosen setting: the other value of two, one of several, or what is typed."""
        setting, config = self._chosen, self.carrel.config
        if setting is None:
            self.app.push_screen(KeysScreen())
        elif setting.missing:
            self.notify(setting.missing, severity="warning", markup=False)
        elif len(setting.values) == 2:
            self._keep(setting, setting.stepped(config, 1))
        elif setting.written is not None:
            self._ask(setting)
        else:
            self._pick(setting)

    def action_step(self, step: int) -> None:
        """Go on to the next value."""
        setting = self._chosen
        if setting is not None and setting.values:
            self._keep(setting, setting.stepped(self.carrel.config, step))

    def action_default(self) -> None:
        """Set the chosen setting back."""
        if (setting := self._chosen) is not None:
            self._keep(setting, getattr(Config(), setting.name))

    def _pick(self, setting: Setting) -> None:
        values = [value for value, _, _ in setting.values]
        choices = [Choice(place, name, note) for place, (_, name, note) in enumerate(setting.values)]
        present = getattr(self.carrel.config, setting.name)

        def picked(place: int | None) -> None:
            if place is not None:
                self._keep(setting, values[place])

        at = values.index(present) if present in values else 0
        self.app.push_screen(ChoiceScreen(setting.title, choices, at=at), picked)

    def _ask(self, setting: Setting) -> None:
        written = setting.written
        value = getattr(self.carrel.config, setting.name)

        def typed(text: str | None) -> None:
            if text is not None and written is not None:
                self._keep(setting, written(text))

        self.app.push_screen(
            AskScreen(
                setting.title,
                setting.help,
                value=" ".join(f"{each:g}" for each in value) if isinstance(value, tuple) else f"{value or ''}",
                placeholder=setting.hint,
                check=lambda text: fault(setting, text),
            ),
            typed,
        )

    def _keep(self, setting: Setting, value: Any) -> None:
        """Keep a value, and say what follows; a history that is switched off is deleted."""
        before = self.carrel.config
        if not self.carrel.change_config(**{setting.name: value}):
            return
        if setting.name == "search_log" and not value:
            in_background(self, self._forget_log, "forget")
        if setting.name == "shadow":
            self._tell_of_comparing(before)
        if setting.name == "history" and not value:
            gone = self.carrel.ports.history.forget_all()
            said = f"{counted(gone, 'search', 'searches')} forgotten; " if gone else ""
            self.notify(f"History is off: {said}nothing is remembered from now on.", markup=False)

    def _tell_of_comparing(self, before: Config) -> None:
        """Say what the switch of the model beside has changed besides, and what stays."""
        if not self.carrel.config.shadow:
            said = "Searches are compared no more; what was compared stays until `carrel shadow --empty`."
        elif not before.search_log:
            said = "Searches are compared from now on where a model runs beside, and the search log is on with it."
        else:
            said = "Searches are compared from now on where a model runs beside."
        self.notify(said, markup=False)

    async def _forget_log(self) -> None:
        """Forget the searches that were written down, and say so."""
        opened = self.carrel.opened
        if opened is None:
            return
        gone = await in_thread(opened.library.empty_search_log)
        said = f"{counted(gone, 'search', 'searches')} forgotten; " if gone else ""
        self.notify(f"The search log is off: {said}nothing is written down from now on.", markup=False)

    def action_back(self) -> None:
        """Go back to the screen below."""
        self.dismiss()
