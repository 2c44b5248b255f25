"""The blind review on the screen: two lists, one choice, and the next two. Leaving keeps what was chosen."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.getters import query_one
from textual.screen import Screen

from app.tui.actions import Where, bindings
from app.tui.background import in_background
from app.tui.browser import browser_of
from app.tui.list_keys import MOVING, MovesByLines
from app.tui.screens.screen_dismissal import leave
from app.tui.screens.training.actions import LIST_REVIEW_ACTIONS
from app.tui.screens.training.run_page import SizedView
from app.tui.screens.training.two_lists import list_lines, over_lines, question_line
from app.tui.theme import QUIET
from app.tui.threads import in_thread
from app.tui.widgets.built_line import BuiltLine
from app.tui.widgets.footer import KeyLine

if TYPE_CHECKING:
    from app.tui.beside_port import ReviewPort
    from engine.records import ShadowChoice
    from training.review_session import TwoLists

WIDE_COLUMNS = 100  # from here on the lists stand side by side


class ListReviewScreen(MovesByLines, Screen[None]):
    """Shows two lists at a time; a key that comes before they stand there chooses nothing."""

    ACTIONS = (*LIST_REVIEW_ACTIONS, *MOVING)
    BINDINGS = bindings(ACTIONS)
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE_COLUMNS, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-high")]
    DEFAULT_CSS = """
    ListReviewScreen { background: $background; layout: vertical; }
    ListReviewScreen #question { margin: 0 2; }
    ListReviewScreen.-high #question { margin: 1 2; }
    ListReviewScreen #lists { height: 1fr; layout: horizontal; }
    ListReviewScreen #lists LineView { width: 1fr; height: 1fr; padding: 0 1 0 2; background: $background; }
    ListReviewScreen #lists LineView { border-top: solid $faint; border-title-color: $bright; }
    ListReviewScreen.-narrow #lists { layout: vertical; }
    ListReviewScreen.-over #second { display: none; }
    """

    first = query_one("#first", SizedView)
    second = query_one("#second", SizedView)

    def __init__(self) -> None:
        super().__init__()
        self._review: ReviewPort | None = None
        self._since = 0.0  # when the lists came that stand on the screen
        self.lists: TwoLists | None = None  # None while the next ones are looked for, and behind the last

    def where(self) -> Where:
        """Letters act everywhere here: nothing is typed."""
        return "rows"

    @property
    def HIDDEN(self) -> tuple[str, ...]:  # noqa: N802  # read by the footer, as a constant of other screens
        """What has no room beside the choices; and those, where there is nothing to choose."""
        choices = (each.id for each in LIST_REVIEW_ACTIONS[:-1])
        return ("library", "palette") if self.lists is not None else ("library", "palette", *choices)

    def compose(self) -> ComposeResult:
        """Lay out the question, both lists and the keys."""
        yield BuiltLine(id="question")
        with Container(id="lists"):
            yield SizedView(id="first")
            yield SizedView(id="second")
        yield KeyLine()

    def on_mount(self) -> None:
        """Begin a sitting."""
        for view, name in ((self.first, "first"), (self.second, "second")):
            view.can_focus, view.border_title = False, name
        self.first.show(lambda width: [Content.styled("reading …", QUIET)])
        in_background(self, self._begin, "review", failed="The review could not begin")

    def on_unmount(self) -> None:
        """Let go of the library."""
        if (review := self._review) is not None:
            self._review = None
            in_background(self.app, partial(in_thread, review.close), "review")

    async def _begin(self) -> None:
        """Open the review, and show the first two lists; where that fails, go back and let it be told."""
        try:
            self._review = await in_thread(browser_of(self).ports.beside.review)
            await self._next()
        except Exception:
            leave(self)
            raise

    async def _next(self) -> None:
        if (review := self._review) is None:
            return
        self.lists = await in_thread(review.next)
        self._since = browser_of(self).ports.clock()
        self._show()

    def _show(self) -> None:
        review, lists = self._review, self.lists
        if review is None:
            return
        standing = review.standing
        self.set_class(lists is None, "-over")
        if lists is None:
            reason = "No more pairs are needed." if standing.outcome != "open" else NOTHING_LEFT
            self.query_one("#question", BuiltLine).show(lambda width: Content())
            self.first.show(partial(over_lines, standing, reason))
        else:
            self.query_one("#question", BuiltLine).show(partial(question_line, lists.query, standing))
            self.first.show(lambda width: list_lines(lists.left, width, self.first.size.height))
            self.second.show(lambda width: list_lines(lists.right, width, self.second.size.height))
        self.query_one(KeyLine).refresh()

    def action_choose(self, choice: ShadowChoice) -> None:
        """Keep a choice, and show the next two lists; nobody has compared two lists as soon as a key repeats."""
        ports = browser_of(self).ports
        seconds = ports.clock() - self._since
        if self.lists is None or seconds < ports.pace.considered:
            return
        self.lists = None
        in_background(self, partial(self._choose, choice, seconds), "review", failed="The choice was not kept")

    async def _choose(self, choice: ShadowChoice, seconds: float) -> None:
        if (review := self._review) is None:
            return
        try:
            await in_thread(partial(review.choose, choice, seconds))
            await self._next()
        except Exception:
            leave(self)
            raise

    def action_move(self, by: int) -> None:
        """Scroll both lists by so many lines."""
        for view in (self.first, self.second):
            view.scroll_to(y=view.scroll_offset.y + by, animate=False)

    @property
    def lines_in_sight(self) -> int:
        """How many lines of a list are in sight."""
        return self.first.size.height

    def action_leave(self) -> None:
        """Go back; all is kept."""
        self.dismiss()


NOTHING_LEFT = "No pair of lists is left: the first rows of no other search differ. More come as you search."
