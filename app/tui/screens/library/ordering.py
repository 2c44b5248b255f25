"""The part of the library screen that changes something: what a person asks of the folders and of the library file."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from app.tui.background import in_background
from app.tui.screens.confirm import ConfirmScreen
from app.tui.screens.library.folder_tree import absolute
from app.tui.screens.library.library_check import Checked, advice, file_line
from app.tui.screens.library.order_replies import ON_ITS_WAY, UNSPOKEN, Order, told
from app.tui.screens.library.picker import PickerScreen
from app.tui.screens.library.rule_editor import RulesScreen
from app.tui.screens.library.showing import ShowingScreen
from app.tui.threads import in_thread
from app.wording.figures import counted
from app.wording.paths import shown_path
from app.wording.safe_text import one_line
from engine.errors import CarrelError
from engine.records import DocumentChange, Failure, Folder

if TYPE_CHECKING:
    from app.tui.ports import LibraryPort

ASK_SECONDS = 0.25  # how often an order is asked after


class OrderingScreen(ShowingScreen):
    """Adds, pauses, forgets and checks; what takes long is ordered from the indexer, and its answer told."""

    def action_add(self) -> None:
        """Pick a folder and watch it."""
        library = self._writable()
        if library is None:
            return

        def added(folder: Path | None) -> None:
            if folder is not None:
                self.carrel.look_again()
                shown = shown_path(bytes(folder))
                self._say(f"Watching {shown}. What is read can be found at once.")
                self.carrel.wake_indexer()

        self.app.push_screen(PickerScreen(library.add, blink=self.carrel.ports.pace.blink), added)

    def action_remove(self) -> None:
        """Forget the selected watched folder, after a question."""
        folder = self._chosen_folder()
        if folder is None or self._writable() is None:
            return
        name = shown_path(folder.path)
        explained = (
            f"{counted(folder.documents, 'document')} and {counted(folder.passages, 'passage')} leave the library, with"
            " their vectors. Your files stay where they are, untouched. For a day, z takes the folder back as it was."
        )

        def answered(yes: bool | None) -> None:
            if yes:
                self._order(Order("remove", folder.path))

        question = ConfirmScreen(f"Forget {name}?", explained, "forget it", "keep it")
        self.app.push_screen(question, answered)

    def action_undo(self) -> None:
        """Take back the folder that was forgotten last."""
        library = self._writable()
        if library is not None:
            in_background(self, partial(self._take_back, library), "undo")

    async def _take_back(self, library: LibraryPort) -> None:
        forgotten = await in_thread(library.forgotten)
        if not forgotten:
            self._say("No folder was forgotten within the last day.")
            return
        folder = await in_thread(partial(library.undo_remove, Path(os.fsdecode(forgotten[0].path))))
        self._say(f"{shown_path(folder.path)} comes back, with all that was indexed of it.")
        self.carrel.look_again()
        self.load()
        self.carrel.wake_indexer()

    def action_pause(self) -> None:
        """Pause the selected watched folder, or resume it."""
        folder = self._chosen_folder()
        if folder is not None and self._writable() is not None:
            self._order(Order("resume" if folder.state == "paused" else "pause", folder.path))

    def action_retry(self) -> None:
        """Read what failed again: the selected file, or all of it in the selected folder."""
        if self._writable() is None:
            return
        entry = self.side.entry
        value = entry.value if entry is not None else None
        if isinstance(value, (Failure, DocumentChange)):
            self._order(Order("retry", value.path))
        elif self.row is not None and not self.row.failed:
            self._say("Nothing has failed here.")
        elif self.row is not None:
            self._order(Order("retry", absolute(self.place)))

    def action_look(self) -> None:
        """Compare the selected folder with the index now, and start the indexer where it was given up."""
        if self._writable() is not None:
            self.carrel.wake_indexer()
            self._order(Order("sync", absolute(self.place)))

    def action_rules(self) -> None:
        """Change what is left out of the selected watched folder."""
        folder, library = self._chosen_folder(), self._writable()
        if folder is not None and library is not None:
            in_background(self, partial(self._edit_rules, library, folder.path), "rules")

    async def _edit_rules(self, library: LibraryPort, folder: bytes) -> None:
        patterns = await in_thread(partial(library.folder_rules, folder))

        def kept(written: tuple[str, ...] | None) -> None:
            if written is not None and written != patterns:
                in_background(self, partial(self._keep_rules, library, folder, written), "rules")

        quiet = self.carrel.ports.pace.quiet
        self.app.push_screen(RulesScreen(library, folder, patterns, quiet=quiet), kept)

    async def _keep_rules(self, library: LibraryPort, folder: bytes, patterns: tuple[str, ...]) -> None:
        await in_thread(partial(library.set_folder_rules, folder, patterns))
        self._say("The rules are kept.")
        self._order(Order("sync", folder))

    def action_check(self) -> None:
        """Check the library file, in a thread."""
        if self.library is not None and not self.checked.running:
            self.checked = replace(self.checked, running=True)
            self._show_checked()
            in_background(self, partial(self._check, self.library), "check")

    async def _check(self, library: LibraryPort) -> None:
        try:
            checks = await in_thread(library.check)
        except CarrelError as error:
            self.checked = replace(self.checked, running=False)
            self._say(str(error), good=False)
        else:
            self.checked = Checked(self.carrel.ports.clock(), checks=checks)
            faults = self.checked.faults
            if faults:
                self._say(f"{counted(len(faults), 'fault')} found. {advice(faults)}", good=False)
        self._show_checked()

    def _show_checked(self) -> None:
        self.file_bar.show(partial(file_line, self.carrel.view.status, self.checked))
        self.show_story()

    # --- orders -------------------------------------------------------------------------------------------------

    def _order(self, order: Order) -> None:
        """Ask the indexer for something, show that it is on its way, and say how it ended."""
        if order.argument is None:
            self._say(UNSPOKEN, good=False)
        elif self.library is not None:
            in_background(self, partial(self._carry_out, self.library, order, order.argument), "order")

    async def _carry_out(self, library: LibraryPort, order: Order, argument: str) -> None:
        root = order.path
        self.pending[root] = ON_ITS_WAY[order.kind]
        self.show_tree()
        try:
            number = await in_thread(partial(library.file_request, order.kind, argument))
            while not (state := await in_thread(partial(library.request_state, number))).done:
                if self.carrel.view.indexer.phase in ("dead", "gone", "off"):
                    self._say("Nobody indexes now; this is done as soon as somebody does.", good=False)
                    return
                await asyncio.sleep(ASK_SECONDS)
            ended = told(order, state.outcome or {})
            self._say(ended.text, good=ended.good)
        finally:
            self.pending.pop(root, None)
            self.carrel.look_again()
            self.load()
            self.show_tree()

    def _chosen_folder(self) -> Folder | None:
        """Return the watched folder of the selection, or say that one is to be selected."""
        folder = self.folder
        if folder is None:
            self._say("Select a watched folder first.")
        return folder

    def _writable(self) -> LibraryPort | None:
        """Return the library where it can be written to, or say that it cannot."""
        library = self.library
        if library is not None and library.read_only:
            self._say("This library can only be read here; nothing can be changed.", good=False)
            return None
        return library

    def _say(self, text: str, *, good: bool = True) -> None:
        self.app.notify(one_line(text), severity="information" if good else "warning", markup=False)
