"""One declaration per action: it gives the key, the footer entry, the palette entry and the help line.

A screen lists its actions; bindings, footer, palette and help are all read from that list, so they cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, Protocol, runtime_checkable

from textual.binding import Binding, BindingType
from textual.keys import key_to_character

from engine.lazy_dataclass import dataclass

Where = Literal["everywhere", "query", "rows", "panel"]


@dataclass(frozen=True, slots=True)
class Action:
    """Something that a person can do.

    `keys` are Textual's names of keys, the first is the one shown; a letter among them works in the rows only, and is
    what is shown there. `letters` are told of in the help beside a `shown_key`. `run` is the method `action_<run>`;
    `label` stands in the footer, `title` in the palette, `help` in the help; an action whose help is empty is told of
    with another one. `where` is where the footer shows it.
    """

    id: str
    keys: str
    run: str
    label: str
    title: str
    help: str
    where: Where = "everywhere"
    shown_key: str = ""
    letters: str = ""
    footer: bool = True
    palette: bool = True
    priority: bool = False
    late: bool = False  # comes last in the footer, and is the first to go where there is no room

    @property
    def key(self) -> str:
        """The key as a person reads it."""
        return self.key_in("everywhere")

    def key_in(self, where: Where, keymap: Mapping[str, str] | None = None) -> str:
        """Return the key that works in a part of the screen, by the person's own keymap, as a person reads it."""
        own = (keymap or {}).get(self.id, "")
        if self.shown_key and (not own or self.keys.split(",")[0] in own.split(",")):
            return self.shown_key
        keys = [key.strip() for key in (own or self.keys).split(",") if key.strip()]
        fitting = [key for key in keys if where not in ("query", "rows") or is_letter(key) == (where == "rows")]
        return key_name((fitting or keys or [""])[0])


# Textual's names of keys that a person knows by another one
_KEY_NAMES = {
    "escape": "esc",
    "slash": "/",
    "plus": "+",
    "minus": "-",
    "question_mark": "?",
    "full_stop": ".",
    "comma": ",",
    "pagedown": "pgdn",
    "pageup": "pgup",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "delete": "del",
}


def key_name(key: str) -> str:
    """Return a key as a person reads it: escape is esc, shift+down is shift+↓, colon is :."""
    *held, last = key.split("+")
    sign = key_to_character(last) or ""
    return "+".join([*held, _KEY_NAMES.get(last) or (sign if sign.isprintable() and sign.strip() else last)])


def is_letter(key: str) -> bool:
    """Whether a key writes a character in a query line, so that it can act in the rows only."""
    character = key_to_character(key) or _KEY_NAMES.get(key, "")
    return len(key) == 1 or (len(character) == 1 and character.isprintable() and character.isascii())


@runtime_checkable
class HasActions(Protocol):
    """A screen that declares its actions, and where in it the focus is."""

    ACTIONS: Sequence[Action]

    def where(self) -> Where:
        """Return which part of the screen the keys go to."""


COPY_SELECTED = Action(
    "copy_selected",
    "ctrl+c",
    "copy_or_quit",
    "",
    "Copy the selected text",
    "Copy the text that was selected with the mouse; where none is, leave.",
    footer=False,
    priority=True,
)
QUIT = Action(
    "quit",
    "ctrl+q",
    "quit",
    "leave",
    "Leave Carrel",
    "Leave. Indexing stops within a second and goes on when Carrel starts again.",
    priority=True,
)
HELP = Action("help", "f1,alt+h", "help", "help", "Help: keys and query language", "Show this page.")
PALETTE = Action(
    "palette",
    "ctrl+p",
    "command_palette",
    "commands",
    "All commands",
    "Find any command by its name.",
    palette=False,
)
THEME = Action(
    "theme",
    "f4,alt+t",
    "other_theme",
    "light or dark",
    "Switch between light and dark",
    "Switch between the light and the dark theme.",
    footer=False,
)
SETTINGS = Action(
    "settings",
    "f5,alt+o",
    "settings",
    "settings",
    "Settings: theme, ranking, keys, history",
    "Change the theme, how results are ranked, the keys, what is remembered.",
    footer=False,
)
LIBRARY = Action(
    "library",
    "f3,alt+l",
    "show_library",
    "library",
    "The library: folders, what is read and what is not",
    "Go to the library: folders, what is indexed now, what failed or is left out; and back to the search.",
)
TRAINING = Action(
    "training",
    "f9,alt+r",
    "show_training",
    "retraining",
    "Retraining: teach the model your own words",
    "Go to the retraining: plan a run, follow it, read its verdict; and back to the search.",
    footer=False,
)
SUSPEND = Action(
    "suspend",
    "ctrl+z",
    "suspend_process",
    "to the shell",
    "Go to the shell; `fg` there comes back",
    "Go to the shell; `fg` there comes back. Indexing goes on.",
    footer=False,
)
APP_ACTIONS = (LIBRARY, TRAINING, PALETTE, HELP, THEME, SETTINGS, SUSPEND, QUIT, COPY_SELECTED)
DIALOG_ACTIONS = (HELP, THEME, SUSPEND, QUIT, COPY_SELECTED)  # of these, what a dialog does not stand in the way of


def bindings(actions: Iterable[Action]) -> list[BindingType]:
    """Return the key bindings of some actions; each keeps its id, so that a keymap may change its keys."""
    return [
        Binding(
            action.keys,
            action.run,
            action.label,
            show=False,
            id=action.id,
            tooltip=action.help or action.title,
            priority=action.priority,
        )
        for action in actions
        if action.keys
    ]


def where_of(screen: object) -> Where:
    """Return the part of a screen that the keys go to now."""
    return screen.where() if isinstance(screen, HasActions) else "everywhere"


def in_footer(screen: object) -> list[Action]:
    """Return the actions that work now and belong in the footer, the screen's own first.

    In the rows the chords work too; an action is told of once, by the letter where it has one.
    """
    own = sorted(screen.ACTIONS, key=lambda action: action.late) if isinstance(screen, HasActions) else []
    where, hidden = where_of(screen), getattr(screen, "HIDDEN", ())
    shown = [action for action in (*own, *APP_ACTIONS) if action.footer and action.id not in hidden]
    told = {where} if where == "panel" else {"everywhere", where}  # a panel has the plain keys to itself
    return [action for action in shown if action.where in told or action in APP_ACTIONS]


def offered(screen: object, explained: bool = False) -> list[Action]:
    """Return what stands in a list of commands: the screen's own first, those of a part without the keys last.

    Those that only move come behind the others. Where they are `explained`, keys that are no commands stand there too.
    """
    own = screen.ACTIONS if isinstance(screen, HasActions) else ()
    in_panel = where_of(screen) == "panel"
    own = sorted(own, key=lambda action: ((action.where == "panel") != in_panel, not action.footer))
    both = (*own, *(DIALOG_ACTIONS if getattr(screen, "is_modal", False) else APP_ACTIONS))
    return [action for action in both if (action.keys and action.help if explained else action.palette)]


def keymap_of(app: object) -> Mapping[str, str]:
    """Return the person's own keys, by the ids of actions."""
    keymap: Mapping[str, str] = getattr(app, "own_keys", {})
    return keymap
