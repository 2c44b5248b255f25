"""The list of watched folders as a tree, which keeps what is unfolded in it and which folder is selected."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from textual.content import Content

from app.tui.indexer_state import IndexerState
from app.tui.screens.library.folder_rows import EVERYTHING, Place, TreeRow, row_line, to_unfold, tree_rows
from app.tui.screens.library.library_contents import Contents
from app.tui.status_line import StatusView
from app.tui.theme import QUIET
from app.tui.widgets.entry_list import Entry, EntryList
from engine.records import Folder


class FolderTree(EntryList):
    """The watched folders and what lies in them, each with its figures and how fresh they are."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view = StatusView(None, IndexerState())
        self._contents = Contents()
        self._pending: Mapping[bytes, str] = {}
        self._unfolded: set[Place] = set()
        self._seen: set[bytes] = set()  # watched folders whose content was shown before

    @property
    def row(self) -> TreeRow | None:
        """The selected folder."""
        return self.entry.value if self.entry is not None and isinstance(self.entry.value, TreeRow) else None

    @property
    def taken_rows(self) -> tuple[TreeRow, ...]:
        """The marked folders, or the selected one."""
        return tuple(entry.value for entry in self.taken if isinstance(entry.value, TreeRow))

    @property
    def taken_folders(self) -> tuple[Folder, ...]:
        """The watched folders that are marked or selected, or in which what is lies."""
        places = {row.place[0] for row in self.taken_rows}
        status = self._view.status
        return tuple(each for each in status.folders if each.path in places) if status else ()

    @property
    def place(self) -> Place:
        """Where the selected folder is; everything where none is selected."""
        return self.row.place if self.row else EVERYTHING

    @property
    def folder(self) -> Folder | None:
        """The watched folder that the selection is, or lies in."""
        status = self._view.status
        return next((each for each in status.folders if each.path == self.place[0]), None) if status else None

    def show_status(self, view: StatusView) -> None:
        """Show what the indexer does with the folders now."""
        self._view = view
        self._show_rows()

    def show_contents(self, contents: Contents) -> None:
        """Show what lies in the folders; a watched one that stands alone is unfolded when it is first shown."""
        self._contents = contents
        folders = self._view.status.folders if self._view.status else ()
        for folder in folders:
            tree = contents.trees.get(folder.path, ())
            if folder.path not in self._seen and tree and len(folders) == 1:
                self._unfolded |= {(folder.path, path) for path in to_unfold(tree)}
            if tree:
                self._seen.add(folder.path)
        self._show_rows()

    def show_pending(self, pending: Mapping[bytes, str]) -> None:
        """Show the orders that are on their way, in words, by folder."""
        self._pending = pending
        self._show_rows()

    def fold(self, fold: bool) -> None:
        """Fold or unfold the selected folder; from one that is folded already, go to the folder around it."""
        row = self.row
        if row is None:
            return
        if row.folded is (not fold):
            (self._unfolded.discard if fold else self._unfolded.add)(row.place)
            self._show_rows()
        elif fold and row.place[1]:
            self.choose((row.place[0], row.place[1].rpartition(b"/")[0]))
        elif not fold:
            self.move(1)

    def _show_rows(self) -> None:
        rows = tree_rows(self._view, self._contents.trees, self._unfolded, self._pending, self._contents.at)
        entries = [Entry(row.place, partial(row_line, row), row) for row in rows]
        if not entries and self._view.status is not None:
            entries = [Entry("none", lambda width: Content.styled("No folder is watched yet: a adds one.", QUIET))]
        self.show(entries)
