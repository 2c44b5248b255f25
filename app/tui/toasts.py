"""What is told in passing: one line above the footer, for two seconds, gone with the next key.

A warning or an error may take more lines and stays longer; a key that was pressed before it could be read leaves it.
"""

from __future__ import annotations

from time import time

from textual.app import App

TOAST_SECONDS = 2.0
TROUBLE_SECONDS = 8.0  # of warnings and errors, unless more is asked for
TOAST_CSS = """
ToastRack { margin: 0 0 1 0; align: left bottom; overflow: hidden; }
ToastHolder { align-horizontal: left; }
Toast {
    width: 1fr; max-width: 100%; height: 1; margin: 0; padding: 0 1; border: none; text-wrap: nowrap;
    text-overflow: ellipsis; background: $panel; color: $bright;
}
Toast.-information, Toast.-warning, Toast.-error { border-left: none; }
Toast.-warning, Toast.-error { height: auto; max-height: 4; text-wrap: wrap; }
Toast.-error { color: $alarm; }
"""


class Toasts:
    """Takes away what was told."""

    def __init__(self, app: App[int]) -> None:
        self._app = app

    def key_pressed(self) -> None:
        """Take away what a person who presses a key has seen, or does not wait for."""
        told = self._app._notifications
        seen = [each for each in told if each.severity == "information" or time() - each.raised_at >= TOAST_SECONDS]
        for notification in seen:
            self._app._unnotify(notification, refresh=False)
        if seen:
            self._app._refresh_notifications()
