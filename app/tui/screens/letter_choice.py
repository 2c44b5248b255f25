"""A choice among a few things by one letter each: what a key that asks for a second one shows above the footer."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content

from app.tui.actions import key_name
from app.tui.screens.dialog import Dialog
from app.tui.theme import ALARM, BRIGHT, KEY, QUIET
from app.tui.widgets.footer import hints
from app.tui.widgets.line_views import LineView

Letter = tuple[str, str]  # a letter and what it stands for


class LetterScreen(Dialog[str | None]):
    """Gives the letter that was pressed or whose line was clicked; None for escape, or a click beside it."""

    BINDINGS = [Binding("escape", "dismiss", show=False, priority=True)]
    DEFAULT_CSS = """
    LetterScreen { align: left bottom; background: $background 0%; }
    LetterScreen LineView { height: auto; margin: 0 0 1 0; padding: 0 1; background: $panel; }
    LetterScreen:ansi LineView { border: none; border-top: solid $faint; box-sizing: content-box; }
    """

    def __init__(self, title: str, letters: Sequence[Letter]) -> None:
        super().__init__()
        self._title = title
        self._letters = letters
        self._unknown = ""  # the key that was pressed last, where it is no letter of these

    def compose(self) -> ComposeResult:
        """Lay out the one view."""
        yield LineView(id="letters")

    def on_mount(self) -> None:
        """Show the title and what each letter stands for."""
        view = self.query_one(LineView)
        view.can_focus = False
        view.styles.height = len(self._letters) + 2
        view.show(self._lines)

    @property
    def keys(self) -> Sequence[tuple[str, str]]:
        """The letters, and how to leave."""
        return [*self._letters, ("esc", "back")]

    def _lines(self, _width: int) -> list[Content]:
        title = Content.styled(self._title, f"bold {BRIGHT}")
        entries = [Content.assemble((f" {key}  ", KEY), (meaning, QUIET)) for key, meaning in self._letters]
        return [title, *entries, self._keys()]

    def _keys(self) -> Content:
        """Return how to leave; after a key that does nothing here, those that do."""
        letters = ", ".join(key for key, _ in self._letters)
        said = f"{self._unknown} does nothing here; {letters} do. " if self._unknown else ""
        return Content.assemble((said, ALARM), hints([("esc", "back")]))

    def on_key(self, event: events.Key) -> None:
        """Give the letter, where it is one of them; stay where it is none."""
        if event.character not in dict(self._letters) and self.belongs_to_app(event.key):
            return
        event.stop()
        event.prevent_default()
        if event.character in dict(self._letters):
            self.dismiss(event.character)
        else:
            self._unknown = event.character if event.is_printable and event.character else key_name(event.key)
            self.query_one(LineView).show(self._lines)

    def on_click(self, event: events.Click) -> None:
        """Give the letter whose line was clicked; leave where the click went beside the list."""
        region = self.query_one(LineView).region
        place = event.screen_y - region.y - 1
        if not region.contains(event.screen_x, event.screen_y):
            self.dismiss(None)
        elif 0 <= place < len(self._letters):
            self.dismiss(self._letters[place][0])
