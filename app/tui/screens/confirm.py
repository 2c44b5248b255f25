"""A question before something that cannot be taken back."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content

from app.tui.screens.dialog import Dialog
from app.tui.theme import BRIGHT, KEY, QUIET
from app.tui.widgets.line_views import LineView, wrapped

WIDTH = 68


class ConfirmScreen(Dialog[bool]):
    """Gives True where the person pressed the key for yes; every other way out means no."""

    BINDINGS = [
        Binding("y", "answer(True)", show=False),
        Binding("n,escape,enter,q", "answer(False)", show=False),
    ]
    DEFAULT_CSS = f"""
    ConfirmScreen {{ align: center middle; background: $background 60%; }}
    ConfirmScreen LineView {{ width: {WIDTH}; max-width: 96%; height: auto; padding: 1 2; background: $panel; }}
    """

    def __init__(self, question: str, explained: str, yes: str, no: str) -> None:
        super().__init__()
        self._question = question
        self._explained = explained
        self._answers = (("y", yes), ("n", no))

    def compose(self) -> ComposeResult:
        """Lay out the one view."""
        yield LineView(id="question")

    def on_mount(self) -> None:
        """Show the question, what a yes would do, and the keys."""
        view = self.query_one(LineView)
        view.show(self.lines)
        view.styles.height = len(self.lines(min(WIDTH, self.app.size.width) - 5)) + 2

    @property
    def keys(self) -> Sequence[tuple[str, str]]:
        """The two answers."""
        return self._answers

    def lines(self, width: int) -> list[Content]:
        """Return the text for a width."""
        keys = Content("    ").join(Content.assemble((key, KEY), (f" {what}", QUIET)) for key, what in self._answers)
        return [
            *wrapped(Content.styled(self._question, f"bold {BRIGHT}"), width, Content()),
            Content(),
            *wrapped(Content.styled(self._explained, QUIET), width, Content()),
            Content(),
            keys,
        ]

    def action_answer(self, answer: bool) -> None:
        """Give the answer."""
        self.dismiss(answer)
