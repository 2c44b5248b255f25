"""The pane beside the rows: the text around the selected hit, or the explanation of its place."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.reactive import reactive, var
from textual.worker import Worker

from app.tui.screens.search.explain import Explained, explanation_lines
from app.tui.screens.search.preview import LEAD_LINES, caption, first_line_of_hit, preview_lines, unavailable
from app.tui.screens.search.window import Window, window_of, words_of
from app.tui.threads import in_thread
from app.tui.widgets.built_line import BuiltLine
from app.tui.widgets.lines import LineView
from engine.records import Hit, SearchResult, StoredDocument

if TYPE_CHECKING:
    from app.tui.app import CarrelApp

_log = logging.getLogger("carrel")


class Pane(Vertical):
    """Follows the selected row."""

    explaining: reactive[bool] = reactive(False, init=False)
    result: var[SearchResult | None] = var(None, init=False)

    preview = query_one("#preview", LineView)
    explanation = query_one("#explanation", LineView)
    caption = query_one("#caption", BuiltLine)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._hit: Hit | None = None

    def compose(self) -> ComposeResult:
        """Lay out both views, of which one shows, and the line below them."""
        yield LineView(id="preview")
        yield LineView(id="explanation")
        yield BuiltLine(id="caption")

    def on_mount(self) -> None:
        """Begin with the preview; neither view takes the focus from the query line."""
        self.preview.can_focus = self.explanation.can_focus = False
        self.explanation.display = False

    @property
    def shown(self) -> LineView:
        """The view that shows."""
        return self.explanation if self.explaining else self.preview

    def scroll_lines(self, lines: int) -> None:
        """Scroll the view that shows."""
        self.shown.scroll_to(y=self.shown.scroll_offset.y + lines, animate=False)

    def toggle(self) -> None:
        """Hide the pane, or show it."""
        hidden = self.styles.display == "none" or self.region.height == 0
        self.set_class(not hidden, "-hidden")
        self.set_class(hidden, "-wanted")

    def watch_explaining(self, explaining: bool) -> None:
        """Change places."""
        self.preview.display = not explaining
        self.explanation.display = explaining
        self.set_class(explaining, "-explaining")
        self.remove_class("-hidden")
        self._explain()

    def show_hit(self, hit: Hit | None, result: SearchResult | None) -> None:
        """Show another hit, or the same one with fresh figures; the text stays where it was scrolled to."""
        same = hit is not None and self._hit is not None and hit.passage_id == self._hit.passage_id
        self._hit, self.result = hit, result
        self._explain(keep_place=same)
        if hit is None or result is None:
            self.workers.cancel_group(self, "preview")
            self.preview.show(lambda width: ())
            self.caption.show(lambda width: Content())
        else:
            work: Callable[[], Coroutine[None, None, None]] = partial(self._load, hit, result, keep_place=same)
            _: Worker[None] = self.run_worker(
                work, group="preview", name="preview", exclusive=True, exit_on_error=False
            )

    def _explain(self, keep_place: bool = False) -> None:
        if self._hit is None or self.result is None:
            self.explanation.show(lambda width: ())
        elif self.explaining:
            self.explanation.show(partial(explanation_lines, Explained(self._hit, self.result)), keep_place=keep_place)

    async def _load(self, hit: Hit, result: SearchResult, keep_place: bool) -> None:
        """Fetch the document and cut its window in a thread, then show it."""
        app: Any = self.app
        carrel: CarrelApp = app
        opened = carrel.opened
        if opened is None:
            return

        def fetch() -> Window | None:
            document: StoredDocument | None = opened.library.document_by_id(hit.document_id)
            return window_of(document, hit, words_of(result)) if document else None

        try:
            window = await in_thread(fetch)
        except Exception:
            _log.exception("A preview failed: %r", hit.path)
            window = None
        self.caption.show(partial(caption, hit, window))
        if window is None:
            self.preview.show(unavailable)
            return
        self.preview.show(partial(preview_lines, window), keep_place=keep_place)
        if not keep_place:
            line = first_line_of_hit(window, self.preview.scrollable_content_region.width)
            self.preview.scroll_to(y=max(0, line - LEAD_LINES), animate=False)
