"""The files that a rule leaves out, by name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one

from app.tui.actions import LIBRARY
from app.tui.background import in_background
from app.tui.screens.dialog import Dialog
from app.tui.screens.library.timeline import Skipped
from app.tui.theme import ALARM, BRIGHT, QUIET
from app.tui.threads import in_thread
from app.tui.widgets.built_line import BuiltLine
from app.tui.widgets.footer import hints
from app.tui.widgets.line_views import LineView
from app.wording.cells import cut_front
from app.wording.paths import shown_path
from app.wording.safe_text import one_line
from engine.errors import CarrelError
from engine.figures import counted

if TYPE_CHECKING:
    from app.tui.library_port import LibraryPort

MOST = 1000  # names shown of a folder
ADVICE = "!name in a .carrelignore file overrules any other rule."
KEYS = (("↑↓", "scroll"), ("esc", "back"))


class SkippedScreen(Dialog[None]):
    """Lists what one reason leaves out, as it is on the disk now."""

    BINDINGS = [
        Binding("escape,enter,q", "dismiss", show=False),
        Binding(LIBRARY.keys, "dismiss", show=False, id=LIBRARY.id),
    ]
    DEFAULT_CSS = """
    SkippedScreen { align: center middle; background: $background 60%; }
    SkippedScreen > Vertical { width: 90; max-width: 96%; height: 80%; background: $panel; padding: 1 2; }
    SkippedScreen LineView { height: 1fr; margin: 1 0; background: $panel; }
    SkippedScreen #hints { margin-top: 1; }
    """

    names = query_one(LineView)

    def __init__(self, library: LibraryPort, skipped: Skipped, roots: Sequence[bytes]) -> None:
        super().__init__()
        self._library = library
        self._skipped = skipped
        self._roots = tuple(roots)

    def compose(self) -> ComposeResult:
        """Lay out the reason, the names, and what can be done."""
        with Vertical():
            yield BuiltLine(id="reason")
            yield LineView(id="names")
            yield BuiltLine(id="advice")
            yield BuiltLine(id="hints")

    @property
    def keys(self) -> Sequence[tuple[str, str]]:
        """The keys that are named at its foot."""
        return KEYS

    def on_mount(self) -> None:
        """Look for the files."""
        title = f"Left out: {one_line(self._skipped.reason)}"
        note = f"  {counted(self._skipped.files, 'file')} when last looked at"
        self.query_one("#reason", BuiltLine).show(
            lambda width: Content.assemble((title, f"bold {BRIGHT}"), (note, QUIET)).truncate(width, ellipsis=True)
        )
        self.query_one("#advice", BuiltLine).show(
            lambda width: Content.styled(ADVICE, QUIET).truncate(width, ellipsis=True)
        )
        self.query_one("#hints", BuiltLine).show(lambda width: hints(KEYS))
        self.names.show(lambda width: [Content.styled("looking at the folders …", QUIET)])
        self.names.focus()
        in_background(self, self._look, "look", failed="The folders could not be looked at")

    async def _look(self) -> None:
        try:
            found = await in_thread(self._found)
        except CarrelError as error:
            said = one_line(str(error))
            self.names.show(lambda width: [Content.styled(said, ALARM)])
            return
        self.names.show(partial(_names, found))

    def _found(self) -> list[bytes]:
        reason = self._skipped.reason
        return [
            os.path.join(root, path)
            for root in self._roots
            for path, _ in self._library.left_out_files(root, reason, MOST, None)
        ]


def _names(found: Sequence[bytes], width: int) -> list[Content]:
    lines = [Content(cut_front(shown_path(path), width)) for path in found]
    if len(found) >= MOST:
        lines.append(Content.styled("… and more", QUIET))
    return lines or [Content.styled("None is left: the folder has changed since.", QUIET)]
