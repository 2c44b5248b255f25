"""Keys that arrive before what they are meant for wait for it: who types ahead loses nothing.

They wait while a screen opens, and behind each key that writes no letter until what it does has been done. A line of
text takes a letter at once, but leaves tab, escape, backspace to the app, which hears of them last: in a burst, the
letters behind them would go where the focus was, or be deleted with those before.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from textual import events
from textual.app import App
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, TextArea

LOST_SECONDS = 0.5  # after which a key counts as done whose widget was closed under it


class EarlyKeys:
    """Holds keys and pasted text back while a screen opens, or while what it is to show is still being read."""

    class Due(Message):
        """A screen that has opened has come as far as it can be typed into."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._waiting: deque[events.Key | events.Paste] = deque()
        self._opening = 0  # screens whose contents are being read
        self._turning: set[object] = set()  # keys on their way that write no letter
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
        """Whether an event waits from now on. Escape gives up what is being read, and goes on at once then."""
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            return False
        if isinstance(event, events.Key) and self._gives_up(event.key):
            self._waiting.clear()
            self._opening = 0
            self._turning.clear()
            return False
        if not self._waiting and not self._opening and not self._turning and self._open():
            return False
        self._waiting.append(event)
        if len(self._waiting) == 1 and not self._opening and not self._turning:
            self._wait_for_screen()
        return True

    def _gives_up(self, key: str) -> bool:
        """Whether a key waits for nothing: leaving, and escape but behind keys that will be through in a moment."""
        return key in ("ctrl+q", "ctrl+c") or (key == "escape" and (self._opening > 0 or not self._turning))

    def went(self, event: events.Event, to: Widget) -> None:
        """Note that a key went to what had the focus: what comes behind one that writes no letter there waits."""
        if not isinstance(event, events.Key) or (event.is_printable and isinstance(to, Input | TextArea)):
            return
        on_its_way = object()
        self._turning.add(on_its_way)

        def turned() -> None:
            if on_its_way in self._turning:  # leaving may have ended it
                self._turning.remove(on_its_way)
                if self._waiting and not self._turning:
                    self._app.post_message(self.Due())

        # The key goes up from widget to widget, and what moves the focus asks the app for it.
        _behind([*to.ancestors_with_self, self._app, self._app], turned)
        self._app.set_timer(LOST_SECONDS, turned)

    def next(self) -> events.Key | events.Paste | None:
        """Return the next event that may go on, None where none waits or the screen has changed under them."""
        if not self._waiting or self._opening or self._turning:
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


def _behind(pumps: Sequence[MessagePump], then: Callable[[], None]) -> None:
    """Do something once each of these, one after the other, has done what it was told before."""
    if pumps:
        pumps[0].call_later(_behind, pumps[1:], then)
    else:
        then()
