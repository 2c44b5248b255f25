"""The screen that compares two results."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.getters import query_one

from app.tui.background import in_background
from app.tui.screens.dialog import Dialog
from app.tui.screens.search.actions import COMPARE
from app.tui.screens.search.compare.compare_lines import comparison_lines
from app.tui.screens.search.compare.compared_figures import Pair
from app.tui.screens.search.window import words_of
from app.tui.threads import in_thread
from app.tui.widgets.built_line import BuiltLine
from app.tui.widgets.footer import hints
from app.tui.widgets.line_views import LineView

if TYPE_CHECKING:
    from app.tui.library_port import LibraryPort

KEYS = (("↑↓", "scroll"), ("esc", "back"))


class CompareScreen(Dialog[None]):
    """Shows two rows side by side; their whole passages are read in a thread, until then their snippets stand there."""

    BINDINGS = [
        Binding("escape,q", "dismiss", show=False),
        Binding(COMPARE.keys, "dismiss", show=False, id=COMPARE.id),
    ]
    DEFAULT_CSS = """
    CompareScreen { align: center middle; background: $background 60%; }
    CompareScreen #compare-box { width: 96%; max-width: 150; height: 94%; padding: 1 2 0 2; background: $panel; }
    CompareScreen:ansi #compare-box { padding: 0 1; }
    CompareScreen LineView { height: 1fr; background: $panel; }
    CompareScreen #compare-keys { margin: 1 0; }
    CompareScreen:ansi #compare-keys { margin: 1 0 0 0; }
    """

    page = query_one("#compare", LineView)

    def __init__(self, library: LibraryPort, pair: Pair) -> None:
        super().__init__()
        self._library = library
        self._pair = pair

    def compose(self) -> ComposeResult:
        """Lay out the page and the line of keys."""
        with Vertical(id="compare-box"):
            yield LineView(id="compare")
            yield BuiltLine(id="compare-keys")

    @property
    def keys(self) -> Sequence[tuple[str, str]]:
        """The keys that are named at its foot."""
        return KEYS

    def on_mount(self) -> None:
        """Show the figures at once; the texts follow."""
        self.query_one("#compare-keys", BuiltLine).show(lambda width: hints(KEYS))
        self._show((self._pair.first.hit.snippet, self._pair.second.hit.snippet))
        self.page.focus()
        in_background(self, self._read, "compare", failed="The two passages could not be read")

    def _show(self, texts: tuple[str, str]) -> None:
        marked = words_of(self._pair.first.result)
        self.page.show(partial(comparison_lines, self._pair, texts, marked), keep_place=True)

    async def _read(self) -> None:
        ids = (self._pair.first.hit.passage_id, self._pair.second.hit.passage_id)
        texts = {passage.id: passage.text for passage in await in_thread(partial(self._library.passages, ids))}
        if all(passage in texts for passage in ids):
            self._show((texts[ids[0]], texts[ids[1]]))
