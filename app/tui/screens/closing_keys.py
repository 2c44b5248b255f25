"""The key that opened a screen closes it again, by whichever of its names, also those that a person gave it."""

from __future__ import annotations

from typing import Any, TypeVar

from textual.binding import Binding, BindingsMap
from textual.screen import ModalScreen

from app.tui.actions import Action

Opened = TypeVar("Opened", bound=ModalScreen[Any])


def closed_again(screen: Opened, opener: Action) -> Opened:
    """Return a screen that the keys of the action which opens it close, as if nothing had been chosen.

    A letter among them still writes itself where the screen has a line to type into.
    """
    again = Binding(opener.keys, "dismiss", show=False, id=opener.id, priority=True)
    screen._bindings = BindingsMap.merge([screen._bindings, BindingsMap([again])])
    return screen
