"""What the browser's screens have in common: the app as the class that it is, and keys that do the same all over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from app.tui.actions import Where

if TYPE_CHECKING:
    from app.tui.app import CarrelApp


class CarrelScreen(Screen[None]):
    """A screen of the browser that gives nothing back when it is left."""

    @property
    def carrel(self) -> CarrelApp:
        """The app, as the class that it is."""
        app: Any = self.app
        return app  # type: ignore[no-any-return]

    def where(self) -> Where:
        """Return which part of the screen the keys go to; where it is one alone, they do the same everywhere."""
        return "everywhere"
