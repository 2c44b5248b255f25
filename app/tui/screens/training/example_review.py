"""The review of a run's examples before it learns from them, one after another: accept, reject, or leave it open."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial

from textual.app import ComposeResult
from textual.getters import query_one
from textual.screen import Screen

from app.tui.actions import Action, Where, bindings
from app.tui.background import in_background
from app.tui.list_keys import MOVING
from app.tui.screens.screen_dismissal import leave
from app.tui.screens.training.review_lines import end_lines, example_page, title_line
from app.tui.threads import in_thread
from app.tui.training_port import TrainingPort
from app.tui.widgets.built_line import BuiltLine
from app.tui.widgets.footer import KeyLine
from app.tui.widgets.line_views import LineView
from training.protocol import Example

REVIEW_ACTIONS = (
    Action("review.accept", "y,enter", "decide(True)", "accept", "Accept this example",
           "Learn from this example, and show the next one.", shown_key="y"),
    Action("review.reject", "n,x", "decide(False)", "reject", "Reject this example",
           "Do not learn from this example, and show the next one."),
    Action("review.skip", "right,l,space", "turn(1)", "skip", "Leave it open, and show the next example",
           "Decide nothing, and show the next example; what is left open is learnt from.", shown_key="→", late=True),
    Action("review.back", "left,h,backspace", "turn(-1)", "back", "Show the example before",
           "Show the example before, to decide otherwise.", shown_key="←", late=True),
    Action("review.accept_rest", "a", "accept_rest", "accept the rest", "Accept all the rest and let the run go on",
           "Accept all that is not decided yet, and let the run go on."),
    Action("review.go_on", "o", "go_on", "go on", "Let the run go on", "End the review and let the run learn."),
    Action("review.leave", "escape", "leave", "later", "Look at the rest later",
           "Go back; the run waits, and what was decided is kept."),
)  # fmt: skip


class ReviewScreen(Screen[bool]):
    """Gives True where the run may go on. Each decision is written down at once, one after another."""

    ACTIONS = (*REVIEW_ACTIONS, *MOVING)  # the example has the focus, and scrolls
    BINDINGS = bindings(REVIEW_ACTIONS)
    DEFAULT_CSS = """
    ReviewScreen { background: $background; }
    ReviewScreen #title { margin: 1 2; }
    ReviewScreen LineView { height: 1fr; padding: 0 1 0 2; }
    """

    page = query_one("#example", LineView)

    def __init__(self, port: TrainingPort, run: str) -> None:
        super().__init__()
        self._port = port
        self._run = run
        self._writing = asyncio.Lock()
        self.examples: tuple[Example, ...] = ()
        self.decided: dict[int, bool] = {}
        self.at = 0  # behind the last example stands what comes of it

    def where(self) -> Where:
        """Letters act everywhere here: nothing is typed."""
        return "rows"

    def compose(self) -> ComposeResult:
        """Lay out the title, the example and the keys."""
        yield BuiltLine(id="title")
        yield LineView(id="example")
        yield KeyLine()

    def on_mount(self) -> None:
        """Read the examples, and begin with the first that is not decided."""
        self.page.focus()
        in_background(self, self._read, "read", failed="The examples could not be read")

    async def _read(self) -> None:
        self.examples = tuple(await in_thread(partial(self._port.examples, self._run)))
        self.decided = dict(await in_thread(partial(self._port.decisions, self._run)))
        open_ = (at for at, each in enumerate(self.examples) if each.number not in self.decided)
        self.at = next(open_, len(self.examples))
        self._show()

    @property
    def shown(self) -> Example | None:
        """The example on the screen, None behind the last one."""
        return self.examples[self.at] if self.at < len(self.examples) else None

    def _show(self) -> None:
        example = self.shown
        title = partial(title_line, self._run, self.at, self.examples, dict(self.decided))
        self.query_one("#title", BuiltLine).show(title)
        if example is None:
            self.page.show(partial(end_lines, self.examples, dict(self.decided)))
        else:
            self.page.show(partial(example_page, example, self.decided.get(example.number)))

    def action_decide(self, accepted: bool) -> None:
        """Accept or reject what is shown, and show the next."""
        example = self.shown
        if example is not None:
            self._decide([example.number], accepted)
            self.action_turn(1)

    def action_turn(self, by: int) -> None:
        """Show the next example, or the one before."""
        self.at = max(0, min(self.at + by, len(self.examples)))
        self._show()

    def action_accept_rest(self) -> None:
        """Accept all that is not decided, and let the run go on."""
        rest = [each.number for each in self.examples if each.number not in self.decided]
        if rest:
            self._decide(rest, True)
        self.action_go_on()

    def action_go_on(self) -> None:
        """Let the run go on once all is written down."""
        in_background(self, self._go_on, "go on")

    async def _go_on(self) -> None:
        async with self._writing:
            leave(self, True)

    def action_leave(self) -> None:
        """Go back; the run waits."""
        self.dismiss(False)

    def _decide(self, numbers: Iterable[int], accepted: bool) -> None:
        chosen = tuple(numbers)
        self.decided |= dict.fromkeys(chosen, accepted)
        in_background(self, partial(self._write, chosen, accepted), "decide", failed="The decision was not kept")

    async def _write(self, numbers: tuple[int, ...], accepted: bool) -> None:
        """Write a decision down; where it comes too late, show those that count."""
        async with self._writing:
            try:
                await in_thread(partial(self._port.decide, self._run, numbers, accepted))
            except Exception:
                self.decided = dict(await in_thread(partial(self._port.decisions, self._run)))
                self._show()
                raise
