"""Picking a folder to watch: a path is typed and completed, or the folders are walked with the arrow keys."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.screen import ModalScreen
from textual.widgets import Input

from app.tui.background import in_background
from app.tui.list_keys import LIST_BINDINGS, MovesByLines
from app.tui.screens.library.directories import Offered, completed, offered, shortened
from app.tui.theme import ALARM, BRIGHT, QUIET
from app.tui.threads import in_thread
from app.tui.widgets.built_line import BuiltLine
from app.tui.widgets.entry_list import Entry, EntryList
from app.tui.widgets.footer import hints
from app.tui.widgets.line_views import LineView, wrapped
from app.tui.widgets.text_line import TextLine
from app.wording.cells import cut_front
from app.wording.safe_text import one_line
from engine.errors import CarrelError

START = "~/"
KEYS = (("↑↓", "choose"), ("tab", "go into it"), ("enter", "watch it"), ("esc", "back"))


class PathLine(TextLine):
    """A line for a path; tab completes it, and the arrows belong to the list below."""

    BINDINGS = [
        Binding("tab", "screen.complete", show=False),
    ]


class PickerScreen(MovesByLines, ModalScreen[Path | None]):
    """Gives the folder that was added, or None. `add` is called in a thread; what it refuses is said here."""

    BINDINGS = [Binding("escape", "leave", show=False), *LIST_BINDINGS]
    DEFAULT_CSS = """
    PickerScreen { align: center top; background: $background 60%; }
    PickerScreen > Vertical {
        width: 80; max-width: 96%; height: auto; max-height: 90%; margin-top: 2; background: $panel; padding: 1 2 0 2;
    }
    PickerScreen PathLine, PickerScreen PathLine:focus {
        height: 1; border: none; padding: 0; margin: 1 0; background: $panel; background-tint: $background 0%;
        color: $bright;
    }
    PickerScreen EntryList { height: 12; background: $panel; }
    PickerScreen #said { height: 3; margin-top: 1; background: $panel; }
    PickerScreen #hints { margin-bottom: 1; }
    PickerScreen.-low > Vertical { margin-top: 1; }
    PickerScreen.-low EntryList { height: 8; }
    """
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-high")]

    line = query_one(PathLine)
    folders = query_one(EntryList)
    said = query_one("#said", LineView)

    def __init__(self, add: Callable[[Path], object], *, start: str = START, blink: bool = True) -> None:
        super().__init__()
        self._add = add
        self._start = start
        self._blink = blink
        self._offers = Offered("", False, ())
        self._chosen = False  # whether the person went down into the list since they typed
        self._adding = False

    def compose(self) -> ComposeResult:
        """Lay out the title, the line, the folders, what is to be said, and the keys."""
        with Vertical():
            yield BuiltLine(id="title")
            yield PathLine(self._start, placeholder="~/notes", compact=True, select_on_focus=False)
            yield EntryList(id="folders")
            yield LineView(id="said")
            yield BuiltLine(id="hints")

    def on_mount(self) -> None:
        """Begin in the person's home."""
        self.line.cursor_blink = self._blink
        self.folders.can_focus = self.said.can_focus = False
        self.query_one("#title", BuiltLine).show(lambda width: Content.styled("Watch a folder", f"bold {BRIGHT}"))
        self.query_one("#hints", BuiltLine).show(lambda width: hints(KEYS))
        self.line.focus()
        self._look()

    @on(Input.Changed)
    def _typed(self) -> None:
        self._look()

    def _look(self) -> None:
        in_background(self, self._list, "list", exclusive=True, failed="The folders could not be listed")

    async def _list(self) -> None:
        typed = self.line.value
        offers = await in_thread(partial(offered, typed))
        if typed != self.line.value:
            return
        self._offers, self._chosen = offers, False
        self.folders.show([Entry(path, partial(_folder_line, path), path) for path in offers.folders])
        self.folders.selected = 0
        self._say(offers.trouble or self._purpose())

    def _purpose(self) -> str:
        """Return what enter would do now."""
        target = self._target()
        if target is None:
            return "Type a path, or choose one of the folders above."
        return f"Everything readable in {shortened(target, '~')} will be found; the files stay where they are."

    def _target(self) -> str | None:
        """Return the folder that enter means: the chosen one, else the one that was typed."""
        entry = self.folders.entry
        if self._chosen and entry is not None:
            return str(entry.value)
        typed = os.path.expanduser(self._offers.typed)
        if self._offers.names_folder and self._offers.typed.strip("~/"):
            return os.path.normpath(typed)
        return None

    def _say(self, text: str, ink: str = QUIET) -> None:
        self.said.show(lambda width: wrapped(Content.styled(one_line(text), ink), width, Content()))

    def action_move(self, by: int) -> None:
        """Choose a folder of the list."""
        if self._chosen:
            self.folders.move(by)
        self._chosen = bool(self._offers.folders)
        self._say(self._purpose())

    def action_complete(self) -> None:
        """Go into the chosen folder, or complete what was typed as far as it is clear."""
        chosen = self.folders.selected if self._chosen or len(self._offers.folders) == 1 else -1
        self.line.value = completed(self._offers, chosen)
        self.line.cursor_position = len(self.line.value)

    @on(EntryList.Selected)
    def _clicked(self, message: EntryList.Selected) -> None:
        message.stop()

    @on(EntryList.Opened)
    def _opened(self, message: EntryList.Opened) -> None:
        """Go into a folder that was clicked twice."""
        message.stop()
        self._chosen = True
        self.action_complete()

    @on(Input.Submitted)
    def _submitted(self) -> None:
        target = self._target()
        if target is None:
            self._say("Name a folder inside it first: all of your home, or of the disk, would be too much.", ALARM)
        elif not self._adding:
            self._adding = True
            in_background(self, partial(self._watch, Path(target)), "add", failed="This folder could not be added")

    async def _watch(self, folder: Path) -> None:
        try:
            await in_thread(partial(self._add, folder))
        except CarrelError as error:
            self._say(str(error), ALARM)
        else:
            self.dismiss(folder)
        finally:
            self._adding = False

    def action_leave(self) -> None:
        """Add nothing."""
        self.dismiss(None)


def _folder_line(path: str, width: int) -> Content:
    return Content(cut_front(one_line(_shown(os.path.basename(path))) + "/", width))


def _shown(name: str) -> str:
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
