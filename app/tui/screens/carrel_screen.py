"""What the browser's screens have in common: the app as they may use it, and keys that do the same all over."""

from __future__ import annotations

from textual.screen import Screen

from app.tui.actions import Where
from app.tui.browser import Browser, browser_of


class CarrelScreen(Screen[None]):
    """A screen of the browser that gives nothing back when it is left."""

    @property
    def carrel(self) -> Browser:
        """The app, as far as a screen may use it."""
        return browser_of(self)

    def where(self) -> Where:
        """Return which part of the screen the keys go to; where it is one alone, they do the same everywhere."""
        return "everywhere"
