"""What is selected on terminals with few colours, or none."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from fakes import FakeLibrary, ports
from piloting import SMALL, pressed, settle, typed, written
from rich.segment import Segment
from textual.pilot import Pilot

from app.tui.app import CarrelApp
from app.tui.theme import BAR
from engine.library import Library

SHADELESS = {
    "xterm": {"TERM": "xterm"},
    "none": {"TERM": "xterm-256color", "NO_COLOR": "1"},
}


def segments(pilot: Pilot[int]) -> list[list[Segment]]:
    return [list(strip) for strip in pilot.app.screen._compositor.render_strips()]


def reversed_text(pilot: Pilot[int]) -> str:
    """Return what stands in reverse video, line by line."""
    lines = [[each.text for each in line if each.style and each.style.reverse] for line in segments(pilot)]
    return "\n".join("".join(line) for line in lines if line)


def barred(pilot: Pilot[int]) -> str:
    """Return the lines that have the bar of a selection."""
    return "\n".join(line for line in written(pilot).split("\n") if BAR in line)


@pytest.mark.parametrize("terminal", SHADELESS)
async def test_every_list_shows_its_selection_without_shades(terminal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLORTERM", raising=False)
    for name, value in SHADELESS[terminal].items():
        monkeypatch.setenv(name, value)
    app = CarrelApp(ports(FakeLibrary()))
    app.ports.history.remember("an earlier search")
    async with app.run_test(size=SMALL) as pilot:
        screen = await typed(pilot, "starter")
        assert screen.rows.hit is not None
        assert screen.rows.hit.title in reversed_text(pilot)
        await pressed(pilot, "ctrl+r")
        assert "an earlier search" in reversed_text(pilot)
        assert "an earlier search" in barred(pilot)
        await pressed(pilot, "escape", "f5", "down")
        assert "Rank by" in reversed_text(pilot)
        assert "Rank by" in barred(pilot)
        await pressed(pilot, "ctrl+p")
        await pilot.press("down")
        await settle(pilot)
        assert "Next value" in reversed_text(pilot)
        colours = {
            each.style.color.name for line in segments(pilot) for each in line if each.style and each.style.color
        }
        assert not any(colour.startswith("#") for colour in colours)
        if terminal == "none":
            assert colours <= {"default"}
        else:
            assert "color(3)" in colours  # the accent, in the yellow of the terminal
        await pressed(pilot, "escape", "f4")
        assert app.theme == "ansi-light"


async def test_a_theme_that_is_asked_for_in_the_environment_is_shown_as_well_as_it_can_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("COLORTERM", raising=False)
    monkeypatch.setenv("TERM", "linux")
    monkeypatch.setenv("TEXTUAL_THEME", "nord")
    assert CarrelApp(ports(FakeLibrary())).theme == "nord"


@pytest.mark.parametrize("terminal", ["dumb", "unknown"])
def test_a_terminal_that_cannot_draw_gets_no_sequence(tmp_path: Path, terminal: str) -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": terminal, "CARREL_HOME": str(tmp_path)}
    environment.pop("COLORTERM", None)
    with Library.open(tmp_path / "own.carrel", create=True):
        pass
    command = [sys.executable, "-m", "app.cli", "--library", str(tmp_path / "own.carrel")]
    done = subprocess.run(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, timeout=120)
    os.close(theirs)
    said = b""
    with suppress(OSError):  # the other end is closed once all is read
        while part := os.read(ours, 65_536):
            said += part
    os.close(ours)
    assert done.returncode == 0
    assert b"carrel" in said
    assert b"\x1b" not in said
