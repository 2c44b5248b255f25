"""A screen of rows of which one is selected and changed: the settings, and the keys."""

from __future__ import annotations

from textual import on
from textual.getters import query_one
from textual.widgets import OptionList

from app.tui.browser import CarrelScreen
from app.tui.list_keys import MovesByLines
from app.tui.screens.settings.setting_rows import SettingRows


class RowsScreen(MovesByLines, CarrelScreen):
    """Moves among its rows, and changes the one that is clicked."""

    rows = query_one(SettingRows)

    @on(OptionList.OptionSelected)
    def _selected(self) -> None:
        self.action_change()

    @property
    def lines_in_sight(self) -> int:
        """How many rows are in sight."""
        return self.rows.in_sight

    def action_move(self, by: int) -> None:
        """Select the row so many further down."""
        self.rows.move(by)

    def action_change(self) -> None:
        """Change what the selected row stands for."""
