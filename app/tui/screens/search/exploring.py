"""What a person asks of a list that stands there: why not this note, what is like this one, how do two compare."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from textual import events
from textual.content import Content

from app.tui.background import in_background
from app.tui.clipboard import copy
from app.tui.screens.search.arrangement import STEP_ROWS
from app.tui.screens.search.explanation.subject import Explained
from app.tui.screens.search.row import title_of
from app.tui.screens.search.trying import Like, TryingActions
from app.tui.theme import ACCENT, QUIET
from app.tui.threads import in_thread
from app.wording.safe_text import one_line
from engine.records import Hit

if TYPE_CHECKING:
    from app.tui.screens.search.why_not.screen import Pursuit


class ExploringScreen(TryingActions):
    """Acts on the rows of the search screen, which says what is shown by `show_result`."""

    # --- taking the explanation along ---------------------------------------------------------------------------

    def action_copy_explanation(self, shape: str) -> None:
        """Copy the explanation of the selected row, as text or as JSON."""
        from app.tui.screens.search.explanation.clipboard_copy import (  # not needed before the first paint
            as_json,
            as_text,
        )

        explained = self._explained(self.rows.hit)
        if explained is None:
            self.notify("There is no row to explain yet.", markup=False)
        elif shape == "json":
            copy(self.app, as_json(explained), "the explanation as JSON")
        else:
            copy(self.app, as_text(explained), "the explanation as text")

    def _explained(self, hit: Hit | None) -> Explained | None:
        result = self.pane.result
        return Explained(hit, result, self.pane.scale) if hit is not None and result is not None else None

    # --- why not ------------------------------------------------------------------------------------------------

    def action_why_not(self) -> None:
        """Ask which note is missed, and follow it through the search."""
        from app.tui.screens.search.why_not.screen import WhyNotScreen  # not needed before the first paint

        opened = self.carrel.opened
        if opened is None:
            return
        settings = self.shown_settings
        blink = self.carrel.ports.pace.blink
        screen = WhyNotScreen(opened.library, self.query_line.value.strip(), settings, self.arrangement.limit, blink)
        self.app.push_screen(screen, self._pursue)

    def _pursue(self, pursuit: Pursuit | None) -> None:
        """Try what would bring a document back, and select it once it is there."""
        if pursuit is None:
            return
        self._wanted = pursuit.path
        remedy = pursuit.remedy
        if remedy.text is not None:
            self.query_line.value = remedy.text
            self.query_line.cursor_position = len(remedy.text)
        elif remedy.settings is not None:
            self._leave_likes()
            self.pane.explaining = True
            self.try_settings(remedy.settings)
        elif remedy.limit is not None:
            self._leave_likes()
            self.rows_shown()
            if self._wanted is not None and self._searching is not None:
                self.arrangement.limit = max(self.arrangement.limit, remedy.limit)
                self._searching.ask_more(self.arrangement.limit)

    # --- more like this -----------------------------------------------------------------------------------------

    def action_similar(self) -> None:
        """List the passages of other notes that are nearest in meaning to the selected one."""
        if self.rows.hit is not None:
            work = partial(self._find_similar, self.rows.hit)
            in_background(self, work, "similar", exclusive=True, failed="This could not be looked for")

    async def _find_similar(self, hit: Hit) -> None:
        opened = self.carrel.opened
        if opened is None:
            return
        title, trail = title_of(hit)
        result = await in_thread(partial(opened.library.similar, hit.passage_id, limit=STEP_ROWS))
        if not result.hits:
            self.notify("No other note is anything like it.", markup=False)
            return
        self._likes.append(Like(title + trail, result))
        self._show_like()

    def _show_like(self) -> None:
        like = self._likes[-1]
        self._tell_pane()
        self.show_result(like.result, finished=True, stay=False)

    def like_reading(self) -> Callable[[int], Content] | None:
        """Return the line under the query while more like this is on the screen."""
        return partial(like_line, self._likes[-1]) if self._likes else None

    def _leave_likes(self) -> None:
        """Go back to the rows of the query."""
        self._likes.clear()
        if self._answer is not None:
            answer = self._answer
            self._tell_pane()
            self.show_result(answer.result, finished=answer.finished, stay=False)

    def back_from(self) -> bool:
        """Leave the panel, or the newest list of more like this; false where there was neither."""
        if self.pane.what_if.has_focus:
            self.query_line.focus()
            return True
        if not self._likes:
            return False
        self._likes.pop()
        if self._likes:
            self._show_like()
        else:
            self._leave_likes()
        return True

    def on_click(self, event: events.Click) -> None:
        """Leave more like this where its chip is clicked."""
        if event.widget is self.reading and self._likes:
            self.back_from()

    # --- compare ------------------------------------------------------------------------------------------------

    def action_compare(self) -> None:
        """Compare the selected row with the marked one, else with the row above it, or for the first the next."""
        from app.tui.screens.search.compare.compared_figures import Pair, ordered  # not needed before the first paint
        from app.tui.screens.search.compare.screen import CompareScreen

        opened, hit, result = self.carrel.opened, self.rows.hit, self.pane.result
        if opened is None or hit is None or result is None or len(self.rows.hits) < 2:
            self.notify("Two results are needed to compare them.", markup=False)
            return
        first, second = ordered(hit, self._beside(hit))
        scale = self.pane.scale
        pair = Pair(Explained(first, result, scale), Explained(second, result, scale))
        self.app.push_screen(CompareScreen(opened.library, pair))

    def _beside(self, hit: Hit) -> Hit:
        marked = [each for each in self.rows.hits if each.passage_id in self.rows.marked and each is not hit]
        if marked:
            return marked[-1]
        place = self.rows.selected
        return self.rows.hits[place - 1 if place else 1]


def like_line(like: Like, width: int) -> Content:
    """Return the chip of a list of more like this, and the way back."""
    found = f"{len(like.result.hits)} nearest in meaning   esc back"
    room = max(1, width - len(found) - 14)
    title = Content(one_line(like.title)).truncate(room, ellipsis=True)
    left = Content.assemble(("like: ", QUIET), title.stylize(ACCENT), (" ×", QUIET))
    gap = " " * max(1, width - left.cell_length - len(found))
    return Content.assemble(left, (gap + found, QUIET)).truncate(width)
