"""Fetches a model by name over the screen that asked for it, with how far it is; stopped, what has come is kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial

from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.getters import query_one

from app.model_catalogue import Model
from app.tui.browser import CarrelScreen
from app.tui.screens.dialog import Dialog
from app.tui.screens.screen_dismissal import leave
from app.tui.theme import BRIGHT, QUIET
from app.tui.threads import in_thread
from app.tui.widgets.footer import hints
from app.tui.widgets.line_views import LineView, wrapped
from app.wording.safe_text import one_line

LOOK_SECONDS = 0.2  # between two figures, as the download tells them
STOP = ("esc", "stop; what has come is kept")


class Stopped(Exception):
    """Raised in the thread that fetches, once the person wants no more of it."""


class FetchScreen(Dialog[None]):
    """Shows how far a model is; escape stops."""

    BINDINGS = [Binding("escape", "stop", show=False)]
    DEFAULT_CSS = """
    FetchScreen { align: center middle; background: $background 60%; }
    FetchScreen LineView { width: 68; max-width: 96%; height: 8; padding: 1 2; background: $panel; }
    """

    view = query_one(LineView)

    def __init__(self, model: str) -> None:
        super().__init__()
        self._model = model
        self._stage = "looking for it"
        self._stop = threading.Event()

    def compose(self) -> ComposeResult:
        """Lay out the one view."""
        yield LineView()

    @property
    def keys(self) -> Sequence[tuple[str, str]]:
        """The only key."""
        return (STOP,)

    def on_mount(self) -> None:
        """Show how far it is, and look again from time to time."""
        self._show()
        self.set_interval(LOOK_SECONDS, self._show)

    def told(self, stage: str) -> None:
        """Take in how far it is, in the thread that fetches. Raises Stopped once it is to stop."""
        if self._stop.is_set():
            raise Stopped
        self._stage = stage

    @property
    def stopped(self) -> bool:
        """Whether the person wants no more of it."""
        return self._stop.is_set()

    def give_up(self) -> None:
        """Have the thread stop with the next figure."""
        self._stop.set()

    def action_stop(self) -> None:
        """Stop, and go back."""
        self.give_up()
        self.dismiss()

    def _show(self) -> None:
        self.view.show(self.lines)

    def lines(self, width: int) -> list[Content]:
        """Return the text for a width."""
        return [
            *wrapped(Content.styled(f"Fetching {one_line(self._model)}", f"bold {BRIGHT}"), width, Content()),
            Content(),
            *wrapped(Content.styled(one_line(self._stage), QUIET), width, Content()),
            Content(),
            hints([STOP]),
        ]


async def fetch(screen: CarrelScreen, model: Model) -> bool:
    """Fetch an offered model; return whether it is here now. Raises ModelError where it cannot be had."""
    shown = FetchScreen(model.name)
    screen.carrel.push_screen(shown)
    try:
        await in_thread(partial(_install, model, shown.told))
        return not shown.stopped
    except Stopped:
        return False
    finally:
        shown.give_up()  # where the screen that asked is left, too
        if shown in screen.app.screen_stack:
            leave(shown)


def _install(model: Model, told: Callable[[str], None]) -> None:
    from engine.embedding import catalogue

    catalogue.install(model.name, told, late=model.kind == "late")
