"""What holds for every test of the app: a plain terminal in one time zone, and a library that answers at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from fakes import FakeLibrary, ports
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.notifications import Notification, Notify
from textual.widgets import Input

from app.tui.app import CarrelApp

_parsed: dict[tuple[Any, ...], list[RuleSet]] = {}


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


@pytest.fixture(autouse=True)
def _styles_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parse each source of styles once a process and set of colours: what comes of it is the same for every browser."""
    parse = Stylesheet._parse_rules

    def parsed(styles: Stylesheet, css: str, read_from: tuple[str, str], **more: Any) -> list[RuleSet]:
        key = (frozenset(styles._variables.items()), css, read_from, *sorted(more.items()))
        if key not in _parsed:
            _parsed[key] = parse(styles, css, read_from, **more)
        return _parsed[key]

    monkeypatch.setattr(Stylesheet, "_parse_rules", parsed)


@pytest.fixture
def library() -> FakeLibrary:
    return FakeLibrary()


@pytest.fixture
def app(library: FakeLibrary) -> CarrelApp:
    return CarrelApp(ports(library))
