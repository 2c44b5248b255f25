"""The keys, one row an action: press enter and then the key that it shall have."""

from __future__ import annotations

from collections.abc import Mapping

from textual.app import ComposeResult
from textual.content import Content

from app.tui.actions import Action, bindings, is_letter, key_name
from app.tui.keymap import SECTIONS, split_keys, usable
from app.tui.list_keys import MOVING, PRESETS
from app.tui.screens.prompts import KeyScreen
from app.tui.screens.settings.rows_screen import RowsScreen
from app.tui.screens.settings.setting_rows import Row, SettingRows
from app.tui.theme import BRIGHT, QUIET
from app.tui.widgets.built_line import BuiltLine
from app.tui.widgets.footer import KeyLine
from engine.config import Config

KEYS_ACTIONS = (
    Action("keys.change", "enter", "change", "another key", "Give this action another key",
           "Press the key that the chosen action shall have; a letter works in the results only."),
    Action("keys.default", "delete", "default", "as it came", "Give this action the keys that it came with",
           "Give the chosen action the keys that it came with.", late=True),
    Action("keys.back", "escape", "back", "back", "Back to the settings", "Back to the settings."),
)  # fmt: skip


TITLE_CELLS = 52  # the longest title of an action, and two


class KeysScreen(RowsScreen):
    """A list of actions with their keys."""

    ACTIONS = (*KEYS_ACTIONS, *MOVING)
    BINDINGS = bindings(ACTIONS)
    DEFAULT_CSS = """
    KeysScreen { background: $background; }
    KeysScreen #title { margin: 1 2 0 2; }
    """

    def compose(self) -> ComposeResult:
        """Lay out the title and the actions."""
        yield BuiltLine(id="title")
        yield SettingRows(title_cells=TITLE_CELLS)
        yield KeyLine()

    def on_mount(self) -> None:
        """Show the keys as they are, and follow their changes."""
        words = "   a chord works everywhere, a letter in the results"
        said = Content.assemble(("Keys", f"bold {BRIGHT}"), (words, QUIET))
        self.query_one("#title", BuiltLine).show(lambda width: said.truncate(width, ellipsis=True))
        self.carrel.config_signal.subscribe(self, self._show)
        self._show(self.carrel.config)
        self.rows.focus()

    def _show(self, config: Config) -> None:
        self._actions: list[Action | None] = []
        rows = []
        keys = {**PRESETS[config.key_preset], **config.keys}
        for name, actions in SECTIONS:
            rows.append(Row(name, heading=True))
            self._actions.append(None)
            for action in actions:
                if action.title and action.keys:
                    rows.append(Row(action.title, _named(action, keys), own=action.id in config.keys))
                    self._actions.append(action)
        self.rows.show(rows)

    @property
    def _chosen(self) -> Action | None:
        return self.rows.chosen_of(self._actions)

    def action_change(self) -> None:
        """Ask for a key and give it to the chosen action."""
        action = self._chosen
        if action is None:
            return

        def pressed(key: str | None) -> None:
            if key is not None:
                self._give(action, key)

        said = "Press the key that it shall have. Esc leaves it as it is."
        self.app.push_screen(KeyScreen(action.title, said), pressed)

    def _give(self, action: Action, key: str) -> None:
        """Give an action a key in place of its keys of the same sort: its letter, or its chords."""
        preset = PRESETS[self.carrel.config.key_preset]
        came = preset.get(action.id, action.keys)
        present = split_keys(self.carrel.config.keys.get(action.id, came))
        kept = [each for each in present if is_letter(each) != is_letter(key)]
        keys = ",".join([*kept, key] if is_letter(key) else [key, *kept])
        others = {name: text for name, text in self.carrel.config.keys.items() if name != action.id}
        changed = others if split_keys(keys) == split_keys(came) else {**others, action.id: keys}
        _, troubles = usable(changed, preset)
        _, before = usable(others, preset)
        if new := [trouble for trouble in troubles if trouble not in before]:
            self.notify(f"{new[0]} Nothing was changed.", severity="warning", markup=False)
        elif self.carrel.change_config(keys=changed):
            self.notify(f"{key_name(key)} now does it: {action.title}.", markup=False)

    def action_default(self) -> None:
        """Give the chosen action back what it came with."""
        action = self._chosen
        if action is not None and action.id in self.carrel.config.keys:
            kept = {name: keys for name, keys in self.carrel.config.keys.items() if name != action.id}
            self.carrel.change_config(keys=kept)

    def action_back(self) -> None:
        """Go back to the settings."""
        self.dismiss()


def _named(action: Action, own: Mapping[str, str]) -> str:
    """Return the keys of an action as a person reads them."""
    return "  ".join(key_name(key) for key in split_keys(own.get(action.id, action.keys)))
