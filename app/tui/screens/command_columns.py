"""Commands put into groups, the groups into columns, and what a typed word leaves of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from app.tui.actions import Action
from app.tui.keymap import SECTIONS
from app.tui.screens.help import Page
from engine.lazy_dataclass import dataclass

RECENT = "Recent"
MOST_RECENT = 5
SELECTED_ROW = "The selected result"
WHAT_IF = "What if"
HERE = "Here"
Item = str | Action | None  # the name of a group, a command, or a blank line between groups
Group = tuple[str, tuple[Action, ...]]


@dataclass(frozen=True)
class Columns:
    """What stands in each column, from top to bottom."""

    items: tuple[tuple[Item, ...], ...] = ()

    def at(self, column: int, line: int) -> Item:
        """Return what stands on a line of a column."""
        if not 0 <= column < len(self.items) or not 0 <= line < len(self.items[column]):
            return None
        return self.items[column][line]

    @property
    def height(self) -> int:
        """How many lines the longest column has."""
        return max(map(len, self.items), default=0)

    @cached_property
    def places(self) -> tuple[tuple[int, int, Action], ...]:
        """Where each command stands: its line, its column, and which it is."""
        return tuple(
            (line, column, item)
            for column, items in enumerate(self.items)
            for line, item in enumerate(items)
            if isinstance(item, Action)
        )


def keys_of(action: Action, keymap: Mapping[str, str], room: int | None = None) -> str:
    """Return the key of an action, and after it the others that do the same: in the rows, beside a function key.

    Where there is no `room` for all, that beside a function key is left out.
    """
    key, letter = action.key_in("everywhere", keymap), action.key_in("rows", keymap)
    letter = action.letters if key == action.shown_key and action.letters else letter
    every = "  ".join(dict.fromkeys(filter(None, (key, _beside(action, key), letter))))
    return every if room is None or len(every) <= room else "  ".join(dict.fromkeys(filter(None, (key, letter))))


def _beside(action: Action, key: str) -> str:
    """Return the key that does the same as a function key, which many terminals keep for themselves."""
    keys = [each.strip() for each in action.keys.split(",")]
    return next((each for each in keys if each.startswith("alt+")), "") if keys[0] == key and key[1:].isdigit() else ""


def group_of(action: Action) -> str:
    """Return the name of the group that an action belongs to."""
    if action.where == "panel":
        return WHAT_IF
    section = next((name for name, actions in SECTIONS if action in actions), HERE)
    return SELECTED_ROW if section == "Search" and action.where == "rows" else section


def grouped(actions: Sequence[Action], recent: Sequence[str]) -> list[Group]:
    """Return the actions by their groups, in the order in which these first come up; recent ones lead once more."""
    known = {action.id: action for action in actions}
    groups: dict[str, list[Action]] = {}
    for identity in [each for each in recent if each in known][:MOST_RECENT]:
        groups.setdefault(RECENT, []).append(known[identity])
    for action in actions:
        groups.setdefault(group_of(action), []).append(action)
    return [(name, tuple(members)) for name, members in groups.items()]


def fitting(
    actions: Sequence[Action], pages: Sequence[Page], words: Sequence[str], keymap: Mapping[str, str]
) -> tuple[list[Action], list[Page]]:
    """Return the actions and the entries of the help that hold every word; titles count before what explains them."""
    if not words:
        return list(actions), list(pages)

    def holds(*texts: str) -> bool:
        return all(word in " ".join(texts).casefold() for word in words)

    by_title = [action for action in actions if holds(action.title)]
    others = [each for each in actions if each not in by_title and holds(each.title, each.help, keys_of(each, keymap))]
    found = [(name, [entry for entry in entries if holds(name, *entry)]) for name, entries in pages]
    return [*by_title, *others], [page for page in found if page[1]]


def columns_of(groups: Sequence[Group], count: int) -> Columns:
    """Return the groups in so many columns, two at most, as even as whole groups can be."""
    stacks = [_stack(group) for group in groups]
    splits = range(1, len(stacks)) if count > 1 else ()
    best = min(splits, key=lambda place: max(_height(stacks[:place]), _height(stacks[place:])), default=len(stacks))
    return Columns(tuple(_joined(part) for part in (stacks[:best], stacks[best:]) if part))


def _stack(group: Group) -> list[Item]:
    return [group[0], *group[1], None]


def _height(stacks: Sequence[Sequence[Item]]) -> int:
    return sum(map(len, stacks))


def _joined(stacks: Sequence[Sequence[Item]]) -> tuple[Item, ...]:
    return tuple(item for stack in stacks for item in stack)
