"""Keys of one's own: which of the settings' [keys] can be used, and what is wrong with the others. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from textual.keys import _character_to_key

from app.tui.actions import APP_ACTIONS, Action, is_letter, key_name
from app.tui.list_keys import LIST_ACTIONS
from app.tui.screens.library.actions import LIBRARY_ACTIONS
from app.tui.screens.reader.actions import READER_ACTIONS
from app.tui.screens.search.actions import SEARCH_ACTIONS, WHAT_IF_ACTIONS
from app.tui.screens.training.actions import BESIDE_ACTIONS, LIST_REVIEW_ACTIONS, TRAINING_ACTIONS
from app.tui.screens.training.example_review import REVIEW_ACTIONS

Section = tuple[str, Sequence[Action]]
EVERYWHERE = "Everywhere"
LISTS = "Lists"
# Every screen with actions of its own; their keys may repeat between screens, but not those of the first two.
SECTIONS: tuple[Section, ...] = (
    (EVERYWHERE, APP_ACTIONS),
    (LISTS, LIST_ACTIONS),
    ("Search", SEARCH_ACTIONS),
    ("What if", tuple(action for action in WHAT_IF_ACTIONS if is_letter(action.keys))),
    ("Reading", READER_ACTIONS),
    ("Library", LIBRARY_ACTIONS),
    ("Retraining", TRAINING_ACTIONS),
    ("Examples", REVIEW_ACTIONS),
    ("A model beside", BESIDE_ACTIONS),
    ("Two lists", LIST_REVIEW_ACTIONS),
)

# They edit the query line, which therefore never hands them on.
EDITING_KEYS = frozenset(f"ctrl+{letter}" for letter in "aedkuwxv") | {"backspace", "delete", "left", "right"}


def usable(
    written: Mapping[str, str], preset: Mapping[str, str] | None = None, sections: Sequence[Section] = SECTIONS
) -> tuple[dict[str, str], list[str]]:
    """Return the keys that can be used, by the ids of actions, and in words what is wrong with the others.

    A `preset` has the keys of actions that the person has given none.
    """
    troubles = []
    kept: dict[str, str] = {}
    sections = [(name, [_with_keys(action, preset or {}) for action in actions]) for name, actions in sections]
    known = {action.id: action for _, actions in sections for action in actions}
    for identity, text in written.items():
        if fault := _fault(known.get(identity), identity, text):
            troubles.append(fault)
        else:
            kept[identity] = ",".join(split_keys(text))
    while clash := next(_clashes(kept, sections), None):
        mine, other, key = clash
        kept.pop(mine.id)
        troubles.append(f"“{mine.title}” cannot have {key_name(key)}: “{other.title}” has it.")
    return kept, troubles


def _with_keys(action: Action, preset: Mapping[str, str]) -> Action:
    return replace(action, keys=preset[action.id]) if action.id in preset else action


def split_keys(text: str) -> list[str]:
    """Return the keys of a text such as "ctrl+t,e", by Textual's names."""
    keys = (each.strip() for each in text.split(","))
    return [_character_to_key(key) if len(key) == 1 else key for key in keys if key]


def _fault(action: Action | None, identity: str, text: str) -> str:
    """Return what is wrong with one entry by itself, or ""."""
    if action is None:
        return f"[keys] names “{identity}”, which no action is called. f5, Keys, lists them all."
    keys = split_keys(text)
    if not keys:
        return f"“{action.title}” has no key in [keys]; it keeps {action.key}."
    if not action.id.startswith("search."):
        return ""
    editing = [key for key in keys if key in EDITING_KEYS and key not in split_keys(action.keys)]
    if editing:
        return f"“{action.title}” cannot have {key_name(editing[0])}: it edits the query line."
    if all(map(is_letter, keys)) and not all(map(is_letter, split_keys(action.keys))):
        return f"“{action.title}” needs a key that is no letter, for while you type: write “ctrl+g,{keys[0]}”, say."
    return ""


def _clashes(kept: Mapping[str, str], sections: Sequence[Section]) -> Iterator[tuple[Action, Action, str]]:
    """Yield an action with keys of one's own, another that has one of them too where it works, and the key."""
    everywhere = [action for name, actions in sections if name == EVERYWHERE for action in actions]
    lists = [action for name, actions in sections if name == LISTS for action in actions]
    for name, actions in sections:
        taken = {key for action in actions for key in split_keys(action.keys)}
        shared = [action for action in lists if not taken & set(split_keys(action.keys))]  # a screen may overrule them
        yield from _clashes_among(kept, [*(everywhere if name != EVERYWHERE else ()), *shared, *actions])


def _clashes_among(kept: Mapping[str, str], actions: Iterable[Action]) -> Iterator[tuple[Action, Action, str]]:
    owners: dict[str, Action] = {}
    for action in sorted(actions, key=lambda each: each.id in kept):  # what was not changed has the older right
        for key in split_keys(kept.get(action.id, action.keys)):
            other = owners.setdefault(key, action)
            if other is not action and action.id in kept:
                yield action, other, key
