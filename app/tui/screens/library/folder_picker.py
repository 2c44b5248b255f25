"""The picker of a folder to watch: those that likely hold notes, a path that is completed, or a walk with the arrows.

A folder of very many files is counted first, and asked about.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.message import Message
from textual.widgets import Input

from app.tui.background import in_background
from app.tui.list_keys import LIST_BINDINGS, MovesByLines
from app.tui.screens.confirm import ConfirmScreen
from app.tui.screens.library.directories import Offered, completed, offered, shortened
from app.tui.screens.library.folder_size import ASKED_ABOVE, is_too_much, said_of
from app.tui.screens.library.vaults import Vault, likely_folders
from app.tui.theme import ALARM, QUIET
from app.tui.threads import in_thread
from app.tui.widgets.entry_list import Entry, EntryList
from app.tui.widgets.line_views import LineView, wrapped
from app.tui.widgets.text_line import TextLine
from app.wording.cells import cut_front
from app.wording.safe_text import one_line
from engine.errors import CarrelError
from engine.figures import counted
from engine.records import FolderCount

if TYPE_CHECKING:
    from app.tui.library_port import LibraryPort

CHOOSE = "Type the path of a folder, such as ~/notes, or choose one of the list."
COUNTED = 100_000  # files; more make no other answer
COUNT_SECONDS = 3.0  # a disk may be slow, and "more than" is enough to ask


class PathLine(TextLine):
    """A line for a path; the arrows belong to the list below."""


class FolderPicker(MovesByLines, Vertical):
    """A line for a path, the folders that it may become, and what enter would do. Tells the folder that was added."""

    BINDINGS = [
        Binding("tab", "complete", show=False),
        *LIST_BINDINGS,
    ]
    DEFAULT_CSS = """
    FolderPicker { height: auto; }
    FolderPicker PathLine, FolderPicker PathLine:focus {
        height: 1; border: none; padding: 0; margin-bottom: 1; background: $panel; background-tint: $background 0%;
        color: $bright;
    }
    FolderPicker PathLine > .input--placeholder { color: $quiet; }
    """

    line = query_one(PathLine)
    folders = query_one(EntryList)
    said = query_one("#said", LineView)

    @dataclass
    class Added(Message):
        """A folder is watched now."""

        folder: Path

    def __init__(self, library: LibraryPort, *, blink: bool = True, wanted: Path | None = None) -> None:
        super().__init__()
        self._wanted = wanted  # a folder that was named before: what it holds is counted at once
        self._library = library
        self._blink = blink
        self._offers = Offered("", False, ())
        self._likely: tuple[Vault, ...] | None = None  # looked for once
        self._counts: dict[str, int] = {}  # files by folder, of what was counted last
        self._chosen = False  # whether enter means the selected folder rather than the typed one
        self._busy = False
        self._early: list[Callable[[], None]] = []  # what keys do once the folders are there

    def compose(self) -> ComposeResult:
        """Lay out the line, the folders, and what is to be said."""
        yield PathLine(placeholder="~/notes", compact=True, select_on_focus=False)
        yield EntryList(id="folders")
        yield LineView(id="said")

    def on_mount(self) -> None:
        """Offer what is found."""
        self.line.cursor_blink = self._blink
        self.folders.can_focus = self.said.can_focus = False
        self.line.focus()
        if self._wanted is not None:
            self._write(shortened(str(self._wanted), "~"))
            self._early.append(self.take)
        self._look()

    @property
    def lines_in_sight(self) -> int:
        """How many folders are in sight."""
        return self.folders.page

    @on(Input.Changed)
    def _typed(self) -> None:
        self._chosen = False  # what was chosen of another list is not what enter means
        self._look()

    def _look(self) -> None:
        in_background(self, self._list, "list", exclusive=True, failed="The folders could not be listed")

    async def _list(self) -> None:
        typed = self.line.value
        if self._likely is None:
            self._likely = await in_thread(partial(likely_folders, os.path.expanduser("~")))
        offers = await in_thread(partial(offered, typed))
        if typed != self.line.value:
            return
        found = self._likely if not typed else ()
        self._offers, self._chosen = offers, bool(found)
        self.folders.show(self._entries(found, offers))
        self.folders.move(-len(offers.folders) - len(found))
        self._say(offers.trouble or self._purpose())
        early, self._early = self._early, []
        for action in early:
            action()

    def _waits(self, action: Callable[[], None]) -> bool:
        """Whether what a key does waits for the folders of the line as it is now."""
        waits = self._likely is None or self._offers.typed != self.line.value
        if waits:
            self._early.append(action)
        return waits

    def _entries(self, found: tuple[Vault, ...], offers: Offered) -> list[Entry]:
        """Return what is found, if anything, above the folders that the line may become."""
        known = {vault.path for vault in found}
        rest = [path for path in offers.folders if path not in known]
        entries = [Entry(vault.path, partial(_found_line, vault), vault.path) for vault in found]
        if found and rest:
            entries.append(Entry("rest", lambda width: Content.styled("In your home", QUIET)))
        return [*entries, *(Entry(path, partial(_folder_line, path, self._counts.get(path)), path) for path in rest)]

    def _purpose(self) -> str:
        """Return what enter would do now."""
        target = self._target()
        if target is None or not (self._chosen or self._offers.names_folder):
            return CHOOSE
        return f"Everything readable in {shortened(target, '~')} will be found; the files stay where they are."

    def _target(self) -> str | None:
        """Return the folder that enter means: the chosen one, else the one that was typed."""
        entry = self.folders.entry
        if self._chosen and entry is not None:
            return str(entry.value)
        return os.path.normpath(os.path.expanduser(typed)) if (typed := self.line.value.strip()) else None

    def _say(self, text: str, ink: str = QUIET) -> None:
        self.said.show(lambda width: wrapped(Content.styled(one_line(text), ink), width, Content()))

    def action_move(self, by: int) -> None:
        """Choose a folder of the list."""
        if self._waits(partial(self.action_move, by)):
            return
        if self._chosen:
            self.folders.move(by)
        self._chosen = self.folders.entry is not None
        self._say(self._purpose())

    def action_complete(self) -> None:
        """Go into the chosen folder, or complete what was typed as far as it is clear."""
        if self._waits(self.action_complete):
            return
        entry, folders = self.folders.entry, self._offers.folders
        if entry is not None and self._chosen and entry.value not in folders:
            self._write(shortened(str(entry.value), "~") + "/")  # one that was found elsewhere
        else:
            chosen = entry is not None and (self._chosen or len(folders) == 1)
            self._write(completed(self._offers, folders.index(str(entry.value)) if entry and chosen else -1))

    def _write(self, path: str) -> None:
        self.line.value = path
        self.line.cursor_position = len(path)

    @on(EntryList.Selected)
    def _clicked(self, message: EntryList.Selected) -> None:
        message.stop()

    @on(EntryList.Opened)
    def _opened(self, message: EntryList.Opened) -> None:
        """Go into a folder that was clicked twice."""
        message.stop()
        self._chosen = True
        self.action_complete()

    @on(Input.Submitted)
    def take(self) -> None:
        """Watch the chosen folder; where it holds very many files, after a question."""
        if self._likely is None or self._waits(self.take):  # nothing is watched that was not seen
            return
        target = self._target()
        if target is None:
            self._say(CHOOSE, ALARM)
        elif not self._busy:
            self._busy = True
            in_background(self, partial(self._weigh, Path(target)), "add", failed="This folder could not be added")

    async def _weigh(self, folder: Path) -> None:
        """Watch a folder, unless it holds so much that the person is to be asked."""
        typed = self.line.value
        self._say(f"Counting what is in {shortened(str(folder), '~')} …")
        ends = time.monotonic() + COUNT_SECONDS
        try:
            found = await in_thread(
                partial(
                    self._library.count_files,
                    folder,
                    COUNTED,
                    lambda: not self.is_attached or time.monotonic() > ends,
                )
            )
            if typed != self.line.value:
                return
            if found.files <= ASKED_ABOVE and found.all and not is_too_much(folder):
                await self._watch(folder)
            else:
                self._ask(folder, found)
        except CarrelError as error:
            self._say(str(error), ALARM)
        finally:
            self._busy = False

    async def _watch(self, folder: Path) -> None:
        try:
            await in_thread(partial(self._library.add, folder))
        except CarrelError as error:
            self._say(str(error), ALARM)
        else:
            self.post_message(self.Added(folder))

    def _ask(self, folder: Path, found: FolderCount) -> None:
        """Ask whether all of a large folder is to be read; where not, its folders are listed with what is in them."""

        def answered(yes: bool | None) -> None:
            if yes:
                in_background(self, partial(self._watch, folder), "add", failed="This folder could not be added")
                return
            self._counts = {os.path.join(folder, os.fsdecode(name)): files for name, files in found.inside.items()}
            self._write(shortened(str(folder), "~").rstrip("/") + "/")
            self._look()

        name = shortened(str(folder), "~")
        question = ConfirmScreen(f"Read all of {name}?", said_of(found), "read all", "choose folders below it")
        self.app.push_screen(question, answered)


def _found_line(vault: Vault, width: int) -> Content:
    return _with_note(shortened(_shown(vault.path), "~"), vault.words, width)


def _folder_line(path: str, files: int | None, width: int) -> Content:
    note = "" if files is None else counted(files, "file")
    return _with_note(_shown(os.path.basename(path)) + "/", note, width)


def _with_note(name: str, note: str, width: int) -> Content:
    left = cut_front(one_line(name), max(1, width - len(note) - 3))
    return Content.assemble(left, (f"   {note}" if note else "", QUIET))


def _shown(name: str) -> str:
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
