"""The help of any screen: what it is for, every key from the declarations of its bindings, and its pages of words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.screen import ModalScreen, Screen

from app.tui.actions import APP_ACTIONS, Action, HasActions, Where, keymap_of
from app.tui.theme import ACCENT, BRIGHT, QUIET
from app.tui.widgets.line_views import LineView, wrapped

KEY_CELLS = 16
WORD_CELLS = 28
_PLACES: tuple[Where, Where] = ("everywhere", "rows")
Page = tuple[str, Sequence[tuple[str, str]]]  # a heading, and terms with what they mean


class HelpScreen(ModalScreen[None]):
    """Explains the screen below it."""

    BINDINGS = [Binding("escape,f1,alt+h,q,enter", "dismiss", show=False)]
    DEFAULT_CSS = """
    HelpScreen { align: center middle; background: $background 60%; }
    HelpScreen LineView {
        width: 84; max-width: 96%; height: auto; max-height: 92%; min-height: 12;
        padding: 1 2; background: $panel; border: none;
    }
    """

    def __init__(self, explained: Screen[Any]) -> None:
        super().__init__()
        self._actions = explained.ACTIONS if isinstance(explained, HasActions) else ()
        self._pages: Sequence[Page] = getattr(explained, "HELP_PAGES", ())

    def compose(self) -> ComposeResult:
        """Lay out the one view."""
        yield LineView(id="help")

    def on_mount(self) -> None:
        """Fill the view and give it the keys, so that it scrolls."""
        view, keymap = self.query_one(LineView), keymap_of(self.app)
        view.show(lambda width: help_lines(self._actions, self._pages, width - 1, keymap))
        view.styles.height = len(help_lines(self._actions, self._pages, 80, keymap)) + 2
        view.focus()


def help_lines(
    actions: Sequence[Action], pages: Sequence[Page], width: int, keymap: Mapping[str, str] | None = None
) -> list[Content]:
    """Return the help of a screen with these actions and pages."""
    told = [action for action in (*actions, *APP_ACTIONS) if action.keys and action.help]
    told.sort(key=lambda action: action.where == "panel")  # keys of a part that is seldom there come last
    keys = [(_keys(action, keymap), action.help) for action in told]
    lines = _section("Keys", keys, KEY_CELLS, width)
    for heading, entries in pages:
        lines += _section(heading, entries, WORD_CELLS, width)
    return lines[:-1]


def _keys(action: Action, keymap: Mapping[str, str] | None) -> str:
    """Return the key of an action, and after it the letter that does the same in the rows."""
    key, letter = (action.key_in(where, keymap) for where in _PLACES)
    letter = action.letters if key == action.shown_key and action.letters else letter
    return "  ".join(dict.fromkeys(filter(None, (key, _beside(action, key), letter))))


def _beside(action: Action, key: str) -> str:
    """Return the key that does the same as a function key, which many terminals keep for themselves."""
    keys = [each.strip() for each in action.keys.split(",")]
    return next((each for each in keys if each.startswith("alt+")), "") if keys[0] == key and key[1:].isdigit() else ""


def _section(name: str, entries: Sequence[tuple[str, str]], cells: int, width: int) -> list[Content]:
    """Return a heading and its entries in two columns; a term that is too long has a line of its own."""
    lines = [Content.styled(name, f"bold {BRIGHT}")]
    for term, meaning in entries:
        parts = wrapped(Content.styled(meaning, QUIET), width, Content(" " * cells))
        if len(term) >= cells:
            lines.append(Content.styled(term, ACCENT))
        else:
            parts[0] = Content.assemble((f"{term:<{cells}}", ACCENT), parts[0][cells:])
        lines += parts
    return [*lines, Content()]
