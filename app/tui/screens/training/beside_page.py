"""The page of the model that runs beside the one in use: how far both agree, and what a review says of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.getters import query_one
from textual.message import Message

from app.tui.actions import bindings
from app.tui.background import in_background
from app.tui.browser import browser_of
from app.tui.screens.training.actions import BESIDE_ACTIONS
from app.tui.screens.training.beside_lines import comparison_lines, nothing_lines, standing_lines
from app.tui.screens.training.run_page import SizedView
from app.tui.theme import QUIET
from app.tui.threads import in_thread
from app.tui.widgets.line_views import LineView

if TYPE_CHECKING:
    from training.shadow_standing import Standing

MOST_CURVE_ROWS, LEAST_CURVE_ROWS = 9, 4
OTHER_ROWS = 20  # of what stands below the curves, so that it is in sight where there is room


class BesideView(SizedView):
    """The figures, and the keys of this page while it has the focus."""

    BINDINGS = bindings(BESIDE_ACTIONS)


class BesidePage(Container):
    """Verdict, review and agreement at the left; the curve, the tiers and the costs beside or below them."""

    class Read(Message):
        """How the model beside stands was read, and stands on the page."""

    figures = query_one("#figures", BesideView)
    curve = query_one("#curve", SizedView)

    def __init__(self) -> None:
        super().__init__(id="beside", classes="page")
        self.standing: Standing | None = None
        self._read_once = False

    def compose(self) -> ComposeResult:
        """Lay out both parts."""
        yield BesideView(id="figures")
        yield SizedView(id="curve")

    def on_mount(self) -> None:
        """Leave the keys to the figures."""
        self.curve.can_focus = False

    @property
    def name_beside(self) -> str:
        """The name of the model that runs beside the one in use, "" where none does."""
        return self.standing.state.shadow.name if self.standing is not None else ""

    @property
    def useful(self) -> Collection[str]:
        """The names of the actions that do something on this page now."""
        if self.standing is None:
            return ()
        if self.standing.burn_in is not None:
            return ("beside_back", "beside_stop")
        ready = () if self.standing.decision.missing else ("beside_promote",)
        return ("beside_review", *ready, "beside_stop")

    def load(self) -> None:
        """Read how the model beside stands, and show it."""
        in_background(self, self._read, "beside", exclusive=True, failed="The model beside could not be looked at")

    async def _read(self) -> None:
        self.standing = await in_thread(browser_of(self).ports.beside.standing)
        self._read_once = True
        self.set_class(self.standing is None, "-empty")
        self.figures.show(self._figure_lines, keep_place=True)
        self.curve.show(self._curve_lines, keep_place=True)
        self.post_message(self.Read())

    def _figure_lines(self, width: int) -> list[Content]:
        found = self.standing
        if found is None:
            return nothing_lines(width) if self._read_once else [Content.styled("reading …", QUIET)]
        lines = standing_lines(found, width)
        if self.screen.has_class("-wide"):
            return lines
        return [*lines, Content(), *comparison_lines(found, width, LEAST_CURVE_ROWS)]

    def _curve_lines(self, width: int) -> list[Content]:
        if self.standing is None:
            return []
        rows = max(LEAST_CURVE_ROWS, min(MOST_CURVE_ROWS, (self.curve.size.height - OTHER_ROWS) // 2))
        return comparison_lines(self.standing, width, rows)

    @property
    def read_view(self) -> LineView:
        """The view that is read, and scrolls."""
        return self.figures
