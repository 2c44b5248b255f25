"""A list of titles with their values, a line of words below each: the settings, and the keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from rich.cells import cell_len
from textual.content import Content
from textual.widgets.option_list import Option

from app.tui.theme import BRIGHT, QUIET
from app.tui.widgets.choice_list import ChoiceList
from app.wording.safe_text import one_line

TITLE_CELLS = 18
Chosen = TypeVar("Chosen")


@dataclass(frozen=True, slots=True)
class Row:
    """A title with its value, what it means, and whether the value is the person's own; a heading has no value.

    A row is greyed where the setting can do nothing here; its words say why.
    """

    title: str
    value: str = ""
    words: str = ""
    own: bool = False
    heading: bool = False
    greyed: bool = False


class SettingRows(ChoiceList, inherit_bindings=False):  # the keys of lists belong to the screen
    """Shows rows and keeps the place where it was."""

    DEFAULT_CSS = """
    SettingRows { width: 100%; height: 1fr; }
    SettingRows > .option-list--option-highlighted, SettingRows:focus > .option-list--option-highlighted {
        color: $foreground;
    }
    SettingRows > .option-list--option-disabled { color: $foreground; }
    """

    def __init__(self, *, title_cells: int = TITLE_CELLS, id: str | None = None) -> None:
        super().__init__(markup=False, id=id)
        self._title_cells = title_cells

    @property
    def in_sight(self) -> int:
        """How many rows are in sight."""
        lines = max(1, self.virtual_size.height // max(1, self.option_count))
        return max(1, self.size.height // lines)

    def chosen_of(self, listed: Sequence[Chosen | None]) -> Chosen | None:
        """Return what the selected row stands for, by a list of what each does; None behind its end."""
        place = self.highlighted
        return listed[place] if place is not None and place < len(listed) else None

    def move(self, by: int) -> None:
        """Select the row so many further down; headings do not count."""
        places = [place for place, option in enumerate(self.options) if not option.disabled]
        at = places.index(self.highlighted) if self.highlighted in places else 0
        self.highlighted = places[max(0, min(at + by, len(places) - 1))] if places else None

    def show(self, rows: Sequence[Row]) -> None:
        """Show other rows."""
        place = self.highlighted
        options = [Option(_prompt(row, self._title_cells), disabled=row.heading) for row in rows]
        self.clear_options()
        self.add_options(options)
        first = next((index for index, row in enumerate(rows) if not row.heading), 0)
        self.highlighted = first if place is None else min(place, len(options) - 1)


def _prompt(row: Row, cells: int) -> Content:
    if row.heading:
        return Content.assemble("\n", (one_line(row.title), QUIET))
    title = one_line(row.title)
    gap = " " * max(2, cells - cell_len(title))
    own = ("  changed", QUIET) if row.own else ""
    ink = QUIET if row.greyed else f"bold {BRIGHT}" if row.words else ""
    lines = [Content.assemble((title, ink), gap, (one_line(row.value), QUIET if row.greyed else BRIGHT), own)]
    if row.words:
        lines += [Content.styled(one_line(row.words), QUIET), Content()]
    return Content("\n").join(lines)
