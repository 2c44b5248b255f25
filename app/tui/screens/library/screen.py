"""The library screen: the watched folders, what the indexer does now, and what became of every file."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.getters import query_one

from app.tui.actions import Where, bindings
from app.tui.background import in_background
from app.tui.browser import CarrelScreen, Place, tell
from app.tui.list_keys import LIST_ACTIONS, MovesByLines
from app.tui.ports import Opened
from app.tui.screens.library.actions import HELP_PAGES, LIBRARY_ACTIONS
from app.tui.screens.library.folder_orders import FolderOrders
from app.tui.screens.library.folder_rows import EVERYTHING, TreeRow, absolute, head_line, query_inside
from app.tui.screens.library.folder_tree import FolderTree
from app.tui.screens.library.index_queue import now_lines
from app.tui.screens.library.library_check import LibraryFileLine
from app.tui.screens.library.library_contents import Contents, contents_of
from app.tui.screens.library.model_chooser import choose_model
from app.tui.screens.library.order_replies import Order
from app.tui.screens.library.share_orders import Sharing
from app.tui.screens.library.skipped import SkippedScreen
from app.tui.screens.library.team_entries import ShareMarks, ShareSearches
from app.tui.screens.library.timeline import Skipped, story
from app.tui.status_line import StatusView, status_line
from app.tui.theme import ALARM
from app.tui.threads import in_thread
from app.tui.widgets.built_line import BuiltLine
from app.tui.widgets.entry_list import EntryList
from app.tui.widgets.footer import KeyLine
from app.tui.widgets.line_views import LineView
from app.wording.paths import owner_words
from app.wording.safe_text import one_line
from engine.errors import CarrelError
from engine.records import DocumentChange, Failure, Folder
from engine.sources.readers.file_types import kind_of

if TYPE_CHECKING:
    from app.tui.library_port import LibraryPort

NARROW_COLUMNS = 100  # below it folders and files do not both fit beside each other


class LibraryScreen(MovesByLines, CarrelScreen):
    """Folders at the left; at the right what happens now, and what failed, changed and is left out of one of them."""

    ACTIONS = (*LIST_ACTIONS, *LIBRARY_ACTIONS)
    help_pages = HELP_PAGES
    HIDDEN = ("library",)  # in the footer: esc says the same better here
    BINDINGS = bindings(ACTIONS)
    CSS_PATH = "library.tcss"
    AUTO_FOCUS = "#tree"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (NARROW_COLUMNS, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-high")]

    status_bar = query_one("#status", BuiltLine)
    tree_list = query_one("#tree", FolderTree)
    now = query_one("#now", LineView)
    story_list = query_one("#story", EntryList)
    file_bar = query_one("#file", LibraryFileLine)

    def __init__(self) -> None:
        super().__init__()
        self._contents: Contents | None = None  # None: not read yet
        self._orders = FolderOrders(self)
        self._sharing = Sharing(self)
        self._failure: CarrelError | None = None

    @property
    def library(self) -> LibraryPort | None:
        """The library, once it is open."""
        return self.carrel.opened.library if self.carrel.opened else None

    def where(self) -> Where:
        """Letters act everywhere here: nothing is typed."""
        return "rows"

    def compose(self) -> ComposeResult:
        """Lay out the widgets."""
        yield BuiltLine(id="status")
        with Horizontal(id="body"):
            with Vertical(id="side"):
                yield BuiltLine(id="head")
                yield FolderTree(id="tree")
            with Vertical(id="more"):
                yield LineView(id="now")
                yield EntryList(id="story")
        yield LibraryFileLine(id="file")
        yield KeyLine(id="keys")

    # --- what it hears ------------------------------------------------------------------------------------------

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
        self._load()

    def _library_opened(self, _opened: Opened) -> None:
        self._load()

    def _library_failed(self, error: CarrelError) -> None:
        self._failure = error
        self._show_now(self.carrel.view)

    def _library_changed(self, _version: int) -> None:
        if self.app.current_mode == "library":
            self._load()

    def _status_changed(self, view: StatusView) -> None:
        if self.app.current_mode != "library":
            return  # ten times a second while something is indexed; it is shown when the person comes back
        self.status_bar.show(partial(status_line, view))
        self._show_now(view)
        self.tree_list.show_status(view)
        self.file_bar.show_status(view.status)

    @on(FolderOrders.Pending)
    def _orders_changed(self, message: FolderOrders.Pending) -> None:
        self.tree_list.show_pending(message.orders)

    @on(FolderOrders.Ended)
    def _order_ended(self) -> None:
        self.carrel.look_again()
        self._load()

    @on(EntryList.Selected, "#tree")
    @on(LibraryFileLine.CheckEnded)
    def _show_story(self) -> None:
        """Show what there is to tell of the selected folder."""
        self.story_list.show(story(self._contents, self.tree_list.place, self.file_bar.checked.checks))

    @on(EntryList.Opened)
    def _entry_opened(self) -> None:
        self.action_open()

    def on_descendant_focus(self) -> None:
        """Show the keys of the part that has the focus now."""
        self.query_one(KeyLine).refresh()

    def _show_now(self, view: StatusView) -> None:
        failure = self._failure
        if failure is not None:
            self.now.show(lambda width: [Content.styled(one_line(str(failure)), ALARM)])
        else:
            self.now.show(partial(now_lines, view), keep_place=True)

    def _load(self) -> None:
        """Read the library anew, and show it."""
        in_background(self, self._read, "contents", exclusive=True, failed="The library could not be looked at")

    async def _read(self) -> None:
        library, status = self.library, self.carrel.view.status
        if library is None or status is None:
            return
        self._contents = await in_thread(partial(contents_of, library, status, self.carrel.ports.clock()))
        self.tree_list.show_contents(self._contents)
        self._show_story()

    # --- moving -------------------------------------------------------------------------------------------------

    @property
    def _side(self) -> EntryList:
        """The list that has the focus, else the folders."""
        return self.story_list if self.story_list.has_focus else self.tree_list

    def action_move(self, by: int) -> None:
        """Select the line so many further down."""
        self._side.move(by)

    @property
    def lines_in_sight(self) -> int:
        """How many lines of the list are in sight."""
        return self._side.size.height

    def action_swap_side(self) -> None:
        """Go to the other side."""
        (self.tree_list if self._side is self.story_list else self.story_list).focus()

    def action_fold(self, fold: bool) -> None:
        """Fold or unfold the selected folder; from one that is folded already, go to the folder around it."""
        if self._side is not self.story_list:
            self.tree_list.fold(fold)

    def action_back(self) -> None:
        """Go back to the search."""
        self.carrel.action_show_library()

    def action_open(self) -> None:
        """Search inside the selected folder, open the marked or selected files, or list what a rule leaves out."""
        entry, files = self._side.entry, [*filter(None, map(_file, (each.value for each in self._side.taken)))]
        if len(files) > 1:
            self.carrel.open_places(files)
            self._side.unmark()
            return
        match entry.value if entry is not None else None:
            case TreeRow(place=place):
                self.carrel.search_inside(query_inside(place))
            case Failure() | DocumentChange():
                self.carrel.open_places(files)
            case ShareMarks(on=on) if self.library is not None:
                self._sharing.marks(self.library, on)
            case ShareSearches() if self.library is not None:
                self._sharing.searches(self.library)
            case Skipped() as skipped if self.library is not None and self._contents is not None:
                roots = [skipped.place[0]] if skipped.place != EVERYTHING else list(self._contents.trees)
                self.app.push_screen(SkippedScreen(self.library, skipped, roots))

    # --- changing -----------------------------------------------------------------------------------------------

    def _writable(self) -> LibraryPort | None:
        """Return the library where it can be written to, or say that it cannot."""
        library = self.library
        if library is not None and library.read_only:
            tell(self, "This library can only be read here; nothing can be changed.", good=False)
            return None
        return library

    def _chosen_folder(self) -> Folder | None:
        """Return the watched folder of the selection, or say that one is to be selected."""
        folder = self.tree_list.folder
        if folder is None:
            tell(self, "Select a watched folder first.")
        return folder if folder is not None and self._is_own(folder.path) else None

    def _is_own(self, path: bytes) -> bool:
        """Return whether a path lies on this machine, or say whose it is: only they can change what is brought."""
        whose = owner_words(path)
        if whose:
            tell(self, f"That folder is one of {whose}: only they can change it.")
        return not whose

    def _taken_folders(self) -> tuple[Folder, ...]:
        """Return the watched folders that are marked, or that of the selection, or say that one is to be selected."""
        folders = self.tree_list.taken_folders
        if not folders:
            tell(self, "Select a watched folder first.")
        return folders if all(self._is_own(folder.path) for folder in folders) else ()

    def _all_own(self) -> bool:
        """Return whether the marked or selected folders lie on this machine, or say whose the first other one is."""
        return all(self._is_own(row.place[0]) for row in self.tree_list.taken_rows)

    def action_mark(self) -> None:
        """Mark the selected line, or take its mark away, and go on to the next."""
        self._side.mark()
        self._side.move(1)

    def action_add(self) -> None:
        """Pick a folder and watch it."""
        if (library := self._writable()) is not None:
            self._orders.add(library)

    def action_remove(self) -> None:
        """Forget the marked watched folders, or the selected one, after a question."""
        if (folders := self._taken_folders()) and (library := self._writable()) is not None:
            self._orders.remove(library, folders)

    def action_accept(self) -> None:
        """Let go of what is held back of the selected watched folder, after a question."""
        folder, library = self._chosen_folder(), self._writable()
        if folder is not None and library is not None:
            if folder.held:
                self._orders.accept_removals(library, folder)
            else:
                tell(self, "Nothing is held back here.")

    def action_models(self) -> None:
        """Choose the model that reads for meaning."""
        if (library := self._writable()) is not None:
            choose_model(self, library)

    def action_undo(self) -> None:
        """Take back the folder that was forgotten last."""
        if (library := self._writable()) is not None:
            self._orders.undo_remove(library)

    def action_pause(self) -> None:
        """Pause the marked watched folders, or the selected one; where all are paused, resume them."""
        if (folders := self._taken_folders()) and (library := self._writable()) is not None:
            followed = [folder for folder in folders if folder.state != "paused"]
            for folder in followed or folders:
                self._orders.send(library, Order("pause" if followed else "resume", folder.path))
            self.tree_list.unmark()

    def action_retry(self) -> None:
        """Read what failed again: the marked or selected files, or all of it in such folders."""
        library = self._writable()
        if library is None or not self._all_own():
            return
        values = [entry.value for entry in self._side.taken]
        paths = [value.path for value in values if isinstance(value, (Failure, DocumentChange))]
        paths = paths or [absolute(row.place) for row in self.tree_list.taken_rows if row.failed]
        if not paths and self.tree_list.taken_rows:
            tell(self, "Nothing has failed here.")
        for path in paths:
            self._orders.send(library, Order("retry", path))
        self._side.unmark()

    def action_look(self) -> None:
        """Compare the marked or selected folders with the index now; start the indexer where it was given up."""
        if self._all_own() and (library := self._writable()) is not None:
            self.carrel.wake_indexer()
            for path in [absolute(row.place) for row in self.tree_list.taken_rows] or [absolute(EVERYTHING)]:
                self._orders.send(library, Order("sync", path))
            self.tree_list.unmark()

    def action_rules(self) -> None:
        """Change what is left out of the selected watched folder."""
        if (folder := self._chosen_folder()) is not None and (library := self._writable()) is not None:
            self._orders.edit_rules(library, folder.path)

    def action_check(self) -> None:
        """Check the library file, in a thread."""
        if self.library is not None:
            self.file_bar.check(self.library, self.carrel.ports.clock)
            self._show_story()


def _file(value: object) -> Place | None:
    """Return the file that a line tells of; where nothing was read of it, what it is stands open."""
    match value:
        case DocumentChange(path=path, what="indexed"):
            return Place(path, 1, kind_of(os.path.basename(path)) or "")
        case Failure(path=path) | DocumentChange(path=path):
            return Place(path, 1, "")
    return None
