"""The first screen of a person who has no folder watched yet: asks for one, has it indexed, tells the keys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Static

from app.tui.actions import Action, bindings
from app.tui.browser import CarrelScreen
from app.tui.screens.library.folder_picker import FolderPicker, PathLine
from app.tui.screens.screen_dismissal import leave
from app.tui.screens.search.empty_states import step_lines
from app.tui.theme import BRIGHT, QUIET
from app.tui.widgets.entry_list import EntryList
from app.tui.widgets.footer import KeyLine
from app.wording.paths import shown_path

if TYPE_CHECKING:
    from app.tui.library_port import LibraryPort

WELCOME_ACTIONS = (
    Action("welcome.add", "enter", "add", "index it", "Watch this folder and index it",
           "Watch the chosen folder, or the one that stands in the line. Its files are only read."),
    Action("welcome.later", "escape", "later", "skip", "Look around first",
           "Go to the search screen without a folder."),
    Action("welcome.choose", "down", "choose(1)", "choose", "Choose a folder of the list",
           "Choose a folder that was found.", shown_key="↑↓", palette=False),
    Action("welcome.complete", "tab", "complete", "go into it", "Complete the folder's name",
           "Go into the chosen folder, or complete the name that was typed."),
)  # fmt: skip
PROMISE = (
    "It finds what you have written and saved, by meaning and by words, and shows why each result ranks where it does. "
    "Files are only read; nothing leaves this machine."
)


class WelcomeScreen(CarrelScreen):
    """Asks for the first folder."""

    ACTIONS = WELCOME_ACTIONS
    BINDINGS = bindings(WELCOME_ACTIONS)
    AUTO_FOCUS = "PathLine"
    DEFAULT_CSS = """
    WelcomeScreen { background: $background; }
    WelcomeScreen VerticalScroll {
        width: 100%; height: 1fr; padding: 1 4; scrollbar-size-vertical: 1; align: center middle;
    }
    WelcomeScreen Static { width: 100%; max-width: 84; height: auto; margin-bottom: 1; }
    WelcomeScreen FolderPicker { max-width: 84; }
    WelcomeScreen PathLine, WelcomeScreen PathLine:focus { background: $background; }
    WelcomeScreen EntryList { height: 8; margin-bottom: 1; }
    WelcomeScreen #said { height: 2; margin-bottom: 1; }
    WelcomeScreen.-low VerticalScroll { padding: 0 4; }
    WelcomeScreen.-low EntryList { height: 4; margin-bottom: 0; }
    WelcomeScreen.-low #question, WelcomeScreen.-low PathLine, WelcomeScreen.-low #then { margin-bottom: 0; }
    """
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-high")]

    line = query_one(PathLine)
    folders = query_one(EntryList)
    picker = query_one(FolderPicker)

    def __init__(self, library: LibraryPort, wanted: Path | None = None) -> None:
        """Ask; `wanted` is a folder that was named already, and is asked about first."""
        super().__init__()
        self._library = library
        self._wanted = wanted

    def compose(self) -> ComposeResult:
        """Lay out what Carrel is, the picker, and the keys."""
        with VerticalScroll(can_focus=False):
            yield Static(Content.styled("Welcome to Carrel", f"bold {BRIGHT}"))
            yield Static(Content.styled(PROMISE, QUIET))
            yield Static(Content.styled("Which folder holds your notes?", f"bold {BRIGHT}"), id="question")
            yield FolderPicker(self._library, blink=self.carrel.ports.pace.blink, wanted=self._wanted)
            yield Static(Content.styled("Then", f"bold {BRIGHT}"), id="then")
            yield Static(Content("\n").join(step_lines(80)))
        yield KeyLine()

    @on(FolderPicker.Added)
    def _added(self, message: FolderPicker.Added) -> None:
        read = f"{shown_path(bytes(message.folder))} is read now. What is read can be found at once."
        self.notify(read, markup=False)
        self.carrel.look_again()
        leave(self)

    def action_choose(self, by: int) -> None:
        """Choose a folder so many further down."""
        self.picker.action_move(by)

    def action_add(self) -> None:
        """Watch the folder."""
        self.picker.take()

    def action_complete(self) -> None:
        """Go into the chosen folder."""
        self.picker.action_complete()

    def action_later(self) -> None:
        """Leave without a folder."""
        self.dismiss()
