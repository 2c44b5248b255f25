"""A choice among a few things by one letter each: what a key that asks for a second one shows above the footer."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.content import Content
from textual.screen import ModalScreen

from app.tui.theme import BRIGHT, KEY, QUIET
from app.tui.widgets.line_views import LineView

Letter = tuple[str, str]  # a letter and what it stands for


class LetterScreen(ModalScreen[str | None]):
    """Gives the letter that was pressed, or None: any key that is none of them leaves."""

    DEFAULT_CSS = """
    LetterScreen { align: left bottom; background: $background 0%; }
    LetterScreen LineView { height: auto; margin: 0 0 1 0; padding: 0 1; background: $panel; }
    """

    def __init__(self, title: str, letters: Sequence[Letter]) -> None:
        super().__init__()
        self._title = title
        self._letters = letters

    def compose(self) -> ComposeResult:
        """Lay out the one view."""
        yield LineView(id="letters")

    def on_mount(self) -> None:
        """Show the title and what each letter stands for."""
        view = self.query_one(LineView)
        view.can_focus = False
        view.styles.height = len(self._letters) + 1
        view.show(self._lines)

    def _lines(self, _width: int) -> list[Content]:
        title = Content.styled(self._title, f"bold {BRIGHT}")
        return [title, *(Content.assemble((f" {key}  ", KEY), (meaning, QUIET)) for key, meaning in self._letters)]

    def on_key(self, event: events.Key) -> None:
        """Give the letter, where it is one of them."""
        event.stop()
        event.prevent_default()
        self.dismiss(event.character if event.character in dict(self._letters) else None)
