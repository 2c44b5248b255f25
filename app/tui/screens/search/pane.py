"""The pane beside the rows: the text around the selected hit, or the explanation of its place."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.message import Message
from textual.reactive import reactive, var

from app.tui.background import in_background
from app.tui.browser import browser_of
from app.tui.pictures.note_pictures import cells_of
from app.tui.ports import Opened
from app.tui.screens.search.explanation.renderings import explanation_lines
from app.tui.screens.search.explanation.subject import Explained
from app.tui.screens.search.key_rest import KeyRest
from app.tui.screens.search.preview import (
    LINK,
    Previewed,
    caption,
    preview_lines,
    top_of_preview,
    unavailable,
)
from app.tui.screens.search.preview_reader import PreviewReader
from app.tui.screens.search.whatif import row_of
from app.tui.screens.search.whatif_panel import WhatIfPanel
from app.tui.screens.search.window import Window, with_pictures, words_of
from app.tui.screens.search.word_notes import legend, notes_of
from app.tui.threads import in_thread
from app.tui.widgets.built_line import BuiltLine
from app.tui.widgets.line_views import LineView
from app.word_links import PlacedWord, placed
from engine.records import Hit, SearchResult, SignalScale

if TYPE_CHECKING:
    from app.tui.library_port import LibraryPort
    from app.tui.screens.reader.trail import Reading

KEPT_ANSWERS = 200  # passages looked into, of this and earlier queries
_log = logging.getLogger("carrel")


class Answers(NamedTuple):
    """Where a passage answers a question: its nearest sentence, and the words nearest to those asked."""

    sentence: tuple[int, int] | None
    nearest: tuple[PlacedWord, ...]


NOT_KNOWN = Answers(None, ())


class Pane(Vertical):
    """Follows the selected row."""

    @dataclass
    class BorderDragged(Message):
        """Its border to the rows was dragged to a cell of the screen."""

        x: int
        y: int

    explaining: reactive[bool] = reactive(False, init=False)
    result: var[SearchResult | None] = var(None, init=False)

    preview = query_one("#preview", LineView)
    explanation = query_one("#explanation", LineView)
    what_if = query_one(WhatIfPanel)
    legend = query_one("#nearest", BuiltLine)
    caption = query_one("#caption", BuiltLine)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.scale: SignalScale | None = None  # what foreign queries reach here, for the explanation
        self.own: SearchResult | None = None  # the rows by the person's own settings, where others are tried
        self._hit: Hit | None = None
        self._rest = KeyRest()
        self._steps = 0  # to another hit of the document, asked for and not shown yet
        self._previewed: Previewed | None = None
        self._outdated = False  # whether the library has changed since the preview was read
        self._answers: dict[tuple[str, int, str], Answers] = {}

    def compose(self) -> ComposeResult:
        """Lay out both views, of which one shows, and the line below them."""
        yield LineView(id="preview")
        yield LineView(id="explanation")
        yield WhatIfPanel(id="what-if")
        yield BuiltLine(id="nearest")
        yield BuiltLine(id="caption")

    def on_mount(self) -> None:
        """Begin with the preview; neither view takes the focus from the query line."""
        self._reader = PreviewReader(browser_of(self))
        self.preview.can_focus = self.explanation.can_focus = False
        self.explanation.display = self.what_if.display = self.legend.display = False

    @property
    def shown(self) -> LineView:
        """The view that shows."""
        return self.explanation if self.explaining else self.preview

    def scroll_lines(self, lines: int) -> None:
        """Scroll the view that shows."""
        self.shown.scroll_to(y=self.shown.scroll_offset.y + lines, animate=False)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of the border to the rows."""
        if event.get_content_offset(self) is None and (event.x == 0 or event.y == 0):
            event.stop()
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Tell where the border is dragged."""
        if self.app.mouse_captured is self:
            self.post_message(self.BorderDragged(event.screen_x, event.screen_y))

    def on_mouse_up(self) -> None:
        """Let go of the border."""
        self.release_mouse()

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
        self._show_legend()
        self._explain()

    @property
    def shown_hit(self) -> Hit | None:
        """The hit whose text shows: the selected row's, or another passage of its document."""
        return self._previewed.hit if self._previewed and self._hit else self._hit

    @dataclass
    class LinkClicked(Message):
        """A link in the preview was clicked: the hit, and where the link leads as written."""

        hit: Hit
        target: str
        wiki: bool

    def on_click(self, event: events.Click) -> None:
        """Tell which link was clicked."""
        link = event.style.meta.get(LINK)
        if link is not None and self.shown_hit is not None:
            self.post_message(self.LinkClicked(self.shown_hit, *link))

    def key_pressed(self) -> None:
        """Take note of a key: another row's text is read once the keys rest."""
        self._rest.pressed()

    def forget(self) -> None:
        """Take note that the library has changed, so that what shows is read anew with the next rows."""
        self._outdated = True

    def show_hit(self, hit: Hit | None, result: SearchResult | None, finished: bool = True) -> None:
        """Show another hit, or the same one with fresh figures; the text stays where it was scrolled to.

        Rows that are not `finished` make way for others in a moment, and their text is not read until then.
        """
        same = hit is not None and self._hit is not None and hit.passage_id == self._hit.passage_id
        self._hit, self.result = hit, result
        self._explain(keep_place=same)
        if not same:
            self._previewed, self._steps = None, 0
        if hit is None or result is None:
            self.workers.cancel_group(self, "preview")
            self.preview.show(lambda width: ())
            self.caption.show(lambda width: Content())
            self._show_legend()
        else:
            self._begin(hit, result, 0.0 if finished else browser_of(self).ports.pace.patience)

    def reading(self) -> Reading | None:
        """Return what the reader is opened on: the document of the hit that shows, with what is marked in it."""
        from app.tui.screens.reader.trail import Reading  # not needed before the first paint

        hit = self.shown_hit
        if hit is None or self.result is None:
            return None
        passages = self._previewed.passages if self._previewed else ()
        return Reading(
            hit.path,
            (hit.start, hit.end),
            tuple((passage.start, passage.end) for passage in passages) or ((hit.start, hit.end),),
            words_of(self.result),
            self._previewed.sentence if self._previewed else None,
        )

    def step(self, hits: int) -> bool:
        """Show the text of the next hit in the document, or of one before; False where there is no other."""
        if self._hit is None or self.result is None or not self._hit.more_in_document:
            return False
        self._steps += hits
        self._begin(self._hit, self.result)
        return True

    def _begin(self, hit: Hit, result: SearchResult, patience: float = 0.0) -> None:
        in_background(self, partial(self._load, hit, result, patience), "preview", exclusive=True)

    def _explain(self, keep_place: bool = False) -> None:
        if self._hit is None or self.result is None:
            self.explanation.show(lambda width: ())
        elif self.explaining:
            before = row_of(self._hit.passage_id, self.own) if self.own else None
            nearest = self.nearest_of(self._hit)
            explained = Explained(self._hit, self.result, self.scale, before, self.own is not None, nearest)
            self.explanation.show(partial(explanation_lines, explained), keep_place=keep_place)

    def nearest_of(self, hit: Hit) -> tuple[PlacedWord, ...]:
        """Return the words of a row's passage that answer those of the query, as far as they are known."""
        shown = self._previewed
        return shown.nearest if shown is not None and shown.hit.passage_id == hit.passage_id else ()

    async def _load(self, hit: Hit, result: SearchResult, patience: float) -> None:
        """Once the keys rest, read the text around a hit in a thread and show it; then look for the nearest sentence.

        It waits `patience` seconds more for rows that are better than these; they begin anew with theirs.
        """
        carrel = browser_of(self)
        if carrel.opened is None:
            return
        await self._rest.wait(carrel.ports.pace.glance)
        await asyncio.sleep(patience)
        shown, steps = self._previewed, self._steps
        keep_place = shown is not None and not steps  # else nobody chose a place yet
        passage = shown.hit.passage_id if shown else hit.passage_id
        before = None if self._outdated else shown
        library = carrel.opened.library
        try:
            previewed = await in_thread(partial(self._reader.read, library, hit, result, passage, steps, before))
        except Exception:
            _log.exception("A preview failed: %r", hit.path)
            previewed = Previewed(hit, None)
        self._steps, self._outdated = 0, False
        known = self._answers.get((result.query.text, previewed.hit.passage_id, previewed.text))
        sentence, nearest = known or NOT_KNOWN
        previewed = replace(previewed, sentence=sentence, nearest=nearest)
        self._show(previewed, keep_place)
        await self._show_pictures()
        if known is None and previewed.window is not None:
            await asyncio.sleep(carrel.ports.pace.sentence)
            await self._mark_answers(carrel.opened, self._previewed or previewed, result)

    def _show(self, previewed: Previewed, keep_place: bool) -> None:
        """Show a window, with the passage in sight unless the place is kept."""
        before, self._previewed = self._previewed, previewed
        window = previewed.window
        self.caption.show(partial(caption, previewed))
        if window is None:
            self.preview.show(unavailable)
        elif before is None or _drawn_of(before) != _drawn_of(previewed) or not keep_place:
            notes = notes_of(previewed.nearest)
            lines = partial(preview_lines, window, sentence=previewed.sentence, notes=notes)
            self.preview.show(lines, keep_place=keep_place, top=partial(self._top, window))
        self._show_legend()
        if (before.nearest if before else ()) != previewed.nearest:
            self._explain(keep_place=True)

    def _show_legend(self) -> None:
        """Tell below the text which words of the query its numbers stand for; without numbers there is no such line."""
        notes = notes_of(self._previewed.nearest) if self._previewed and not self.explaining else ()
        self.legend.display = bool(notes)
        self.legend.show(partial(legend, notes))

    async def _show_pictures(self) -> None:
        """Show the pictures of the window once they are made; it is not read again for them."""
        previewed = self._previewed
        if previewed is None or previewed.window is None:
            return
        targets = [line.shown.picture for line in previewed.window.lines if not line.shown.cells]
        cells = await cells_of(browser_of(self), previewed.hit.path, filter(None, targets))
        if cells and self._previewed is previewed:
            self._show(replace(previewed, window=with_pictures(previewed.window, cells)), keep_place=True)

    def _top(self, window: Window, width: int) -> int:
        return top_of_preview(window, self.preview.size.height, width)

    async def _mark_answers(self, opened: Opened, previewed: Previewed, result: SearchResult) -> None:
        """Mark the sentence nearest to the query in meaning, and the words nearest to its words, once the keys rest."""
        query, hit = result.query, previewed.hit
        if not query.meaning or result.fusion == "keyword":
            return
        try:
            found = await in_thread(partial(_answers, opened.library, query.text, hit, previewed.text))
        except Exception:
            _log.exception("The nearest sentence and words could not be found")
            return
        if len(self._answers) > KEPT_ANSWERS:
            self._answers.clear()
        self._answers[query.text, hit.passage_id, previewed.text] = found
        if found != NOT_KNOWN and self._previewed is previewed:
            self._show(replace(previewed, sentence=found.sentence, nearest=found.nearest), keep_place=True)


def _answers(library: LibraryPort, query: str, hit: Hit, text: str) -> Answers:
    """Look into one passage, some 10 to 100 ms."""
    words = placed(hit, text, library.nearest_words(query, text, hit.kind))
    found = library.nearest_sentence(query, text)
    return Answers((hit.start + found[0], hit.start + found[1]) if found else None, words)


def _drawn_of(previewed: Previewed) -> tuple[object, ...]:
    """Return what the lines of a preview are drawn from, to be compared."""
    return id(previewed.window), previewed.sentence, previewed.nearest
