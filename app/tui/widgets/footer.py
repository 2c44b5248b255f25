"""The footer: the keys that work now, read from the actions of the screen; each entry can be clicked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from textual import events
from textual.content import Content
from textual.widget import Widget

from app.tui.actions import APP_ACTIONS, Action, Where, in_footer, keymap_of, where_of
from app.tui.theme import KEY, QUIET

_GAPS = ("   ", "  ")  # the narrower one where that makes room for all
PINNED = 3


class KeyLine(Widget):
    """One line of keys. Entries that have no room are left out whole, from the right but for the last three."""

    DEFAULT_CSS = """
    KeyLine { dock: bottom; height: 1; padding: 0 1; }
    """

    def on_mount(self) -> None:
        """Follow what comes over the screen and goes again."""
        self.watch(self.screen, "stack_updates", self._screen_covered, init=False)

    def _screen_covered(self) -> None:
        self.refresh()

    def render(self) -> Content:
        """Return the line for the present focus and width."""
        gap, shown = self._entries()
        return Content.assemble(self.mode, Content(gap).join(entry for _, entry in shown))

    @property
    def mode(self) -> Content:
        """The name of the part that the keys go to, where it is not the one that the screen begins with."""
        named: Mapping[Where, str] = {} if self._covered else getattr(self.screen, "MODES", {})
        name = named.get(where_of(self.screen), "")
        return Content.assemble((f" {name} ", f"bold reverse {QUIET}"), "  ") if name else Content()

    def _entries(self) -> tuple[str, list[tuple[Action, Content]]]:
        where, keymap = where_of(self.screen), keymap_of(self.app)
        working = [each for each in in_footer(self.screen) if each.priority or not self._covered]
        return entries(working, self.content_size.width - self.mode.cell_length, where, keymap)

    @property
    def _covered(self) -> bool:
        """Whether a dialog lies over the screen, which tells of its own keys and takes all but those of the app."""
        return self.app.screen.is_modal

    def _action_at(self, x: int) -> Action | None:
        """Return the action that stands at a column of the line."""
        column = self.mode.cell_length
        gap, shown = self._entries()
        for action, entry in shown:
            if column <= x < column + entry.cell_length:
                return action
            column += entry.cell_length + len(gap)
        return None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Tell what the entry under the pointer does."""
        at = event.get_content_offset(self)
        action = self._action_at(at.x) if at else None
        self.tooltip = Content(action.help or action.title) if action else None

    async def on_click(self, event: events.Click) -> None:
        """Do what was clicked, as its key does."""
        at = event.get_content_offset(self)
        action = self._action_at(at.x) if at else None
        if action is not None:
            event.stop()
            run = partial(self.app.run_action, action.run, self.app if action in APP_ACTIONS else self.screen)
            self.call_later(run)


def hints(keys: Sequence[tuple[str, str]]) -> Content:
    """Return the keys of a dialog and what they do, as the footer writes them."""
    return Content("   ").join(Content.assemble((key, KEY), (f" {what}", QUIET)) for key, what in keys)


def entries(
    actions: list[Action], width: int, where: Where = "everywhere", keymap: Mapping[str, str] | None = None
) -> tuple[str, list[tuple[Action, Content]]]:
    """Return the gap and as many entries as fit; commands, help and leaving come last and stay longest."""
    kept = [
        (
            action,
            Content.assemble((action.key_in(where, keymap), KEY), (f" {action.label}", QUIET)),
        )
        for action in actions
    ]
    while True:
        cells = sum(entry.cell_length for _, entry in kept)
        for gap in _GAPS:
            if cells + len(gap) * (len(kept) - 1) <= width or len(kept) <= 2:
                return gap, kept
        kept.pop(-1 - PINNED if len(kept) > PINNED else 0)
