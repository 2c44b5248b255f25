"""The result that is on the screen: its rows in their order, the line that says how the query was read, and a foreword.

The other parts of the search screen read from here what is shown, and hand in what is to be shown instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from textual.content import Content
from textual.widget import Widget

from app.tui.actions import Action, where_of
from app.tui.browser import Browser
from app.tui.screens.search import empty_states
from app.tui.screens.search.actions import DROP_FILTER, FILTERS, MORE, SPELLING
from app.tui.screens.search.arrangement import Arrangement, first_weak
from app.tui.screens.search.live_search import Answered
from app.tui.screens.search.pane import Pane
from app.tui.screens.search.query_line import QueryLine
from app.tui.screens.search.reading_line import reading_line
from app.tui.screens.search.results import Foreword, ResultList, place_of
from app.tui.screens.search.row import context_of
from app.tui.screens.search.start_page import StartPage, before_lines
from app.tui.status_line import StatusView
from app.tui.theme import ALARM, QUIET
from app.tui.widgets.built_line import BuiltLine
from app.wording.remarks import WORDS_ALONE, notes
from app.wording.safe_text import one_line
from engine.errors import CarrelError
from engine.figures import count
from engine.lazy_dataclass import dataclass
from engine.records import Hit, SearchResult, WordReading


@dataclass(frozen=True, slots=True)
class ResultWidgets:
    """The widgets that a result is shown in; `body` holds the rows and the pane."""

    query_line: QueryLine
    reading: BuiltLine
    body: Widget
    rows: ResultList
    pane: Pane


class ShownResults:
    """Shows one result at a time, and knows which one that is."""

    def __init__(self, browser: Browser, widgets: ResultWidgets, *, tips: bool = True) -> None:
        """Show results in `widgets`; with `tips` an empty query line tells what can be done."""
        self._browser = browser
        self._tips = tips
        self._widgets = widgets
        self.arrangement = Arrangement()
        self.start_page = StartPage(browser, widgets.query_line, widgets.rows)
        self.answer: Answered | None = None  # the last one to the query line; other rows may stand in its place
        self.result: SearchResult | None = None
        self.finished = False  # whether the result is more than what the words alone found
        self.heading: Callable[[int], Content] | None = None  # of rows that answer something else than the query line
        self.wanted: bytes | None = None  # a document to be selected once it is among the rows
        self._wanted_by = ""  # the query that was to bring it back
        self.moves = 0  # how often the person chose a row since the query last changed
        self.walked: Callable[[], None] = lambda: None  # told that the person goes through the rows
        self._offered: Callable[[int], Content] | None = None  # values of a filter that is being typed
        self._folded = 0  # weak rows that are there and not shown
        self._start_page = ("", "")
        self._failure: CarrelError | None = None

    @property
    def question(self) -> str | None:
        """The query whose words the rows answer; None where they answer none, as those like a passage."""
        result = self.result
        return result.query.text if result is not None and result.query.meaning and self.heading is None else None

    @property
    def more_there_is(self) -> str:
        """What stands after the last row: how many of those found are shown, and how to see more."""
        result = self.result
        if self._folded:
            return f"{count(self._folded)} weak   {self._key(MORE)} shows them"
        if result is None or len(result.hits) < self.arrangement.limit or result.found <= len(result.hits):
            return ""
        return f"{count(len(result.hits))} of {count(result.found)} shown   {self._key(MORE)} shows more"

    def name_keys(self) -> None:
        """Name the keys of the part that has the focus now in what is said of the rows."""
        self._widgets.rows.end_with(Content.styled(self.more_there_is, QUIET))

    def _key(self, action: Action) -> str:
        """Return the key of an action that works where the focus is."""
        return action.key_in(where_of(self._widgets.rows.screen), self._browser.own_keys)

    @property
    def folded_away(self) -> Sequence[Hit]:
        """The weak rows that are there and not shown."""
        return self.result.hits[len(self.result.hits) - self._folded :] if self.result is not None else ()

    @property
    def _unlisted(self) -> int:
        """How many documents that were found have no row yet."""
        result, answer = self.result, self.answer
        full = result is not None and answer is not None and len(result.hits) >= answer.asked.limit
        return max(0, result.found - len(result.hits)) if result is not None and full else 0

    # --- what comes in ------------------------------------------------------------------------------------------

    def begin_anew(self) -> None:
        """Forget what a person did to the rows of the last query; an empty query line has none."""
        self.moves = 0
        self.arrangement.begin_anew()
        if self._widgets.query_line.value != self._wanted_by:
            self.wanted = None
        if not self._widgets.query_line.value.strip():
            self.result = None
            self._widgets.reading.show(_blank)
            self._lay_out(stay=True)

    def _start_page_changed(self) -> None:
        if not self._widgets.query_line.value.strip():
            self._lay_out(stay=True)

    def show_answer(self, answer: Answered, repeated: bool) -> None:
        """Show the rows of an answer; `repeated` where the same query had a finished one before."""
        asked_words = bool(answer.asked.text.strip())
        looked_on = repeated and asked_words and self._widgets.rows.scroll_offset.y > 0
        self.result, self.finished = answer.result, answer.finished
        # Who has not moved looks at the best row, also a better one; where only vectors came, rows move quietly, as
        # long as the selected one is still in sight.
        rows = self._widgets.rows
        quietly = answer.embedded and rows.hit is not None and place_of(rows.hit, answer.result.hits, 0) < rows.page
        self._lay_out(stay=self.moves > 0 or looked_on or quietly)
        self.select_wanted()
        if asked_words:
            self.show_reading()
        else:
            self.start_page.look(self._start_page_changed)

    def show(self, result: SearchResult, *, finished: bool = True, stay: bool) -> None:
        """Show the rows of a result, and how its query was read; `stay` as ResultList.show has it."""
        self.result, self.finished = result, finished
        self._lay_out(stay)
        self.show_reading()

    def show_again(self, *, stay: bool = True) -> None:
        """Show the rows anew, in the order and with the notes unfolded that the person wants."""
        self._lay_out(stay)
        if self._widgets.query_line.value.strip() or self.arrangement.order != "relevance":
            self.show_reading()

    def offer(self, values: Callable[[int], Content] | None) -> None:
        """List the values of a filter that is being typed under the query line, or no more."""
        changed = values is not self._offered
        self._offered = values
        if changed:
            self.show_reading()

    def show_error(self, error: CarrelError) -> None:
        """Say why a search failed; the rows stay."""
        said = Content.styled(one_line(str(error)), ALARM)
        self._widgets.reading.show(lambda width: said.truncate(width, ellipsis=True))

    def show_failure(self, error: CarrelError) -> None:
        """Say why the library could not be opened."""
        self._failure = error
        self._lay_out(stay=True)

    def show_status(self, view: StatusView) -> None:
        """Bring the beginning up to date, which tells what there is to search."""
        page = (empty_states.headline(view.status, view.indexer), empty_states.advice(view.status, view.indexer))
        if page != self._start_page:  # progress alone does not change the page
            self._start_page = page
            self._lay_out(stay=True)

    # --- the rows -----------------------------------------------------------------------------------------------

    def choose(self, place: int) -> None:
        """Select a row for the person; better answers do not take the selection from it."""
        self.hold()
        self.walked()
        self._widgets.pane.key_pressed()
        self._widgets.rows.choose(place)

    def hold(self) -> None:
        """Keep the selection on its row from now on, wherever that stands: the person has done something to it."""
        self.moves += 1

    def want(self, path: bytes) -> None:
        """Select a document once it is among the rows of the query as it is now."""
        self.wanted, self._wanted_by = path, self._widgets.query_line.value

    def select_wanted(self) -> None:
        """Select the document that was to be brought back, where it is among the rows now."""
        if self.wanted is None:
            return
        if self._folded and self.result and any(hit.path == self.wanted for hit in self.result.hits):
            self.show_weak()
        place = next((place for place, hit in enumerate(self._widgets.rows.hits) if hit.path == self.wanted), None)
        if place is not None:
            self.wanted = None
            self._widgets.rows.choose(place)

    def show_weak(self) -> bool:
        """Show the weak rows that are folded away; False where none are."""
        if not self._folded:
            return False
        self.arrangement.weak_shown = True
        self.show_again()
        return True

    def turn_order(self) -> None:
        """Go on to the next order of the rows."""
        self.arrangement.turn()
        self.show_again(stay=False)

    def _lay_out(self, stay: bool) -> None:
        """Show the rows of the present result, or what stands in their place."""
        result, rows = self.result, self._widgets.rows
        empty, self._folded = result is None or not result.hits, 0
        self._widgets.body.set_class(empty, "-empty")
        if result is None or empty:
            rows.show((), None, self._foreword())
            return
        context = context_of(result, self._browser.roots, self._browser.ports.clock(), self.finished)
        self._widgets.pane.result = result
        folds = context.mode == "ranked" and self.heading is None
        weak = first_weak(result.hits) if folds else len(result.hits)
        if stay and rows.hit is not None and place_of(rows.hit, result.hits, 0) >= max(1, weak):
            self.arrangement.weak_shown = True  # the selected row is not folded away under the eyes
        self._folded = 0 if self.arrangement.weak_shown else len(result.hits) - weak
        hits, further, rule = self.arrangement.rows(result.hits, weak)
        more = Content.styled(self.more_there_is, QUIET)
        context = replace(context, further=further, rule=rule)
        rows.show(hits, context, self._foreword(), afterword=more, stay=stay)

    # --- the lines around them ----------------------------------------------------------------------------------

    def show_reading(self) -> None:
        """Say how the query was read, by the result on the screen."""
        reading, order = self._widgets.reading, self.arrangement.order
        if self._offered is not None:
            reading.show(self._offered)
        elif self.heading is not None:
            reading.show(self.heading)
        elif not self._widgets.query_line.value.strip() and order == "relevance":
            reading.show(_blank)
        elif self._nothing_read:
            reading.show(_blank)  # that a word is not here would be said of notes that nobody has read yet
        elif self.result is not None:
            reading.show(partial(reading_line, self.result, finished=self.finished, order=order, more=self._unlisted))

    @property
    def _nothing_read(self) -> bool:
        """Whether the library holds no document, so that the page alone says why nothing is found."""
        status = self._browser.view.status
        return status is not None and not status.documents and self.result is not None and not self.result.hits

    @property
    def offered_word(self) -> WordReading | None:
        """The first word of the query that no passage holds and for which another one is offered."""
        words = self.result.words if self.result and self.heading is None else ()
        return next((word for word in words if word.nearest), None)

    def _foreword(self) -> Foreword | None:
        """Return what stands above the rows, or alone: below how the query was read, where that is not plain."""
        page = self._page()
        if self.result is None or not self.finished or self.heading is not None or self._nothing_read:
            return page
        said = [
            *notes(self.result),
            *([f"{self._key(SPELLING)} takes the word that is offered."] if self.offered_word else []),
        ]
        return partial(empty_states.noted_lines, said, page) if said else page

    def _page(self) -> Foreword | None:
        result, view = self.result, self._browser.view
        if self.heading is not None:
            return None
        if self._failure is not None:
            return partial(empty_states.error_lines, self._failure)
        if not self._widgets.query_line.value.strip():
            if not self._tips:
                return None
            page = empty_states.recent_lines if result and result.hits else empty_states.start_lines
            known = partial(before_lines, self.start_page.before, self._browser.roots, self._key)
            return partial(page, view.status, view.indexer, known)
        if result is not None and not result.hits:
            keys = (self._key(DROP_FILTER), self._key(FILTERS)) if result.query.filters else None
            return partial(empty_states.nothing_lines, view.status, view.indexer, keys)
        if result and self.finished and self._without_model(result):
            return partial(empty_states.words_alone_lines, result.weights.reason)
        return empty_states.nearest_lines if result and self.finished and result.verdict == "none" else None

    def _without_model(self, result: SearchResult) -> bool:
        """Whether the words alone were searched though the person wants meaning, for a reason that does not pass."""
        wanted = self._browser.config.fusion != "keyword" and result.fusion == "keyword"
        reason = result.weights.reason
        return wanted and reason.startswith(WORDS_ALONE) and not reason.endswith("nothing is indexed yet")


def _blank(width: int) -> Content:
    return Content.styled("", QUIET)
