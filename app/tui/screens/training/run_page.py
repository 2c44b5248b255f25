"""The page of one run: how far it is and what it learns from while it is at work, and its verdict once it is over."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.getters import query_one

from app.tui.screens.training.before_after import question_lines
from app.tui.screens.training.constants_table import constant_lines
from app.tui.screens.training.followed_run import FollowedRun
from app.tui.screens.training.learning_curves import learning_lines
from app.tui.screens.training.stage_strip import strip
from app.tui.screens.training.training_data import example_lines, making_lines, short_lines
from app.tui.screens.training.verdict import ending_lines, verdict_lines
from app.tui.theme import QUIET
from app.tui.training_port import Run
from app.tui.training_state import TrainingState
from app.tui.widgets.built_line import BuiltLine
from app.tui.widgets.line_views import LineView


class SizedView(LineView):
    """Lines that are made for a height too."""

    def on_resize(self) -> None:
        """Build anew for the new size."""
        self.rebuild()


class RunPage(Container):
    """The stages on top; below them what the run makes and learns, or how it ended."""

    strip_bar = query_one("#strip", BuiltLine)
    making = query_one("#making", SizedView)
    learning = query_one("#learning", SizedView)
    verdict = query_one("#verdict", SizedView)

    def __init__(self, followed: FollowedRun) -> None:
        super().__init__(id="run", classes="page")
        self._followed = followed
        self._run: Run | None = None  # None: the history does not know it yet, or no run is looked at

    def compose(self) -> ComposeResult:
        """Lay out the widgets."""
        yield BuiltLine(id="strip")
        with Container(id="live"):
            yield SizedView(id="making")
            yield SizedView(id="learning")
        with Container(id="over"):
            yield SizedView(id="verdict")

    def on_mount(self) -> None:
        """Leave the keys to what is made."""
        self.learning.can_focus = False

    @property
    def read_view(self) -> LineView:
        """The view that is read, and scrolls."""
        return self.verdict if self.has_class("-over") else self.making

    @property
    def _state(self) -> TrainingState:
        """What the run said last."""
        return self._followed.state

    def show_run(self, run: Run | None) -> None:
        """Show what the run says that is followed; `run` is what the history says of it."""
        self._run, state = run, self._state
        standing = run.state if run is not None else "running"
        over = state.over or state.judged is not None or standing == "crashed"
        self.set_class(over, "-over")
        self.set_class(not self._followed.name, "-empty")
        self.set_class(state.stepped is not None, "-training")
        self.strip_bar.show(partial(strip, state, standing))
        if over:
            self.verdict.show(self._over_lines, keep_place=True)
        else:
            self.making.show(self._making_lines, keep_place=True)
            self.learning.show(self._learning_lines, keep_place=True)

    def _making_lines(self, width: int) -> list[Content]:
        if self._state.started is None:
            return [Content.styled("starting …" if self._followed.name else "No run is looked at.", QUIET)]
        if self._state.stepped is not None and self.making.size.height < 8:
            return short_lines(self._state, width)
        beside = self._state.stepped is None and self.screen.has_class("-wide")
        return making_lines(self._state, width, examples=not beside)

    def _learning_lines(self, width: int) -> list[Content]:
        if self._state.stepped is None:
            return example_lines(self._state.examples, width)
        return learning_lines(self._state, width, self.learning.size.height)

    def _over_lines(self, width: int) -> list[Content]:
        run = self._run
        lines = verdict_lines(self._state, width, run) or ending_lines(self._state, run.state if run else "", width)
        questions = question_lines(self._state.questions, width)
        for part in (constant_lines(self._state, width), questions, self._looking_back(width)):
            lines += [Content(), *part] if part else []
        return lines

    def _looking_back(self, width: int) -> list[Content]:
        """Return how the run came to its end: the curves, and what it learnt from."""
        state = self._state
        learnt = learning_lines(state, width, 0) if state.stepped is not None else []
        made = making_lines(replace(state, review=None, folds=None, constants=None), width) if state.queries else []
        return [*learnt, Content(), *made] if learnt and made else learnt or made
