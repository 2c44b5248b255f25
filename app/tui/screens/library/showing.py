"""The part of the library screen that shows: it reads the library in a thread, and listens to what the app hears."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.getters import query_one

from app.tui.background import in_background
from app.tui.ports import Opened
from app.tui.screens.carrel_screen import CarrelScreen
from app.tui.screens.library.folder_tree import EVERYTHING, Place, TreeRow, head_line, row_line, to_unfold, tree_rows
from app.tui.screens.library.index_queue import now_lines
from app.tui.screens.library.library_check import Checked, file_line
from app.tui.screens.library.library_contents import Contents, contents_of, last_indexed
from app.tui.screens.library.timeline import nothing_yet, story
from app.tui.status_line import StatusView, status_line
from app.tui.theme import ALARM, QUIET
from app.tui.threads import in_thread
from app.tui.widgets.built_line import BuiltLine
from app.tui.widgets.entry_list import Entry, EntryList
from app.tui.widgets.footer import KeyLine
from app.tui.widgets.line_views import LineView
from app.wording.safe_text import one_line
from engine.errors import CarrelError
from engine.records import Folder

if TYPE_CHECKING:
    from app.tui.ports import LibraryPort


class ShowingScreen(CarrelScreen):
    """Folders at the left; at the right what happens now, and what failed, changed and is left out of one of them."""

    status_bar = query_one("#status", BuiltLine)
    tree_list = query_one("#tree", EntryList)
    now = query_one("#now", LineView)
    story_list = query_one("#story", EntryList)
    file_bar = query_one("#file", BuiltLine)

    def __init__(self) -> None:
        super().__init__()
        self.contents = Contents()
        self._loaded = False
        self._indexed_at: dict[Place, str] = {}
        self.unfolded: set[Place] = set()  # the folders that are unfolded
        self._folded_once: set[bytes] = set()  # watched folders that were seen before
        self.pending: dict[bytes, str] = {}
        self.checked = Checked()
        self._failure: CarrelError | None = None

    @property
    def library(self) -> LibraryPort | None:
        """The library, once it is open."""
        return self.carrel.opened.library if self.carrel.opened else None

    def compose(self) -> ComposeResult:
        """Lay out the widgets."""
        yield BuiltLine(id="status")
        with Horizontal(id="body"):
            with Vertical(id="side"):
                yield BuiltLine(id="head")
                yield EntryList(id="tree")
            with Vertical(id="more"):
                yield LineView(id="now")
                yield EntryList(id="story")
        yield BuiltLine(id="file")
        yield KeyLine(id="keys")

    def on_mount(self) -> None:
        """Listen to what the app hears."""
        self.query_one("#head", BuiltLine).show(head_line)
        self.now.can_focus = False
        self.carrel.opened_signal.subscribe(self, self._library_opened)
        self.carrel.failed_signal.subscribe(self, self._library_failed)
        self.carrel.status_signal.subscribe(self, self._status_changed)
        self.carrel.commit_signal.subscribe(self, self._library_changed)
        self._status_changed(self.carrel.view)

    def on_screen_resume(self) -> None:
        """Show and read what may have changed while another screen was shown."""
        self._status_changed(self.carrel.view)
        self.load()

    # --- what the app hears -------------------------------------------------------------------------------------

    def _library_opened(self, _opened: Opened) -> None:
        self.load()

    def _library_failed(self, error: CarrelError) -> None:
        self._failure = error
        self._show_now(self.carrel.view)

    def _status_changed(self, view: StatusView) -> None:
        if self.carrel.current_mode != "library":
            return  # ten times a second while something is indexed; it is shown when the person comes back
        self.status_bar.show(partial(status_line, view))
        self._show_now(view)
        self.show_tree()
        self.file_bar.show(partial(file_line, view.status, self.checked))

    def _library_changed(self, _version: int) -> None:
        if self.carrel.current_mode == "library":
            self.load()

    # --- reading ------------------------------------------------------------------------------------------------

    def load(self) -> None:
        """Read the library anew, and show it."""
        in_background(self, self._read, "contents", exclusive=True, failed="The library could not be looked at")

    async def _read(self) -> None:
        """Read the library in a thread and show it."""
        library, status = self.library, self.carrel.view.status
        if library is None or status is None:
            return
        self.contents = await in_thread(partial(contents_of, library, status, self.carrel.ports.clock()))
        self._loaded, self._indexed_at = True, last_indexed(self.contents)
        self._unfold_new(status.folders)
        self.show_tree()
        self.show_story()

    def _unfold_new(self, folders: tuple[Folder, ...]) -> None:
        """Unfold a watched folder that stands alone, the first time that it is seen."""
        for folder in folders:
            tree = self.contents.trees.get(folder.path, ())
            if folder.path not in self._folded_once and tree and len(folders) == 1:
                self.unfolded |= {(folder.path, path) for path in to_unfold(tree)}
            if tree:
                self._folded_once.add(folder.path)

    # --- showing ------------------------------------------------------------------------------------------------

    @property
    def row(self) -> TreeRow | None:
        """The selected folder."""
        entry = self.tree_list.entry
        return entry.value if entry is not None and isinstance(entry.value, TreeRow) else None

    @property
    def place(self) -> Place:
        """Where the selected folder is; everything where none is selected."""
        return self.row.place if self.row else EVERYTHING

    @property
    def folder(self) -> Folder | None:
        """The watched folder that the selection is, or lies in."""
        status = self.carrel.view.status
        return next((each for each in status.folders if each.path == self.place[0]), None) if status else None

    @property
    def side(self) -> EntryList:
        """The list that has the focus, else the folders."""
        return self.story_list if self.story_list.has_focus else self.tree_list

    def show_tree(self) -> None:
        """Show the folders."""
        rows = tree_rows(self.carrel.view, self.contents.trees, self.unfolded, self.pending, self._indexed_at)
        entries = [Entry(row.place, partial(row_line, row), row) for row in rows]
        if not entries and self.carrel.view.status is not None:
            entries = [Entry("none", lambda width: Content.styled("No folder is watched yet: a adds one.", QUIET))]
        self.tree_list.show(entries)

    def _show_now(self, view: StatusView) -> None:
        failure = self._failure
        if failure is not None:
            self.now.show(lambda width: [Content.styled(one_line(str(failure)), ALARM)])
        else:
            self.now.show(partial(now_lines, view), keep_place=True)

    def show_story(self) -> None:
        """Show what there is to tell of the selected folder."""
        entries = story(self.contents, self.place, self.checked.checks)
        if not entries and self._loaded:
            said = nothing_yet(self.contents, self.place)
            entries = [Entry("nothing", lambda width: Content.styled(said, QUIET).truncate(width, ellipsis=True))]
        self.story_list.show(entries)

    @on(EntryList.Selected, "#tree")
    def _place_selected(self) -> None:
        self.show_story()
