"""Keys that arrive before the screen that they are meant for wait for it: who types ahead loses nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from textual import events
from textual.app import App
from textual.message import Message
from textual.screen import Screen


class EarlyKeys:
    """Holds keys and pasted text back while a screen opens, or while what it is to show is still being read."""

    class Due(Message):
        """A screen that has opened has come as far as it can be typed into."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._waiting: deque[events.Key | events.Paste] = deque()
        self._opening = 0  # screens whose contents are being read
        self._met: Screen[Any] | None = None  # the last screen without a focus that is known to be open

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold keys back while what a screen is to show is being read."""
        self._opening += 1
        try:
            yield
        finally:
            self._opening = max(0, self._opening - 1)  # escape may have ended it
            if self._waiting and not self._opening:
                self._wait_for_screen()

    def takes(self, event: events.Event) -> bool:
        """Whether an event waits from now on. Escape gives up what waits, and goes on at once."""
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            return False
        if isinstance(event, events.Key) and event.key in ("escape", "ctrl+q", "ctrl+c"):
            self._waiting.clear()
            self._opening = 0
            return False
        if not self._waiting and not self._opening and self._open():
            return False
        self._waiting.append(event)
        if len(self._waiting) == 1 and not self._opening:
            self._wait_for_screen()
        return True

    def next(self) -> events.Key | events.Paste | None:
        """Return the next event that may go on, None where none waits or the screen has changed under them."""
        if not self._waiting or self._opening:
            return None
        if not self._open():
            self._wait_for_screen()
            return None
        return self._waiting.popleft()

    def _open(self) -> bool:
        """Whether the screen on top can take keys: something in it has the focus, or all it began with is done."""
        return self._app.focused is not None or self._app.screen is self._met

    def _wait_for_screen(self) -> None:
        screen = self._app.screen

        def come_round() -> None:
            self._met = screen
            self._app.post_message(self.Due())

        screen.call_later(come_round)  # behind all that the screen is told at its opening
