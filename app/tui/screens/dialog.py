"""The base of all dialogs: Textual keeps every key of the app from a modal screen, and some belong there, too."""

from __future__ import annotations

from collections.abc import Sequence

from textual.binding import BindingsMap
from textual.dom import DOMNode
from textual.screen import ModalScreen, ScreenResultType

from app.tui.actions import DIALOG_ACTIONS
from app.tui.screens.help import Page

HELP_TITLE = "In this dialog"


class Dialog(ModalScreen[ScreenResultType]):
    """A screen over another one. Help, theme and the way to the shell work in it, where what it holds has no such key.

    A dialog that takes a key by itself stops it and asks `belongs_to_app` before. Its only child is its box, whose
    padding gives way to an edge where no shade sets it off from what lies below: in 16 colours, and without any.
    """

    DEFAULT_CSS = """
    Dialog:ansi > * { border: round $faint; padding: 0 1; }
    """

    @property
    def keys(self) -> Sequence[tuple[str, str]]:
        """The keys that do something here, and what: hints and help read them."""
        return ()

    @property
    def help_pages(self) -> Sequence[Page]:
        """The help of the dialog: its own keys."""
        return ((HELP_TITLE, self.keys),)

    def belongs_to_app(self, key: str) -> bool:
        """Whether a key does something for the whole app."""
        bound = self.active_bindings.get(key)
        return bound is not None and bound.node is self.app

    @property
    def _modal_binding_chain(self) -> list[tuple[DOMNode, BindingsMap]]:
        """The bindings that a key is looked up in: of all in the dialog, then those of the app that work over it."""
        *chain, (app, bindings) = self._binding_chain
        own = chain[: 1 + next(place for place, (node, _) in enumerate(chain) if node is self)]
        known = {action.id for action in DIALOG_ACTIONS}
        working = BindingsMap(
            binding for each in bindings.key_to_bindings.values() for binding in each if binding.id in known
        )
        return [*own, (app, working)]
