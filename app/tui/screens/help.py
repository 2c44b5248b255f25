"""The help: every key, from the same declarations as the bindings, and the query language in a few lines."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.screen import ModalScreen

from app.tui.actions import APP_ACTIONS, Action
from app.tui.theme import ACCENT, BRIGHT, QUIET
from app.tui.widgets.lines import LineView, wrapped

KEY_CELLS = 12
QUERY_CELLS = 22
QUERY_LANGUAGE = (
    ("sourdough care", "words, and what they mean"),
    ('"rye starter"', "a phrase, word for word"),
    ("bread -machine", "without a word"),
    ("ferment*", "words that begin so"),
    ("path:kitchen", "only below a folder or in a file of that name"),
    ("kind:pdf  -kind:code", "only, or never, files of a kind"),
    ("tag:recipe", "only notes with a tag"),
    ("title:starter", "a word in the title"),
    ("after:2024-03  before:2025", "by the day a file was changed"),
)
ROWS = (
    ("● strong ◐ likely ○ weak", "how far to trust a row, measured on this library"),
    ("V 9 .401", "ninth by meaning, at cosine distance .401 (0 is the same)"),
    ("K 1 9.02", "first by words, with a bm25 score of 9.02"),
    ("▕█████▒▒▒ ▏ .471", "the score: full is meaning, hatched is words"),
)


class HelpScreen(ModalScreen[None]):
    """Explains the keys, the rows and the query language of the screen below."""

    BINDINGS = [Binding("escape,f1,q,enter", "dismiss", show=False)]
    DEFAULT_CSS = """
    HelpScreen { align: center middle; background: $background 60%; }
    HelpScreen LineView {
        width: 84; max-width: 96%; height: auto; max-height: 92%; min-height: 12;
        padding: 1 2; background: $panel; border: none;
    }
    """

    def __init__(self, actions: Sequence[Action]) -> None:
        super().__init__()
        self._actions = actions

    def compose(self) -> ComposeResult:
        """Lay out the one view."""
        yield LineView(id="help")

    def on_mount(self) -> None:
        """Fill the view and give it the keys, so that it scrolls."""
        view = self.query_one(LineView)
        view.show(lambda width: help_lines(self._actions, width))
        view.styles.height = len(help_lines(self._actions, 80)) + 2
        view.focus()


def help_lines(actions: Sequence[Action], width: int) -> list[Content]:
    """Return the page."""
    keys = [(action.key, action.help) for action in (*actions, *APP_ACTIONS) if action.keys and action.help]
    lines = _section("Keys", keys, KEY_CELLS, width)
    lines += _section("What to type", QUERY_LANGUAGE, QUERY_CELLS + 6, width)
    lines += _section("What a row says", ROWS, QUERY_CELLS + 6, width)
    return lines[:-1]


def _section(name: str, entries: Sequence[tuple[str, str]], cells: int, width: int) -> list[Content]:
    """Return a heading and its entries in two columns."""
    lines = [Content.styled(name, f"bold {BRIGHT}")]
    for term, meaning in entries:
        first = Content.styled(f"{term:<{cells}}", ACCENT)
        parts = wrapped(Content.styled(meaning, QUIET), width, Content(" " * cells))
        lines.append(Content.assemble(first, parts[0][cells:]))
        lines += parts[1:]
    return [*lines, Content()]
