"""One declaration per action: it gives the key, the footer entry, the palette entry and the help line.

A screen lists its actions; bindings, footer, palette and help are all read from that list, so they cannot differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol, runtime_checkable

from textual.binding import Binding, BindingType
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

Where = Literal["everywhere", "query", "rows"]


@dataclass(frozen=True, slots=True)
class Action:
    """Something that a person can do.

    `keys` are Textual's names of keys, the first is the one shown; `run` is the name of the method `action_<run>`;
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
    footer: bool = True
    palette: bool = True
    priority: bool = False

    @property
    def key(self) -> str:
        """The key as a person reads it."""
        return self.shown_key or self.keys.split(",")[0].replace("escape", "esc").replace("slash", "/")


@runtime_checkable
class HasActions(Protocol):
    """A screen that declares its actions, and where in it the focus is."""

    ACTIONS: Sequence[Action]

    def where(self) -> Where:
        """Return which part of the screen the keys go to."""


QUIT = Action(
    "quit",
    "ctrl+q,ctrl+c",
    "quit",
    "leave",
    "Leave Carrel",
    "Leave. Indexing stops within a second and goes on when Carrel starts again.",
    priority=True,
)
HELP = Action("help", "f1", "help", "help", "Help: keys and query language", "Show this page.")
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
    "f4",
    "other_theme",
    "light or dark",
    "Switch between light and dark",
    "Switch between the light and the dark theme.",
    footer=False,
)
APP_ACTIONS = (PALETTE, HELP, THEME, QUIT)


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


def in_footer(screen: object) -> list[Action]:
    """Return the actions that work now and belong in the footer, the screen's own first."""
    own = [action for action in screen.ACTIONS if action.footer] if isinstance(screen, HasActions) else []
    where = screen.where() if isinstance(screen, HasActions) else "everywhere"
    return [action for action in (*own, *APP_ACTIONS) if action.footer and action.where in ("everywhere", where)]


class ActionCommands(Provider):
    """Feeds the command palette from the actions of the screen that it was called on."""

    def _offered(self) -> list[Action]:
        own = self.screen.ACTIONS if isinstance(self.screen, HasActions) else ()
        return [action for action in (*own, *APP_ACTIONS) if action.palette]

    def _run(self, action: Action) -> Callable[[], object]:
        own = self.screen.ACTIONS if isinstance(self.screen, HasActions) else ()
        namespace = self.screen if action in own else self.app
        return partial(self.app.run_action, action.run, namespace)

    async def discover(self) -> Hits:
        """Yield every action."""
        for action in self._offered():
            yield DiscoveryHit(_named(Content(action.title), action), self._run(action), action.title, action.help)

    async def search(self, query: str) -> Hits:
        """Yield the actions whose title fits what was typed."""
        matcher = self.matcher(query)
        for action in self._offered():
            score = matcher.match(action.title)
            if score > 0:
                shown = _named(matcher.highlight(action.title), action)
                yield Hit(score, shown, self._run(action), action.title, action.help)


def _named(title: Content, action: Action) -> Content:
    """Return an action's title with its key behind it."""
    return Content.assemble(title, (f"   {action.key}" if action.keys else "", "$quiet"))
