"""The library screen: the watched folders, what the indexer does now, and what became of every file."""

from __future__ import annotations

from textual import on

from app.tui.actions import Where, bindings
from app.tui.browser import Place
from app.tui.screens.library.actions import HELP_PAGES, LIBRARY_ACTIONS
from app.tui.screens.library.folder_tree import EVERYTHING, TreeRow, query_inside
from app.tui.screens.library.ordering import OrderingScreen
from app.tui.screens.library.skipped import SkippedScreen
from app.tui.screens.library.timeline import Skipped
from app.tui.widgets.entry_list import EntryList
from app.tui.widgets.footer import KeyLine
from engine.records import DocumentChange, Failure

NARROW_COLUMNS = 100  # below it folders and files do not both fit beside each other


class LibraryScreen(OrderingScreen):
    """The keys of the screen, and how one moves in it; what it shows and orders is in the rooms below."""

    ACTIONS = LIBRARY_ACTIONS
    HELP_PAGES = HELP_PAGES
    HIDDEN = ("library",)  # in the footer: esc says the same better here
    BINDINGS = bindings(LIBRARY_ACTIONS)
    CSS_PATH = "library.tcss"
    AUTO_FOCUS = "#tree"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (NARROW_COLUMNS, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-high")]

    def where(self) -> Where:
        """Letters act everywhere here: nothing is typed."""
        return "rows"

    @on(EntryList.Opened)
    def _entry_opened(self) -> None:
        self.action_open()

    def on_descendant_focus(self) -> None:
        """Show the keys of the part that has the focus now."""
        self.query_one(KeyLine).refresh()

    # --- moving -------------------------------------------------------------------------------------------------

    def action_move(self, by: int) -> None:
        """Select the line so many further down."""
        self.side.move(by)

    def action_page(self, pages: int) -> None:
        """Select the line so many screens further down."""
        self.side.move(pages * self.side.page)

    def action_edge(self, last: bool) -> None:
        """Select the first line, or the last."""
        self.side.move(1 << 20 if last else -(1 << 20))

    def action_swap_side(self) -> None:
        """Go to the other side."""
        (self.tree_list if self.side is self.story_list else self.story_list).focus()

    def action_fold(self, fold: bool) -> None:
        """Fold or unfold the selected folder; from one that is folded already, go to the folder around it."""
        row = self.row
        if row is None or self.side is self.story_list:
            return
        if row.folded is (not fold):
            (self.unfolded.discard if fold else self.unfolded.add)(row.place)
            self.show_tree()
        elif fold and row.place[1]:
            self.tree_list.choose((row.place[0], row.place[1].rpartition(b"/")[0]))
        elif not fold:
            self.tree_list.move(1)

    def action_back(self) -> None:
        """Go back to the search."""
        self.carrel.action_show_library()

    # --- opening ------------------------------------------------------------------------------------------------

    def action_open(self) -> None:
        """Search inside the selected folder, open the selected file, or list what a rule leaves out."""
        entry = self.side.entry
        if entry is None:
            return
        match entry.value:
            case TreeRow(place=place):
                self.carrel.search_inside(query_inside(place))
            case Failure(path=path) | DocumentChange(path=path):
                self.carrel.open_places([Place(path, 1, "")])
            case Skipped() as skipped if self.library is not None:
                roots = [skipped.place[0]] if skipped.place != EVERYTHING else list(self.contents.trees)
                self.app.push_screen(SkippedScreen(self.library, skipped, roots))
