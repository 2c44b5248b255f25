"""The footer: the keys that work now, read from the actions of the screen."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from app.tui.actions import Action, in_footer
from app.tui.theme import ACCENT, QUIET

_GAP = "   "


class KeyLine(Widget):
    """One line of keys. Entries that have no room are left out whole, from the right but for the last."""

    DEFAULT_CSS = """
    KeyLine { dock: bottom; height: 1; padding: 0 1; }
    """

    def render(self) -> Content:
        """Return the line for the present focus and width."""
        return key_line(in_footer(self.screen), self.content_size.width)


def key_line(actions: list[Action], width: int) -> Content:
    """Return as many entries as fit; help and leaving come last and stay."""
    kept = list(actions)
    while True:
        line = Content(_GAP).join(
            Content.assemble((action.key, f"bold {ACCENT}"), (f" {action.label}", QUIET)) for action in kept
        )
        if line.cell_length <= width or len(kept) <= 2:
            return line
        kept.pop(-3)
