"""What holds for every test of the app: a plain terminal in one time zone, and a library that answers at once."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from fakes import FakeLibrary, ports
from textual.notifications import Notification, Notify
from textual.widgets import Input

from app.tui.app import CarrelApp


@pytest.fixture(autouse=True)
def _plain_terminal() -> Iterator[None]:
    """Keep the clock and the colours of whoever runs the tests out of what the screen shows."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TZ", "UTC")
        environment.setenv("COLORTERM", "truecolor")
        environment.setenv("HOME", "/nonexistent")
        for name in ("COLORFGBG", "NO_COLOR", "TEXTUAL_THEME"):
            environment.delenv(name, raising=False)
        time.tzset()
        yield
    time.tzset()


@pytest.fixture(autouse=True)
def _kept_notifications(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what was told, for a test to read after further keys."""
    add = CarrelApp._on_notify

    def kept(app: CarrelApp, event: Notify) -> None:
        app.told = [*getattr(app, "told", ()), event.notification.message]  # type: ignore[attr-defined]
        add(app, event)

    monkeypatch.setattr(CarrelApp, "_on_notify", kept)


@pytest.fixture(autouse=True)
def _steady_cursors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave each cursor where it stands: half a second later, on a slow machine, a picture would lack it."""
    monkeypatch.setattr(Input, "_toggle_cursor", lambda line: None)


@pytest.fixture(autouse=True)
def _lasting_notifications(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no notification run out before a test on a slow machine has read it."""
    monkeypatch.setattr(Notification, "time_left", property(lambda notification: 3600.0))


@pytest.fixture
def library() -> FakeLibrary:
    return FakeLibrary()


@pytest.fixture
def app(library: FakeLibrary) -> CarrelApp:
    return CarrelApp(ports(library))
