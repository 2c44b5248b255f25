"""From the query line to the rows: what is typed is asked, and the fitting one of the answers is shown."""

from __future__ import annotations

from app.tui.background import in_background
from app.tui.browser import Browser
from app.tui.ports import Opened
from app.tui.screens.search.live_search import Answered, Refused
from app.tui.screens.search.search_parts import SearchParts
from app.tui.screens.search.shown_results import ResultWidgets


class QueryFlow:
    """Leads each query through the parts of the screen."""

    def __init__(self, browser: Browser, widgets: ResultWidgets, parts: SearchParts) -> None:
        self._browser = browser
        self._line = widgets.query_line
        self._pane = widgets.pane
        self._parts = parts

    def open(self, opened: Opened) -> None:
        """Ask a library from now on, at once what stands in the query line."""
        self._parts.search.open(opened, self._browser.config.search_settings())
        self._parts.filters.forget_values()
        self.ask()

    def ask_again(self) -> None:
        """Forget what was read from the library, since it has changed, and ask the same again."""
        self._parts.filters.forget_values()
        self._pane.forget()
        self._parts.search.ask_again()

    def ask(self) -> None:
        """Ask what stands in the query line; where nothing does, for the documents that changed last."""
        parts = self._parts
        self._browser.ports.typed()
        self._pane.key_pressed()
        parts.feedback.key_pressed()
        parts.kept.typed()
        parts.filters.show()
        text = parts.filters.searched()
        half_typed = text != self._line.value
        parts.shown.offer(parts.filters.offers())
        if half_typed and not parts.filters.knows_values:
            in_background(self._line, self._list_values, "values", exclusive=True)
        if half_typed and parts.search.asks(text):
            return  # the rows stay
        parts.similar.forget()
        parts.trial.exploration = None
        parts.shown.begin_anew()
        parts.search.ask(text, self._line.unfinished)

    async def _list_values(self) -> None:
        """List the values of a filter that is being typed, once they are read."""
        if await self._parts.filters.read_values():
            self.ask()

    def finish_word(self) -> None:
        """Ask once more, with the last word finished."""
        self._parts.shown.offer(None)
        self._parts.search.finish(self._line.value)

    def show_answer(self, answer: Answered) -> None:
        """Show an answer to the newest question, unless a fuller one is on the screen already."""
        parts = self._parts
        self._line.app.call_after_refresh(parts.search.go_on)
        repeated = parts.search.finished
        if not parts.search.accepts(answer):
            return
        parts.feedback.answered(answer)
        if answer.finished:
            self._browser.window_title.show(answer.result.query.text)
        parts.filters.show(answer.result.query)
        if not answer.finished and not answer.result.hits:  # words alone that found nothing do not clear the list
            parts.shown.show_reading()
        elif not parts.trial.takes(answer):
            parts.shown.show_answer(answer, repeated)
            if repeated:
                parts.further.look_again()

    def show_refusal(self, refused: Refused) -> None:
        """Say under the query line why the newest question could not be answered."""
        self._line.app.call_after_refresh(self._parts.search.go_on)
        if self._parts.search.is_newest(refused.asked):
            self._parts.shown.show_error(refused.error)
