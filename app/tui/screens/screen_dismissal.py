"""Leaves a screen from work beside the keys, whatever lies over it by then.

Textual takes the topmost screen away, whichever is dismissed: help that was opened over a dialog in its place, and the
dialog then ends the browser when it is left once more.
"""

from __future__ import annotations

from functools import partial

from textual.screen import Screen, ScreenResultType

LOOK_SECONDS = 0.1  # until the screen above is gone, or the mode in which this one stands is shown again


def leave(screen: Screen[ScreenResultType], result: ScreenResultType | None = None) -> None:
    """Dismiss a screen; where another one is shown, as soon as that one is gone."""
    if screen.app.screen is screen:
        screen.dismiss(result)
    elif screen.is_attached:
        screen.set_timer(LOOK_SECONDS, partial(leave, screen, result))
