"""The panel of what if: a slider, switches, and the keys to keep or to reset what is tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from app.tui.actions import bindings, keymap_of
from app.tui.list_keys import MOVING
from app.tui.screens.search.actions import WHAT_IF, WHAT_IF_ACTIONS
from app.tui.screens.search.whatif import CONTROLS, Control, WhatIf
from app.tui.screens.search.whatif_lines import Line, Target, compact_lines, panel_lines, single_line, target_at
from engine.records import SearchSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

WHOLE_LINES = 7  # of the panel; a lower one shows the compact form
QUICK_STEPS = 4  # of shift and an arrow


class WhatIfPanel(Widget, can_focus=True):
    """Shows a WhatIf and asks for others; whoever listens ranks the rows and shows what came of it."""

    BINDINGS = [
        Binding("left,h", "step(-1)", "less", show=False),
        Binding("right,l", "step(1)", "more", show=False),
        Binding("shift+left", f"step(-{QUICK_STEPS})", "much less", show=False),
        Binding("shift+right", f"step({QUICK_STEPS})", "much more", show=False),
        *bindings(MOVING[:2]),
        Binding("space,x,enter", "step(1)", "switch", show=False),
        *bindings(action for action in WHAT_IF_ACTIONS if len(action.keys) == 1),
    ]
    DEFAULT_CSS = """
    WhatIfPanel { height: 8; border-top: solid $faint; padding: 0 1 0 0; }
    WhatIfPanel.-idle { display: none; }
    """

    control: reactive[Control] = reactive("weight", init=False)

    @dataclass
    class Changed(Message):
        """Other settings are to be tried; only the newest of several counts."""

        settings: SearchSettings

        def can_replace(self, message: Message) -> bool:
            """Take the place of older settings that nobody has tried yet."""
            return isinstance(message, WhatIfPanel.Changed)

    @dataclass
    class Kept(Message):
        """What is tried is to become the person's own."""

        settings: SearchSettings

    class TakenBack(Message):
        """What was kept is to be the person's own no more."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.state: WhatIf | None = None
        self._dragged: Target | None = None

    @property
    def shown_lines(self) -> list[str]:
        """The lines as plain text, for tests."""
        return [line.content.plain for line in self._lines()]

    def show(self, state: WhatIf | None) -> None:
        """Show other settings, or None where nothing can be tried."""
        self.state = state
        self.set_class(state is None, "-idle")
        self.refresh()

    def render(self) -> Content:
        """Return the lines."""
        return Content("\n").join(line.content for line in self._lines())

    def _lines(self) -> Sequence[Line]:
        width, height = self.content_size
        build = panel_lines if height >= WHOLE_LINES else compact_lines if height > 1 else single_line
        if self.has_focus:
            return build(self.state, width, self.control)
        return build(self.state, width, None, WHAT_IF.key_in("query", keymap_of(self.app)))

    def _try(self, state: WhatIf) -> None:
        """Show the new settings at once; the rows follow."""
        if self.state is None or state.tried == self.state.tried:
            return
        self.show(state)
        self.post_message(self.Changed(state.tried))

    def action_step(self, steps: int) -> None:
        """Move the chosen control."""
        if self.state is not None:
            self._try(self.state.stepped(self.control, steps))

    def action_move(self, controls: int) -> None:
        """Choose another control."""
        known = self.state.controls if self.state is not None else CONTROLS
        place = known.index(self.control) if self.control in known else 0
        self.control = known[(place + controls) % len(known)]

    def reset(self) -> None:
        """Return to the person's own settings; where they stand and were changed here, ask for those of before."""
        if self.state is not None and self.state.changed:
            self._try(self.state.reset())
        elif self.state is not None and self.state.kept:
            self.post_message(self.TakenBack())

    def keep(self) -> None:
        """Ask for what is tried to become the person's own."""
        if self.state is not None and self.state.changed:
            self.post_message(self.Kept(self.state.tried))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of a slider, or press what stands under the pointer."""
        place = event.get_content_offset(self)
        target = target_at(self._lines(), place.x, place.y) if place else None
        if target is None or self.state is None:
            return
        event.stop()
        if target.control is not None:
            self.control = target.control
        if target.press == "keep":
            self.keep()
        elif target.press == "reset":
            self.reset()
        else:
            self._dragged = target if target.slides else None
            if target.slides:
                self.capture_mouse()
            self._try(target.applied(self.state, place.x if place else 0))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Move the slider that is held."""
        place = event.get_content_offset_capture(self)
        if self._dragged is not None and self.state is not None:
            self._try(self._dragged.applied(self.state, place.x))

    def on_mouse_up(self) -> None:
        """Let go."""
        self._dragged = None
        self.release_mouse()
