"""The picker of folders, over whatever screen asks for one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one

from app.tui.screens.dialog import Dialog
from app.tui.screens.library.folder_picker import FolderPicker, PathLine
from app.tui.screens.screen_dismissal import leave
from app.tui.theme import BRIGHT
from app.tui.widgets.built_line import BuiltLine
from app.tui.widgets.entry_list import EntryList
from app.tui.widgets.footer import hints
from app.tui.widgets.line_views import LineView

if TYPE_CHECKING:
    from app.tui.library_port import LibraryPort

KEYS = (("↑↓", "choose"), ("tab", "go into it"), ("enter", "watch it"), ("esc", "back"))


class PickerScreen(Dialog[Path | None]):
    """Gives the folder that was added, or None."""

    BINDINGS = [Binding("escape", "leave", show=False)]
    DEFAULT_CSS = """
    PickerScreen { align: center top; background: $background 60%; }
    PickerScreen > Vertical {
        width: 80; max-width: 96%; height: auto; max-height: 90%; margin-top: 2; background: $panel; padding: 1 2 0 2;
    }
    PickerScreen #title { margin-bottom: 1; }
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

    def __init__(self, library: LibraryPort, *, blink: bool = True) -> None:
        super().__init__()
        self._library = library
        self._blink = blink

    def compose(self) -> ComposeResult:
        """Lay out the title, the picker, and the keys."""
        with Vertical():
            yield BuiltLine(id="title")
            yield FolderPicker(self._library, blink=self._blink)
            yield BuiltLine(id="hints")

    @property
    def keys(self) -> Sequence[tuple[str, str]]:
        """The keys that are named at its foot."""
        return KEYS

    def on_mount(self) -> None:
        """Say what is picked, and with which keys."""
        self.query_one("#title", BuiltLine).show(lambda width: Content.styled("Watch a folder", f"bold {BRIGHT}"))
        self.query_one("#hints", BuiltLine).show(lambda width: hints(KEYS))

    @on(FolderPicker.Added)
    def _added(self, message: FolderPicker.Added) -> None:
        leave(self, message.folder)

    def action_leave(self) -> None:
        """Add nothing."""
        self.dismiss(None)
