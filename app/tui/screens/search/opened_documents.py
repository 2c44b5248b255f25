"""What a person takes out of the results as documents: read, open, copy."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from app.tui.background import in_background
from app.tui.browser import Browser, OpeningHearer, Place
from app.tui.clipboard import copy
from app.tui.screens.search.actions import COPY
from app.tui.screens.search.implicit_feedback import ImplicitFeedback
from app.tui.screens.search.pane import Pane
from app.tui.screens.search.results import ResultList
from app.tui.screens.search.shown_results import ShownResults
from app.tui.threads import in_thread
from app.wording.safe_text import one_line
from engine.figures import counted
from engine.records import Hit

if TYPE_CHECKING:
    from app.tui.copied_forms import CopiedForm

_log = logging.getLogger("carrel")


class OpenedDocuments:
    """Opens and copies the marked results, or the selected one where none is marked."""

    def __init__(
        self, browser: Browser, rows: ResultList, pane: Pane, shown: ShownResults, feedback: ImplicitFeedback
    ) -> None:
        self._browser = browser
        self._rows = rows
        self._pane = pane
        self._shown = shown
        self._feedback = feedback
        self._opening: tuple[Hit, ...] = ()  # what enter pressed twice does not open twice

    @property
    def taken(self) -> tuple[Hit, ...]:
        """The marked hits, or the selected one: at the passage that the preview shows of it."""
        marked = tuple(hit for hit in self._rows.hits if hit.passage_id in self._rows.marked)
        if marked:
            return marked
        hit, shown = self._rows.hit, self._pane.shown_hit
        if hit is not None and shown is not None and shown.document_id == hit.document_id:
            return (shown,)
        return (hit,) if hit is not None else ()

    def open(self) -> None:
        """Open the selected note, or all that are marked, each at its line or page."""
        if self._open_or_give(self.taken):
            self._rows.unmark()

    def open_row(self) -> None:
        """Open the selected note alone."""
        if self._rows.hit is not None:
            self._open_or_give((self._rows.hit,))

    def _open_or_give(self, hits: tuple[Hit, ...]) -> bool:
        """Open rows, or give them to whoever asked for some; False where they were given, or there are none."""
        shown = self._shown
        if not hits or self._browser.hand_over(hits, shown.result, answered=shown.question is not None):
            return False
        if hits != self._opening:
            self._opening = hits
            in_background(self._rows, partial(self._open, hits), "taking")
        return True

    async def _open(self, hits: Sequence[Hit]) -> None:
        remember = self._memory_of(hits)
        try:
            texts = await self._texts(hits)
        finally:
            self._opening = ()
        self._browser.open_places(
            [Place(hit.path, hit.line_start, hit.kind, hit.page, texts.get(hit.passage_id, "")) for hit in hits],
            OpeningHearer(remember, lambda _place: self.read()),
        )

    def _memory_of(self, hits: Sequence[Hit]) -> Callable[[], None]:
        """Return what remembers that rows were opened, where they answer words that were searched for."""
        answer, result = self._shown.answer, self._shown.result
        if self._shown.question is None or answer is None or result is None:
            return lambda: None
        return partial(self._feedback.opened, hits, answer.asked.turn, result)

    async def _texts(self, hits: Sequence[Hit]) -> dict[int, str]:
        """Return the text of each hit's passage, as far as the library still has it."""
        opened = self._browser.opened
        if opened is None:
            return {}
        try:
            found = await in_thread(partial(opened.library.passages, [hit.passage_id for hit in hits]))
        except Exception:
            _log.exception("Passages could not be read")
            return {}
        return {passage.id: passage.text for passage in found}

    def read(self) -> None:
        """Read the whole document."""
        from app.tui.screens.reader.screen import ReaderScreen  # not needed before the first paint

        reading = self._pane.reading()
        if reading is not None:
            self._browser.push_screen(ReaderScreen(reading, self._memory_of(self.taken[:1])))

    def follow(self, hit: Hit, target: str, wiki: bool) -> None:
        """Go where a link of a document leads: to a note, which is read, or into the web browser."""
        in_background(self._rows, partial(self._follow, hit, target, wiki), "taking")

    async def _follow(self, hit: Hit, target: str, wiki: bool) -> None:
        from app.tui.pages.inline_markup import leads_out
        from app.tui.screens.reader.link_follower import visit
        from app.tui.screens.reader.screen import ReaderScreen  # not needed before the first paint
        from app.tui.screens.reader.trail import Reading

        if leads_out(target):
            await visit(self._browser, target)
            return
        opened = self._browser.opened
        if opened is None:
            return
        links = await in_thread(partial(opened.library.links, hit.document_id))
        found = next((link.path for link in links if (link.target, link.wiki) == (target, wiki)), None)
        path = hit.path if target.startswith("#") else found
        if path is None:
            said = f"“{one_line(target)}” leads to no note in the library."
            self._browser.notify(said, severity="warning", timeout=4, markup=False)
        else:
            self._browser.push_screen(ReaderScreen(Reading(path, anchor=target.partition("#")[2])))

    def choose_copy(self) -> None:
        """Ask in which form the marked results, or the selected one, are copied."""
        from app.tui.copied_forms import BY_LETTER, FORMS
        from app.tui.screens.closing_keys import closed_again  # not needed before the first paint
        from app.tui.screens.letter_choice import LetterScreen

        taken = self.taken

        def chosen(letter: str | None) -> None:
            if letter is not None:
                self.copy(BY_LETTER[letter], taken)

        if taken:
            title = "Copy" if len(taken) == 1 else f"Copy of {counted(len(taken), 'row')}"
            screen = LetterScreen(title, [(form.letter, form.name) for form in FORMS])
            self._browser.push_screen(closed_again(screen, COPY), chosen)

    def copy_texts(self) -> None:
        """Copy the passages of the marked results, or of the selected one."""
        from app.tui.copied_forms import BY_LETTER

        self.copy(BY_LETTER["t"], self.taken)

    def copy(self, form: CopiedForm, hits: Sequence[Hit]) -> None:
        """Copy rows in a form."""
        if form.of_text:
            in_background(self._rows, partial(self._copy_with_texts, form, tuple(hits)), "taking")
        else:
            self._copy(form, [(hit, "") for hit in hits])

    async def _copy_with_texts(self, form: CopiedForm, hits: Sequence[Hit]) -> None:
        texts = await self._texts(hits)
        self._copy(form, [(hit, texts[hit.passage_id]) for hit in hits if hit.passage_id in texts])

    def _copy(self, form: CopiedForm, rows: Sequence[tuple[Hit, str]]) -> None:
        made = list(dict.fromkeys(form.make(hit, text) for hit, text in rows))
        if made:
            what = f"the {form.name}" if len(made) == 1 else f"{form.name} of {counted(len(made), 'row')}"
            copy(self._rows.app, form.between.join(made), what)
