"""More like this: lists of the passages nearest in meaning to one, laid over the rows of the query."""

from __future__ import annotations

from functools import partial

from textual.content import Content

from app.tui.background import in_background
from app.tui.browser import Browser
from app.tui.screens.search.arrangement import ORDER_WORDS, STEP_ROWS, Order
from app.tui.screens.search.results import ResultList
from app.tui.screens.search.row import title_of
from app.tui.screens.search.settings_trial import SettingsTrial
from app.tui.screens.search.shown_results import ShownResults
from app.tui.theme import BRIGHT, QUIET
from app.tui.threads import in_thread
from app.wording.safe_text import one_line
from engine.figures import percent
from engine.lazy_dataclass import dataclass
from engine.records import Hit, SearchResult


@dataclass(frozen=True, slots=True)
class Like:
    """A list of passages like one, and the title of that one; `chosen` is its passage, selected again after it."""

    title: str
    result: SearchResult
    chosen: int


class SimilarRows:
    """Holds the lists of more like this, the newest on the screen."""

    def __init__(self, browser: Browser, rows: ResultList, shown: ShownResults, trial: SettingsTrial) -> None:
        self._browser = browser
        self._rows = rows
        self._shown = shown
        self._trial = trial
        self._likes: list[Like] = []
        self._before: int | None = None  # how many there were when one was asked for last; None: none was, or in vain
        self._keys = 0  # pressed since then

    def __bool__(self) -> bool:
        """Whether such a list is on the screen."""
        return bool(self._likes)

    def key_pressed(self) -> None:
        """Take note that a key was pressed, whatever it is for."""
        self._keys += 1

    def find(self) -> None:
        """List the passages of other notes that are nearest in meaning to the selected one.

        The same key at once again takes that list back, as it closes what else it opens.
        """
        if self._before is not None and self._keys == 1:
            self._take_back(self._before)
        elif self._rows.hit is not None:
            self._before, self._keys = len(self._likes), 0
            work = partial(self._find, self._rows.hit)
            in_background(self._rows, work, "similar", exclusive=True, failed="This could not be looked for")

    def _take_back(self, before: int) -> None:
        self._before = None
        self._rows.workers.cancel_group(self._rows, "similar")
        if len(self._likes) > before:
            self.back()

    async def _find(self, hit: Hit) -> None:
        opened = self._browser.opened
        if opened is None:
            return
        title, trail = title_of(hit)
        result = await in_thread(partial(opened.library.similar, hit.passage_id, limit=STEP_ROWS))
        if not result.hits:
            self._before = None
            self._browser.notify(_nothing(result), markup=False)
            return
        self._likes.append(Like(title + trail, result, hit.passage_id))
        self._show()

    def _show(self) -> None:
        like = self._likes[-1]
        self._shown.heading = lambda width: like_line(like, width, self._shown.arrangement.order)
        self._trial.tell_pane()
        self._shown.show(like.result, stay=False)

    def back(self) -> None:
        """Leave the newest list."""
        newest = self._likes[-1]
        if len(self._likes) > 1:
            self._likes.pop()
            self._show()
            self._rows.select_passage(newest.chosen)
        else:
            self.leave()

    def leave(self) -> None:
        """Go back to the rows of the query."""
        first, answer = self._likes[:1], self._shown.answer
        self.forget()
        if answer is not None:
            self._trial.tell_pane()
            self._shown.show(answer.result, finished=answer.finished, stay=False)
            for like in first:
                self._rows.select_passage(like.chosen)
            self._trial.go_on()

    def forget(self) -> None:
        """Forget all lists, one that is still looked for too; other rows are about to come."""
        self._rows.workers.cancel_group(self._rows, "similar")
        self._likes.clear()
        self._before = None
        self._shown.heading = None


def _nothing(result: SearchResult) -> str:
    if result.so_far:
        return f"No other note is like it so far: {percent(result.embedded)} of the passages have a meaning by now."
    return "No other note is anything like it."


def like_line(like: Like, width: int, order: Order = "relevance") -> Content:
    """Return the chip of a list of more like this, the order of its rows where it is another one, and the way back."""
    ordered = "" if order == "relevance" else f" · {ORDER_WORDS[order]}"
    so_far = f" so far: meaning {percent(like.result.embedded)}" if like.result.so_far else ""
    found = f"{len(like.result.hits)} nearest in meaning{so_far}{ordered}   esc back"
    room = max(1, width - len(found) - 14)
    title = Content(one_line(like.title)).truncate(room, ellipsis=True)
    left = Content.assemble(("like: ", QUIET), title.stylize(BRIGHT), (" ×", QUIET))
    gap = " " * max(1, width - left.cell_length - len(found))
    return Content.assemble(left, (gap + found, QUIET)).truncate(width)
