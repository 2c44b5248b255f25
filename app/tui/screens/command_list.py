"""The list of all that can be done, with its keys: to do it (the palette), or to read about it (the help)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.message import Message
from textual.strip import Strip

from app.tui.actions import HELP, PALETTE, Action, keymap_of
from app.tui.list_keys import LIST_BINDINGS, MovesByLines
from app.tui.screens.command_columns import Columns, columns_of, fitting, grouped, keys_of
from app.tui.screens.dialog import Dialog
from app.tui.screens.help import Page, page_lines
from app.tui.theme import ACCENT, BRIGHT, KEY, MARK, QUIET
from app.tui.widgets.built_line import BuiltLine
from app.tui.widgets.line_views import paint
from app.tui.widgets.row_list import RowList
from app.tui.widgets.text_line import TextLine

TWO_COLUMNS = 110  # cells of the screen from which on commands stand in two columns
GAP_CELLS = 3
SURROUNDING_LINES = 10  # of the screen that are not for commands: the lines around them and some of what lies below


class CommandRows(RowList):
    """Commands below the names of their groups, in one column or two, with lines of help behind them."""

    DEFAULT_CSS = """
    CommandRows {
        height: 1fr; background: $panel; overflow-x: hidden; scrollbar-size-vertical: 1; scrollbar-gutter: stable;
    }
    """

    @dataclass
    class Picked(Message):
        """A command was clicked."""

        action: Action

    @dataclass
    class Selected(Message):
        """Another command is selected, or none."""

        action: Action | None

    def __init__(self) -> None:
        super().__init__()
        self._columns = Columns()
        self._pages: Sequence[Page] = ()
        self._help: Sequence[Content] = ()
        self._keymap: Mapping[str, str] = {}
        self._words: Sequence[str] = ()

    @property
    def action(self) -> Action | None:
        """The selected command."""
        places = self._columns.places
        return places[self.selected][2] if 0 <= self.selected < len(places) else None

    def show(self, columns: Columns, pages: Sequence[Page], keymap: Mapping[str, str], words: Sequence[str]) -> None:
        """Show other commands, with the words marked that were typed; the first of them is selected."""
        self._columns, self._pages, self._keymap, self._words = columns, pages, keymap, words
        self.set_reactive(CommandRows.selected, 0)
        self.lay_out()
        self.scroll_to(y=0, animate=False)
        self.paint_changes()
        self.announce()

    def move(self, by: int) -> None:
        """Select the command so many further on; beyond the last one scroll."""
        last = len(self._columns.places) - 1
        if (by > 0 and self.selected >= last) or (by < 0 and self.scroll_offset.y > self._columns.height):
            self.scroll_to(y=self.scroll_offset.y + by, animate=False)
        else:
            self.selected = max(0, min(self.selected + by, last))

    def lay_out(self) -> None:
        """Take the width as it is now."""
        width = self.scrollable_content_region.width
        self._help = page_lines(self._pages, width) if width > 0 else ()
        super().lay_out()

    def count_lines(self) -> int:
        """Return how many lines there are."""
        return self._columns.height + len(self._help)

    def reveal(self) -> None:
        """Scroll as little as shows the selected command, with the name of its group."""
        if not self._columns.places:
            return
        line, height, top = self._columns.places[self.selected][0], self.size.height, self.scroll_offset.y
        if line - 1 < top:
            self.scroll_to(y=line - 1, animate=False)
        elif line >= top + height > 0:
            self.scroll_to(y=line - height + 1, animate=False)

    def announce(self) -> None:
        """Tell which command is selected."""
        self.post_message(self.Selected(self.action))

    def look(self, line: int) -> str:
        """Return in which column of a line the selected command stands."""
        if not 0 <= self.selected < len(self._columns.places):
            return ""
        chosen, column, _ = self._columns.places[self.selected]
        return str(column) if line == chosen else ""

    def paint_line(self, line: int, look: str, width: int) -> Strip:
        """Return a line of all columns, or one of the help below them."""
        if line >= self._columns.height:
            rest = line - self._columns.height
            return paint(self, self._help[rest] if rest < len(self._help) else Content(), width)
        room = self._room(width)
        cells = [self._cell(column, line, room, look == str(column)) for column in range(len(self._columns.items))]
        return paint(self, Content(" " * GAP_CELLS).join(cells), width)

    def _room(self, width: int) -> int:
        count = max(1, len(self._columns.items))
        return max(8, (width - GAP_CELLS * (count - 1)) // count)

    def _cell(self, column: int, line: int, room: int, chosen: bool) -> Content:
        """Return one column of a line: a command with its keys at the right, the name of a group, or nothing."""
        item = self._columns.at(column, line)
        if item is None:
            return Content(" " * room)
        if isinstance(item, str):
            return Content.styled(item.ljust(room), f"bold {QUIET}")
        title = Content(item.title or item.help)
        keys = keys_of(item, self._keymap, room - title.cell_length - 4)
        title = title.truncate(max(1, room - cell_len(keys) - 4), ellipsis=True)
        for word in self._words:
            at = title.plain.casefold().find(word)
            title = title.stylize(MARK, at, at + len(word)) if at >= 0 else title
        gap = " " * max(1, room - 2 - title.cell_length - cell_len(keys))
        built = Content.assemble(("▌ " if chosen else "  ", ACCENT), title.stylize_before(BRIGHT), gap, (keys, KEY))
        return built.stylize_before("on $chosen") if chosen else built

    def on_click(self, event: events.Click) -> None:
        """Pick the command that was clicked."""
        line, width = event.y + self.scroll_offset.y, self.scrollable_content_region.width
        item = self._columns.at(event.x // (self._room(width) + GAP_CELLS), line)
        if isinstance(item, Action):
            self.post_message(self.Picked(item))


class NarrowingLine(TextLine):
    """A line of text that leaves home and end to the list where nothing was typed."""

    def action_home(self, select: bool = False) -> None:
        """Go to the beginning of the line, or of the list."""
        if self.value or not isinstance(self.screen, CommandScreen):
            super().action_home(select)
        else:
            self.screen.rows.scroll_to(y=0, animate=False)

    def action_end(self, select: bool = False) -> None:
        """Go to the end of the line, or of the list."""
        if self.value or not isinstance(self.screen, CommandScreen):
            super().action_end(select)
        else:
            self.screen.rows.scroll_end(animate=False)


class CommandScreen(MovesByLines, Dialog[Action | None]):
    """Gives the action that was picked, or None.

    With pages of help it is the help of a screen; what was picked `recent`ly comes first where it is not.
    """

    BINDINGS = [
        Binding("escape", "leave", show=False),
        *(Binding(action.keys, "leave", show=False, id=action.id) for action in (HELP, PALETTE)),
        *LIST_BINDINGS,
    ]
    DEFAULT_CSS = """
    CommandScreen { align: center top; background: $background 60%; }
    CommandScreen > Vertical {
        width: 84; max-width: 96%; height: auto; max-height: 92%; margin-top: 1; background: $panel; padding: 1 2;
    }
    CommandScreen.-broad > Vertical { width: 140; }
    CommandScreen NarrowingLine, CommandScreen NarrowingLine:focus {
        height: 1; border: none; padding: 0; margin-bottom: 1; background: $panel; background-tint: $background 0%;
        color: $bright;
    }
    CommandScreen NarrowingLine > .input--placeholder { color: $quiet; }
    CommandScreen #explained { margin-top: 1; }
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (TWO_COLUMNS, "-broad")]

    line = query_one(NarrowingLine)
    rows = query_one(CommandRows)

    def __init__(
        self, actions: Sequence[Action], pages: Sequence[Page], recent: Sequence[str], explained: bool
    ) -> None:
        super().__init__()
        self._actions = actions
        self._pages = pages
        self._recent = () if explained else recent
        self._placeholder = "Type to find a key or a word of the help" if explained else "Search for commands…"

    def compose(self) -> ComposeResult:
        """Lay out the line, the commands, and what the selected one does."""
        with Vertical():
            yield NarrowingLine(placeholder=self._placeholder, compact=True, select_on_focus=False)
            yield CommandRows()
            yield BuiltLine(id="explained")

    def on_mount(self) -> None:
        """Fill the list; the keys go to the line throughout."""
        self.rows.can_focus = False
        self._fill()

    def on_resize(self) -> None:
        """Go from one column to two, or back."""
        self._fill()

    @on(NarrowingLine.Changed)
    def _fill(self) -> None:
        """Show what holds every word of the line."""
        words = self.line.value.casefold().split()
        actions, pages = fitting(self._actions, self._pages, words, keymap_of(self.app))
        groups = grouped(actions, () if words else self._recent)
        self.rows.show(
            columns_of(groups, 2 if self.size.width >= TWO_COLUMNS else 1), pages, keymap_of(self.app), words
        )
        self.rows.styles.height = max(1, min(self.rows.count_lines(), self.size.height - SURROUNDING_LINES))

    @on(CommandRows.Selected)
    def _explain(self, message: CommandRows.Selected) -> None:
        self.query_one("#explained", BuiltLine).show(partial(_explained, message.action))

    def action_move(self, by: int) -> None:
        """Select another command."""
        self.rows.move(by)

    def action_page(self, pages: int) -> None:
        """Scroll by screens."""
        self.rows.scroll_to(y=self.rows.scroll_offset.y + pages * max(1, self.rows.size.height - 1), animate=False)

    @on(NarrowingLine.Submitted)
    def _submitted(self) -> None:
        if self.rows.action is not None:
            self.dismiss(self.rows.action)

    @on(CommandRows.Picked)
    def _picked(self, message: CommandRows.Picked) -> None:
        self.dismiss(message.action)

    def action_leave(self) -> None:
        """Pick nothing."""
        self.dismiss(None)


def _explained(action: Action | None, width: int) -> Content:
    """Return what a command does, in one line."""
    said = (action.help or action.title) if action else "Nothing fits."
    return Content.styled(said, QUIET).truncate(width, ellipsis=True)
