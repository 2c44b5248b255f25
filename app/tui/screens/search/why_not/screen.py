"""Why not: a line to name a document in, the documents that fit, and the report of the chosen one."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from app.tui.background import in_background
from app.tui.browser import browser_of
from app.tui.list_keys import LIST_BINDINGS, MovesByLines
from app.tui.screens.dialog import Dialog
from app.tui.screens.search.why_not.remedies import Remedy, remedies
from app.tui.screens.search.why_not.report_lines import report_lines
from app.tui.theme import ALARM, BRIGHT, KEY, QUIET
from app.tui.threads import in_thread
from app.tui.widgets.built_line import BuiltLine
from app.tui.widgets.choice_list import ChoiceList
from app.tui.widgets.footer import hints
from app.tui.widgets.line_views import LineView, wrapped
from app.tui.widgets.text_line import TextLine
from app.wording.cells import cut_front
from app.wording.paths import shown_path
from app.wording.safe_text import one_line
from engine.errors import CarrelError
from engine.paths import display
from engine.records import SearchSettings, StoredDocument, WhyReport

if TYPE_CHECKING:
    from app.tui.library_port import LibraryPort

_log = logging.getLogger("carrel")
MOST_DOCUMENTS = 50
CHOOSE, BACK = ("↑↓", "choose"), ("esc", "back")
HELPS = (("enter", "to what would help"), ("1-9", "try it there"))  # where something would


@dataclass(frozen=True, slots=True)
class Pursuit:
    """A remedy that was chosen, and the document that it is to bring back."""

    remedy: Remedy
    path: bytes


class WhyNotScreen(MovesByLines, Dialog[Pursuit | None]):
    """Asks which document is missed, and ends with what to try for it."""

    BINDINGS = [
        Binding("escape", "back", show=False),
        *LIST_BINDINGS,
        Binding("shift+down", "scroll(3)", show=False),
        Binding("shift+up", "scroll(-3)", show=False),
    ]
    CSS_PATH = "whynot.tcss"
    AUTO_FOCUS = "#why-name"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-high")]

    name_line = query_one("#why-name", Input)
    documents = query_one("#why-documents", ChoiceList)
    report = query_one("#why-report", LineView)
    tries = query_one("#why-tries", ChoiceList)

    def __init__(self, library: LibraryPort, text: str, settings: SearchSettings, rows: int, blink: bool) -> None:
        super().__init__()
        self._library = library
        self._text = text
        self._settings = settings
        self._rows = rows
        self._blink = blink
        self._found: tuple[StoredDocument, ...] = ()
        self._remedies: tuple[Remedy, ...] = ()
        self._traced: WhyReport | None = None
        self._told = asyncio.Event()  # whether what stands there is told of the document that the line names by now

    def compose(self) -> ComposeResult:
        """Lay out the parts from top to bottom."""
        with Vertical(id="why-box"):
            yield BuiltLine(id="why-head")
            line = TextLine(placeholder="Name the note that you miss", compact=True, id="why-name")
            line.cursor_blink = self._blink
            yield line
            yield ChoiceList(id="why-documents", markup=False)
            yield LineView(id="why-report")
            yield ChoiceList(id="why-tries", markup=False)
            yield BuiltLine(id="why-keys")

    def on_mount(self) -> None:
        """Say what was searched, and list the first documents."""
        self.query_one("#why-head", BuiltLine).show(partial(_head, self._text))
        self._name_keys()
        self.documents.can_focus = self.report.can_focus = False
        self._list("")

    @property
    def keys(self) -> Sequence[tuple[str, str]]:
        """The keys that do something with what is found."""
        several = len(self._found) > 1 or len(self._remedies) > 1
        return [*([CHOOSE] if several else []), *(HELPS if self._remedies else ()), BACK]

    def _name_keys(self) -> None:
        keys = self.keys
        self.query_one("#why-keys", BuiltLine).show(lambda width: hints(keys).truncate(width))

    # --- finding the document -----------------------------------------------------------------------------------

    @on(Input.Changed)
    def _name_changed(self, event: Input.Changed) -> None:
        self._told.clear()
        self._list(event.value)

    def _list(self, fragment: str) -> None:
        work = partial(self._listed, fragment.strip())
        in_background(self, work, "named", exclusive=True, failed="Documents could not be listed")

    async def _listed(self, fragment: str) -> None:
        """Show the documents whose name fits."""
        try:
            self._found = found = await in_thread(partial(self._library.documents_named, fragment, MOST_DOCUMENTS))
        except Exception:
            self._offer_nothing()
            raise
        width = max(20, self.documents.scrollable_content_region.width - 1)
        self.documents.clear_options()
        self.documents.add_options([Option(_named(document, width)) for document in found])
        if found:
            self.documents.highlighted = 0
        else:
            self._show_nothing(fragment)

    def _show_nothing(self, fragment: str) -> None:
        """Say that no document has such a name, and what to do."""
        self._offer_nothing()
        said = f"No indexed note has “{one_line(fragment)}” in its title or path."
        advice = "The library screen (f3) lists what was left out or could not be read, each with its reason."
        told = Content.styled(said, BRIGHT), Content.styled(advice, QUIET)
        self.report.show(lambda width: [line for each in told for line in wrapped(each, width, Content())])

    def _offer_nothing(self) -> None:
        """Let go of what was offered to be tried: it belongs to another document."""
        self._remedies, self._traced = (), None
        self.tries.clear_options()
        self._name_keys()
        self._told.set()

    # --- tracing it ---------------------------------------------------------------------------------------------

    @on(OptionList.OptionHighlighted, "#why-documents")
    def _document_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if 0 <= event.option_index < len(self._found):
            document = self._found[event.option_index]
            self._told.clear()
            in_background(self, partial(self._trace, document), "trace", exclusive=True)

    async def _trace(self, document: StoredDocument) -> None:
        """Follow the document through the search in a thread, and show its stages."""
        path = Path(os.fsdecode(document.path))
        ask = partial(self._library.why, self._text, path, settings=self._settings, limit=self._rows)
        try:
            report = await in_thread(ask)
        except CarrelError as error:
            said = one_line(str(error))
            self._offer_nothing()
            self.report.show(lambda width: wrapped(Content.styled(said, ALARM), width, Content()))
            return
        except Exception:
            _log.exception("A document could not be traced: %r", document.path)
            self._offer_nothing()
            self.report.show(lambda width: [Content.styled("This cannot be said now; the log says why.", ALARM)])
            return
        self._traced = report
        self._remedies = remedies(report, self._settings)
        title = document.title or display(os.path.basename(document.path))
        self.report.show(partial(report_lines, report, title))
        self.tries.clear_options()
        self.tries.add_options([Option(_try(number, each)) for number, each in enumerate(self._remedies, 1)])
        self._name_keys()
        self._told.set()

    # --- keys ---------------------------------------------------------------------------------------------------

    def action_move(self, rows: int) -> None:
        """Move in the documents, or in what can be tried where the focus is there."""
        shown = self.tries if self.tries.has_focus else self.documents
        if shown.option_count:
            shown.highlighted = max(0, min(shown.option_count - 1, (shown.highlighted or 0) + rows))

    def action_scroll(self, lines: int) -> None:
        """Scroll the report."""
        self.report.scroll_to(y=self.report.scroll_offset.y + lines, animate=False)

    def action_back(self) -> None:
        """Go back to the name; there, leave."""
        if self.tries.has_focus:
            self.name_line.focus()
        else:
            self.dismiss(None)

    @on(Input.Submitted)
    def _name_submitted(self) -> None:
        in_background(self, self._turn_to_tries, "entered", exclusive=True)

    async def _turn_to_tries(self) -> None:
        """Go to what can be tried for the document that was named; keys wait until it is there."""
        with browser_of(self).opening():
            await self._told.wait()
            if self.tries.option_count:
                self.tries.focus()
                self.tries.highlighted = 0

    @on(OptionList.OptionSelected, "#why-tries")
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._pursue(event.option_index)

    def on_key(self, event: events.Key) -> None:
        """Try what a digit names, once the focus is on what can be tried."""
        if self.tries.has_focus and event.character and event.character in "123456789":
            event.stop()
            self._pursue(int(event.character) - 1)

    def _pursue(self, place: int) -> None:
        if self._traced is not None and self._told.is_set() and 0 <= place < len(self._remedies):
            self.dismiss(Pursuit(self._remedies[place], self._traced.path))


def _head(text: str, width: int) -> Content:
    asked = one_line(text) or "the documents that changed last"
    return Content.assemble(("Why not?  ", f"bold {BRIGHT}"), ("in the search for  ", QUIET), (asked, BRIGHT)).truncate(
        width, ellipsis=True
    )


def _named(document: StoredDocument, width: int) -> Content:
    """Return title and path of a document on one line, the file's name always in sight."""
    title = Content(one_line(document.title or display(os.path.basename(document.path))))
    title = title.truncate(width // 2, ellipsis=True)
    path = cut_front(shown_path(document.path), max(8, width - title.cell_length - 3))
    gap = " " * max(2, width - title.cell_length - cell_len(path))
    return Content.assemble(title, (gap + path, QUIET))


def _try(number: int, remedy: Remedy) -> Content:
    return Content.assemble((f"{number} ", KEY), ("→ ", QUIET), one_line(remedy.said))
