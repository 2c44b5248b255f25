"""The pane beside the rows: the text around the selected hit, or the explanation of its place."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.reactive import reactive, var

from app.tui.background import in_background
from app.tui.browser import Browser, browser_of
from app.tui.freshness import Reindexing
from app.tui.pages.units import page_count
from app.tui.ports import LibraryPort, Opened
from app.tui.screens.search.explanation.renderings import explanation_lines
from app.tui.screens.search.explanation.subject import Explained
from app.tui.screens.search.preview import (
    LEAD_LINES,
    Previewed,
    caption,
    first_line_of_hit,
    preview_lines,
    unavailable,
)
from app.tui.screens.search.whatif import row_of
from app.tui.screens.search.whatif_panel import WhatIfPanel
from app.tui.screens.search.window import Window, window_of, words_of
from app.tui.threads import in_thread
from app.tui.widgets.built_line import BuiltLine
from app.tui.widgets.line_views import LineView
from engine.records import Hit, SearchResult, SignalScale, StoredPassage

if TYPE_CHECKING:
    from app.tui.screens.reader.trail import Reading

_log = logging.getLogger("carrel")
QUIET_BEFORE_SENTENCE = 3  # times the quiet before a query is encoded: a held arrow key must not keep the encoder busy


class Pane(Vertical):
    """Follows the selected row."""

    explaining: reactive[bool] = reactive(False, init=False)
    result: var[SearchResult | None] = var(None, init=False)

    preview = query_one("#preview", LineView)
    explanation = query_one("#explanation", LineView)
    what_if = query_one(WhatIfPanel)
    caption = query_one("#caption", BuiltLine)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.scale: SignalScale | None = None  # what foreign queries reach here, for the explanation
        self.own: SearchResult | None = None  # the rows by the person's own settings, where others are tried
        self._hit: Hit | None = None
        self._place = 0  # which of the hits in the document is shown, in their order in the document
        self._passages: tuple[StoredPassage, ...] = ()  # the hits in the document where there are several
        self._previewed: Previewed | None = None
        self._sentences: dict[tuple[str, int, str], tuple[int, int] | None] = {}
        self._reindexing = Reindexing()

    def compose(self) -> ComposeResult:
        """Lay out both views, of which one shows, and the line below them."""
        yield LineView(id="preview")
        yield LineView(id="explanation")
        yield WhatIfPanel(id="what-if")
        yield BuiltLine(id="caption")

    def on_mount(self) -> None:
        """Begin with the preview; neither view takes the focus from the query line."""
        self.preview.can_focus = self.explanation.can_focus = False
        self.explanation.display = self.what_if.display = False

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
        self.explanation.display = self.what_if.display = explaining
        self.set_class(explaining, "-explaining")
        self.remove_class("-hidden")
        self._explain()

    @property
    def shown_hit(self) -> Hit | None:
        """The hit whose text shows: the selected row's, or another passage of its document."""
        return self._previewed.hit if self._previewed and self._hit else self._hit

    def show_hit(self, hit: Hit | None, result: SearchResult | None) -> None:
        """Show another hit, or the same one with fresh figures; the text stays where it was scrolled to."""
        same = hit is not None and self._hit is not None and hit.passage_id == self._hit.passage_id
        self._hit, self.result = hit, result
        self._explain(keep_place=same)
        if not same:
            self._previewed = None
        if hit is None or result is None:
            self.workers.cancel_group(self, "preview")
            self.preview.show(lambda width: ())
            self.caption.show(lambda width: Content())
        else:
            shown = self._previewed.hit.passage_id if self._previewed else hit.passage_id
            self._begin(hit, result, shown, keep_place=self._previewed is not None)  # else nobody chose a place yet

    def reading(self) -> Reading | None:
        """Return what the reader is opened on: the document of the hit that shows, with what is marked in it."""
        from app.tui.screens.reader.trail import Reading  # not needed before the first paint

        hit = self.shown_hit
        if hit is None or self.result is None:
            return None
        return Reading(
            hit.path,
            (hit.start, hit.end),
            tuple((passage.start, passage.end) for passage in self._passages) or ((hit.start, hit.end),),
            words_of(self.result),
            self._previewed.sentence if self._previewed else None,
        )

    def step(self, hits: int) -> bool:
        """Show the text of the next hit in the document, or of one before; False where there is no other."""
        if self._hit is None or self.result is None or len(self._passages) < 2:
            return False
        passage = self._passages[(self._place + hits) % len(self._passages)]
        self._begin(self._hit, self.result, passage.id, keep_place=False)
        return True

    def _begin(self, hit: Hit, result: SearchResult, passage_id: int, keep_place: bool) -> None:
        in_background(self, partial(self._load, hit, result, passage_id, keep_place), "preview", exclusive=True)

    def _explain(self, keep_place: bool = False) -> None:
        if self._hit is None or self.result is None:
            self.explanation.show(lambda width: ())
        elif self.explaining:
            before = row_of(self._hit.passage_id, self.own) if self.own else None
            explained = Explained(self._hit, self.result, self.scale, before, tried=self.own is not None)
            self.explanation.show(partial(explanation_lines, explained), keep_place=keep_place)

    async def _load(self, hit: Hit, result: SearchResult, passage_id: int, keep_place: bool) -> None:
        """Fetch the document and cut its window in a thread, show it, then look for the nearest sentence."""
        carrel = browser_of(self)
        if carrel.opened is None:
            return
        library = carrel.opened.library
        await asyncio.sleep(carrel.ports.pace.glance)
        try:
            self._passages = await in_thread(partial(hits_in_document, library, hit))
            places = {passage.id: place for place, passage in enumerate(self._passages)}
            self._place = places.get(passage_id, places.get(hit.passage_id, 0))
            shown = _at(hit, self._passages[self._place]) if self._passages else hit
            previewed = await in_thread(partial(self._read, carrel, shown, result))
        except Exception:
            _log.exception("A preview failed: %r", hit.path)
            previewed = Previewed(hit, None)
        previewed = replace(previewed, place=self._place + 1, places=max(1, len(self._passages)))
        known = self._sentences.get((result.query.text, previewed.hit.passage_id, previewed.text))
        previewed = replace(previewed, sentence=known)
        self._show(previewed, keep_place)
        if known is None and previewed.window is not None:
            await self._mark_nearest_sentence(carrel.opened, previewed, result, carrel.ports.pace.quiet)

    def _read(self, carrel: Browser, hit: Hit, result: SearchResult) -> Previewed:
        """Read what is shown of a hit; asks for the file to be indexed again where it has changed. In a thread."""
        assert carrel.opened is not None
        library = carrel.opened.library
        document = library.document_by_id(hit.document_id)
        if document is None:
            return Previewed(hit, None)
        window: Window = window_of(document, hit, words_of(result))
        freshness = carrel.ports.freshness(document)
        if freshness != "same":
            self._reindexing.ask(library, document)
        pages = page_count(document, partial(library.passages_of, document.id)) if hit.page else 0
        return Previewed(hit, window, freshness=freshness, text=document.text[hit.start : hit.end], pages=pages)

    def _show(self, previewed: Previewed, keep_place: bool) -> None:
        """Show a window, with the passage in sight unless the place is kept."""
        self._previewed = previewed
        window = previewed.window
        self.caption.show(partial(caption, previewed))
        if window is None:
            self.preview.show(unavailable)
            return
        lines = partial(preview_lines, window, sentence=previewed.sentence)
        self.preview.show(lines, keep_place=keep_place)
        if not keep_place:
            line = first_line_of_hit(window, self.preview.scrollable_content_region.width)
            top = max(0, line - LEAD_LINES)
            self.preview.scroll_to(y=top, animate=False, force=True)  # the scroll bar comes with the next layout only

    async def _mark_nearest_sentence(
        self, opened: Opened, previewed: Previewed, result: SearchResult, quiet: float
    ) -> None:
        """Mark the sentence nearest to the query in meaning, once the keys rest."""
        query, hit = result.query, previewed.hit
        if not query.meaning or result.fusion == "keyword":
            return
        await asyncio.sleep(QUIET_BEFORE_SENTENCE * quiet)
        try:
            found = await in_thread(partial(opened.library.nearest_sentence, query.text, previewed.text))
        except Exception:
            _log.exception("The nearest sentence could not be found")
            return
        sentence = (hit.start + found[0], hit.start + found[1]) if found else None
        if len(self._sentences) > 200:
            self._sentences.clear()
        self._sentences[query.text, hit.passage_id, previewed.text] = sentence
        if sentence and self._previewed is previewed:
            self._show(replace(previewed, sentence=sentence), keep_place=True)


def hits_in_document(library: LibraryPort, hit: Hit) -> tuple[StoredPassage, ...]:
    """Return the passages of a hit's document that are among the candidates, in their order; () where it is alone."""
    if not hit.more_in_document:
        return ()
    found = library.passages((hit.passage_id, *hit.more_in_document))
    return tuple(sorted(found, key=lambda passage: passage.ordinal))


def _at(hit: Hit, passage: StoredPassage) -> Hit:
    """Return a hit moved to another passage of its document; its figures stay those of the row."""
    return replace(
        hit,
        passage_id=passage.id,
        headings=passage.headings,
        start=passage.start,
        end=passage.end,
        line_start=passage.line_start,
        line_end=passage.line_end,
        page=passage.page,
    )
