"""What a person does with the results as documents: read, open, copy, mark several, and step through one's hits."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from app.tui.actions import Action
from app.tui.background import in_background
from app.tui.browser import Place
from app.tui.clipboard import copy
from app.tui.screens.carrel_screen import CarrelScreen
from app.tui.threads import in_thread
from app.wording.figures import counted
from engine.paths import display
from engine.records import Hit

if TYPE_CHECKING:
    from app.tui.screens.search.pane import Pane
    from app.tui.screens.search.results import ResultList

_log = logging.getLogger("carrel")

DOCUMENT_ACTIONS = (
    Action("search.reader", "ctrl+o,r", "reader", "read", "Read the whole document",
           "Read the whole document: outline, finding, links."),
    Action("search.next_hit", "alt+down,right", "hit_in_document(1)", "", "Next hit in this document",
           "In the preview: go to the next hit in the same document, or the one before.",
           shown_key="alt+↑↓", footer=False),
    Action("search.previous_hit", "alt+up,left", "hit_in_document(-1)", "", "Previous hit in this document", "",
           footer=False),
    Action("search.mark", "f8,x", "mark", "mark", "Mark this result, to open several at once",
           "Mark results: opening and copying then act on all that are marked.", where="rows"),
    Action("search.copy_path", "ctrl+y,y", "copy_path", "copy path", "Copy the path",
           "Copy the path, of all marked results where there are any.", where="rows"),
    Action("search.copy_text", "Y", "copy_text", "", "Copy the text of the passage",
           "Copy the text of the passage, of all marked results where there are any.", footer=False, where="rows"),
)  # fmt: skip


class DocumentActions(CarrelScreen):
    """The part of the search screen that deals with documents."""

    rows: ResultList
    pane: Pane

    def results_opened(self, hits: Sequence[Hit]) -> None:
        """Remember that rows were opened; the search screen knows for which search."""
        raise NotImplementedError

    def taken(self) -> tuple[Hit, ...]:
        """Return the marked hits, or the selected one: at the passage that the preview shows of it."""
        marked = tuple(hit for hit in self.rows.hits if hit.passage_id in self.rows.marked)
        if marked:
            return marked
        hit = self.rows.hit
        shown = self.pane.shown_hit
        if hit is not None and shown is not None and shown.document_id == hit.document_id:
            return (shown,)
        return (hit,) if hit is not None else ()

    def action_open(self) -> None:
        """Open the selected note, or all that are marked, each at its line or page."""
        if self.taken():
            in_background(self, partial(self._open, self.taken()), "taking")

    async def _open(self, hits: Sequence[Hit]) -> None:
        texts = await self._texts(hits)
        self.results_opened(hits)
        self.carrel.open_places(
            [Place(hit.path, hit.line_start, hit.kind, hit.page, texts.get(hit.passage_id, "")) for hit in hits]
        )
        self.rows.unmark()

    async def _texts(self, hits: Sequence[Hit]) -> dict[int, str]:
        """Return the text of each hit's passage, as far as the library still has it."""
        opened = self.carrel.opened
        if opened is None:
            return {}
        try:
            found = await in_thread(partial(opened.library.passages, [hit.passage_id for hit in hits]))
        except Exception:
            _log.exception("Passages could not be read")
            return {}
        return {passage.id: passage.text for passage in found}

    def action_reader(self) -> None:
        """Read the whole document."""
        from app.tui.screens.reader.screen import ReaderScreen  # not needed before the first paint

        reading = self.pane.reading()
        if reading is not None:
            self.results_opened(self.taken()[:1])
            self.app.push_screen(ReaderScreen(reading))

    def action_hit_in_document(self, step: int) -> None:
        """Show another hit of the same document in the preview."""
        if self.rows.hit is not None and not self.pane.step(step):
            self.notify("This is the only hit in this document.", timeout=2, markup=False)

    def action_mark(self) -> None:
        """Mark the selected row, or take its mark away, and go on to the next."""
        if self.rows.hit is not None:
            self.rows.mark()
            run: Any = self
            run.action_move(1)

    def action_copy_path(self) -> None:
        """Copy the paths of the marked results, or of the selected one."""
        paths = list(dict.fromkeys(display(hit.path) for hit in self.taken()))
        if paths:
            copy(self.app, "\n".join(paths), "the path" if len(paths) == 1 else counted(len(paths), "path"))

    def action_copy_text(self) -> None:
        """Copy the passages of the marked results, or of the selected one."""
        if self.taken():
            in_background(self, partial(self._copy_text, self.taken()), "taking")

    async def _copy_text(self, hits: Sequence[Hit]) -> None:
        texts = await self._texts(hits)
        found = [texts[hit.passage_id].strip("\n") for hit in hits if hit.passage_id in texts]
        if found:
            copy(
                self.app,
                "\n\n".join(found) + "\n",
                "the passage" if len(found) == 1 else counted(len(found), "passage"),
            )
