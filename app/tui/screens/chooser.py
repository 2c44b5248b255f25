"""The choice of one among several things: a line that narrows the list, and the list; over whatever screen asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Generic, TypeVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.widgets import OptionList

from app.tui.list_keys import LIST_BINDINGS, MovesByLines
from app.tui.screens.dialog import Dialog
from app.tui.theme import BRIGHT, QUIET
from app.tui.widgets.built_line import BuiltLine
from app.tui.widgets.choice_list import ChoiceList
from app.tui.widgets.footer import hints
from app.tui.widgets.text_line import TextLine
from app.wording.safe_text import one_line
from engine.lazy_dataclass import dataclass

MARGIN_CELLS = 3  # left and right of a choice
BOX_CELLS = 76  # the dialog's least width, on a screen that has so many
BORDER_CELLS = 5  # left and right of the list, with its scroll bar
GAP_CELLS = 2  # least distance of a choice to the word at its right
SHOWN = 200  # what the list holds at most; a letter more narrows it
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Choice(Generic[T]):
    """A thing to pick: what it is, how it is called, and a word at its right.

    One that is `fixed` can only be picked: it is neither forgotten nor switched. The `short` name stands where there is
    no room for the whole one.
    """

    value: T
    label: str
    note: str = ""
    fixed: bool = False
    short: str = ""


class NarrowingLine(TextLine):
    """A line of text whose delete key, at its end, belongs to the screen."""

    def action_delete_right(self) -> None:
        """Delete what is right of the cursor; where nothing is, let the screen remove the chosen thing."""
        if self.cursor_at_end and isinstance(self.screen, ChoiceScreen):
            self.screen.action_remove()
        else:
            super().action_delete_right()


class ChoiceScreen(MovesByLines, Dialog[T | None], Generic[T]):
    """Gives the value that was picked, or None.

    `own` makes a choice of what was typed, where that may be picked too; `remove` forgets a choice and returns whether
    it is gone; `switch` does something else with one, which stays; `nothing` is said of an empty list.
    """

    BINDINGS = [
        Binding("escape", "leave", show=False),
        Binding("f8,alt+m", "switch", show=False),
        *LIST_BINDINGS,
    ]
    DEFAULT_CSS = """
    ChoiceScreen { align: center top; background: $background 60%; }
    ChoiceScreen > Vertical {
        width: 76; max-width: 96%; height: auto; max-height: 90%; margin-top: 2;
        background: $panel; padding: 1 2 0 2;
    }
    ChoiceScreen NarrowingLine, ChoiceScreen NarrowingLine:focus {
        height: 1; border: none; padding: 0; margin: 1 0; background: $panel; background-tint: $background 0%;
        color: $bright;
    }
    ChoiceScreen NarrowingLine > .input--placeholder { color: $quiet; }
    ChoiceScreen ChoiceList { height: auto; max-height: 50vh; background: $panel; scrollbar-gutter: stable; }
    ChoiceScreen #hints { margin: 1 0; }
    """

    line = query_one(NarrowingLine)
    options = query_one(ChoiceList)

    def __init__(
        self,
        title: str,
        choices: Sequence[Choice[T]],
        *,
        placeholder: str = "type to narrow the list",
        nothing: str = "There is nothing here yet.",
        own: Callable[[str], Choice[T] | None] | None = None,
        remove: Callable[[T], bool] | None = None,
        switch: tuple[str, Callable[[T], None]] | None = None,
        at: int = 0,
    ) -> None:
        super().__init__()
        self._title = title
        self._choices = list(choices)
        self._placeholder = placeholder
        self._nothing = nothing
        self._own = own
        self._remove = remove
        self._switch = switch
        self._at = at
        self._shown: list[Choice[T]] = []

    def compose(self) -> ComposeResult:
        """Lay out the title, the line, the list, and what the keys do."""
        with Vertical():
            yield BuiltLine(id="title")
            yield NarrowingLine(placeholder=self._placeholder, compact=True, select_on_focus=False)
            yield ChoiceList(markup=False)
            yield BuiltLine(id="hints")

    def on_mount(self) -> None:
        """Fill the list; the keys go to the line throughout."""
        self.query_one("#title", BuiltLine).show(lambda width: Content.styled(self._title, f"bold {BRIGHT}"))
        self._show_keys()
        self.query_one(Vertical).styles.width = max(BOX_CELLS, self._widest + MARGIN_CELLS + BORDER_CELLS)
        self.options.can_focus = False
        self.call_after_refresh(partial(self._fill, self._at))

    @property
    def keys(self) -> Sequence[tuple[str, str]]:
        """The keys that do something with what is chosen."""
        keys = [("↑↓", "move")] if len(self._shown) > 1 else []
        keys += [("enter", "pick")] if self._shown else []
        if self._changeable is not None:
            keys += [("f8", self._switch[0])] if self._switch else []
            keys += [("del", "forget it")] if self._remove else []
        return [*keys, ("esc", "back")]

    def _show_keys(self) -> None:
        keys = self.keys
        self.query_one("#hints", BuiltLine).show(lambda width: hints(keys))

    @property
    def _widest(self) -> int:
        """How many cells the longest choice takes with the word at its right."""
        labels = (cell_len(one_line(each.label)) + GAP_CELLS + cell_len(one_line(each.note)) for each in self._choices)
        return max(labels, default=0)

    @property
    def _chosen(self) -> Choice[T] | None:
        place = self.options.highlighted
        return self._shown[place] if place is not None and place < len(self._shown) else None

    @property
    def _changeable(self) -> Choice[T] | None:
        """The chosen thing, where it can be forgotten or switched: not what was typed, nor what is fixed."""
        chosen = self._chosen
        return chosen if chosen is not None and chosen in self._choices and not chosen.fixed else None

    @on(OptionList.OptionHighlighted)
    def _moved(self) -> None:
        self._show_keys()

    @on(NarrowingLine.Changed)
    def _narrowed(self) -> None:
        self._fill()

    def _fill(self, at: int = 0) -> None:
        """Show the choices that hold every word of the line, and what the line itself may stand for."""
        typed = self.line.value.strip()
        words = typed.casefold().split()
        fitting = [each for each in self._choices if all(word in each.label.casefold() for word in words)]
        own = self._own(typed) if self._own and typed else None
        self._shown = [*([own] if own else []), *fitting[:SHOWN]]
        room = max(10, (self.options.scrollable_content_region.width or 60) - MARGIN_CELLS)
        self.options.clear_options()
        self.options.add_options([_prompt(each, room) for each in self._shown])
        if not self._shown:
            self.options.add_option(Content.styled(self._nothing if not self._choices else "Nothing fits.", QUIET))
            self.options.disable_option_at_index(0)
        else:
            first_fitting = 1 if own and fitting else 0  # what exists is likelier meant than what was half typed
            self.options.highlighted = min(at or first_fitting, len(self._shown) - 1)
        self._show_keys()

    def on_resize(self) -> None:
        """Set the lines for another width."""
        if self.options.option_count:
            self.call_after_refresh(self._refill)

    def _refill(self) -> None:
        self._fill(self.options.highlighted or 0)

    def _fill_at_last(self) -> None:
        """Fill the list where a key came before the first layout."""
        if not self.options.option_count:
            self._fill(self._at)

    def action_move(self, rows: int) -> None:
        """Choose the thing so many further down."""
        self._fill_at_last()
        if self._shown:
            place = (self.options.highlighted or 0) + rows
            self.options.highlighted = max(0, min(place, len(self._shown) - 1))

    @on(NarrowingLine.Submitted)
    def _submitted(self) -> None:
        self._fill_at_last()
        if self._chosen is not None:
            self.dismiss(self._chosen.value)

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        if event.option_index < len(self._shown):
            self.dismiss(self._shown[event.option_index].value)

    def action_remove(self) -> None:
        """Forget the chosen thing."""
        choice, place = self._changeable, self.options.highlighted
        if self._remove is not None and choice is not None and self._remove(choice.value):
            self._choices.remove(choice)
            self._fill(place or 0)

    def action_switch(self) -> None:
        """Do with the chosen thing what this list offers beside picking and forgetting."""
        if self._switch is not None and self._changeable is not None:
            self._switch[1](self._changeable.value)

    def note(self, value: T, note: str) -> None:
        """Let another word stand at the right of a choice."""
        self._choices = [replace(each, note=note) if each.value == value else each for each in self._choices]
        if self.is_mounted:
            self._fill(self.options.highlighted or 0)

    def action_leave(self) -> None:
        """Pick nothing."""
        self.dismiss(None)


def _prompt(choice: Choice[T], room: int) -> Content:
    """Return one line: the name at the left, the note at the right."""
    note = one_line(choice.note)
    left = max(1, room - cell_len(note) - GAP_CELLS)
    fits = not choice.short or cell_len(one_line(choice.label)) <= left
    label = Content(one_line(choice.label if fits else choice.short)).truncate(left, ellipsis=True)
    gap = " " * max(1, room - label.cell_length - cell_len(note))
    return Content.assemble(label, gap, (note, QUIET)) if note else label
