"""What a person asks of the watched folders: to add, forget, pause or read them again, and what to leave out of them.

What takes long is ordered from the indexer, and its answer told.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

from app.tui.background import in_background
from app.tui.browser import CarrelScreen, tell
from app.tui.screens.closing_keys import closed_again
from app.tui.screens.confirm import ConfirmScreen
from app.tui.screens.library.actions import ADD
from app.tui.screens.library.order_replies import ON_ITS_WAY, UNSPOKEN, Order, told
from app.tui.screens.library.picker import PickerScreen
from app.tui.screens.library.rule_editor import RulesScreen
from app.tui.threads import in_thread
from app.wording.paths import shown_path
from engine.figures import counted
from engine.records import Folder

if TYPE_CHECKING:
    from app.tui.library_port import LibraryPort

ASK_SECONDS = 0.25  # how often an order is asked after


class FolderOrders:
    """Carries out, for a screen, what is asked of its library; the screen hears of it by messages."""

    @dataclass
    class Pending(Message):
        """Other orders are on their way now; in words, by the path that each is for."""

        orders: Mapping[bytes, str]

    class Ended(Message):
        """An order was carried out, or given up: the library may look different now."""

    def __init__(self, screen: CarrelScreen) -> None:
        self._screen = screen
        self._pending: dict[bytes, str] = {}

    def add(self, library: LibraryPort) -> None:
        """Pick a folder and watch it."""
        carrel = self._screen.carrel

        def added(folder: Path | None) -> None:
            if folder is not None:
                carrel.look_again()
                tell(self._screen, f"Watching {shown_path(bytes(folder))}. What is read can be found at once.")
                carrel.wake_indexer()

        screen = PickerScreen(library, blink=carrel.ports.pace.blink)
        carrel.push_screen(closed_again(screen, ADD), added)

    def remove(self, library: LibraryPort, folders: Sequence[Folder]) -> None:
        """Forget watched folders, after a question."""
        documents, passages = (sum(getattr(each, name) for each in folders) for name in ("documents", "passages"))
        alone = len(folders) == 1
        names = "" if alone else f"{', '.join(shown_path(folder.path) for folder in folders)}. "
        back = "z takes the folder back as it was" if alone else "z takes them back as they were, the last one first"
        explained = (
            f"{names}{counted(documents, 'document')} and {counted(passages, 'passage')} leave the library, with"
            f" their vectors. Your files stay where they are, untouched. For a day, {back}."
        )

        def answered(yes: bool | None) -> None:
            if yes:
                for folder in folders:
                    self.send(library, Order("remove", folder.path))

        asked = f"Forget {shown_path(folders[0].path) if alone else counted(len(folders), 'folder')}?"
        it = "it" if alone else "them"
        question = ConfirmScreen(asked, explained, f"forget {it}", f"keep {it}")
        self._screen.carrel.push_screen(question, answered)

    def accept_removals(self, library: LibraryPort, folder: Folder) -> None:
        """Let the documents of a folder go that are held back, after a question."""
        explained = (
            f"The files of {counted(folder.held, 'document')} went at once, as where a disk is not mounted. So far the"
            " documents are kept and can be found; when the files come back, nothing has to be done."
        )

        def answered(yes: bool | None) -> None:
            if yes:
                self.send(library, Order("accept_removals", folder.path))

        question = ConfirmScreen(f"Let them go from {shown_path(folder.path)}?", explained, "let them go", "keep them")
        self._screen.carrel.push_screen(question, answered)

    def undo_remove(self, library: LibraryPort) -> None:
        """Take back the folder that was forgotten last."""
        in_background(self._screen, partial(self._take_back, library), "undo")

    async def _take_back(self, library: LibraryPort) -> None:
        forgotten = await in_thread(library.forgotten)
        if not forgotten:
            tell(self._screen, "No folder was forgotten within the last day.")
            return
        folder = await in_thread(partial(library.undo_remove, Path(os.fsdecode(forgotten[0].path))))
        tell(self._screen, f"{shown_path(folder.path)} comes back, with all that was indexed of it.")
        self._screen.post_message(self.Ended())
        self._screen.carrel.wake_indexer()

    def edit_rules(self, library: LibraryPort, folder: bytes) -> None:
        """Change what is left out of a watched folder."""
        in_background(self._screen, partial(self._edit_rules, library, folder), "rules")

    async def _edit_rules(self, library: LibraryPort, folder: bytes) -> None:
        carrel = self._screen.carrel
        with carrel.opening():
            patterns = await in_thread(partial(library.folder_rules, folder))

            def kept(written: tuple[str, ...] | None) -> None:
                if written is not None and written != patterns:
                    in_background(self._screen, partial(self._keep_rules, library, folder, written), "rules")

            carrel.push_screen(RulesScreen(library, folder, patterns, quiet=carrel.ports.pace.quiet), kept)

    async def _keep_rules(self, library: LibraryPort, folder: bytes, patterns: tuple[str, ...]) -> None:
        await in_thread(partial(library.set_folder_rules, folder, patterns))
        tell(self._screen, "The rules are kept.")
        self.send(library, Order("sync", folder))

    def send(self, library: LibraryPort, order: Order) -> None:
        """Ask the indexer for something, show that it is on its way, and say how it ended."""
        if order.argument is None:
            tell(self._screen, UNSPOKEN, good=False)
        else:
            in_background(self._screen, partial(self._carry_out, library, order, order.argument), "order")

    async def _carry_out(self, library: LibraryPort, order: Order, argument: str) -> None:
        self._set_pending({**self._pending, order.path: ON_ITS_WAY[order.kind]})
        try:
            number = await in_thread(partial(library.file_request, order.kind, argument))
            while not (state := await in_thread(partial(library.request_state, number))).done:
                if self._screen.carrel.view.indexer.phase in ("dead", "gone", "off"):
                    tell(self._screen, "Nobody indexes now; this is done as soon as somebody does.", good=False)
                    return
                await asyncio.sleep(ASK_SECONDS)
            ended = told(order, state.outcome or {})
            tell(self._screen, ended.text, good=ended.good)
        finally:
            self._set_pending({path: words for path, words in self._pending.items() if path != order.path})
            self._screen.post_message(self.Ended())

    def _set_pending(self, orders: dict[bytes, str]) -> None:
        self._pending = orders
        self._screen.post_message(self.Pending(orders))
