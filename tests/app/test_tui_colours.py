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
from piloting import SMALL, WIDE, pressed, settle, typed, written
from rich.segment import Segment
from textual.color import Color
from textual.pilot import Pilot

from app.tui.app import CarrelApp
from app.tui.theme import BAR, CARREL_THEMES
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


def painted_cells(pilot: Pilot[int]) -> list[list[tuple[str, object, object]]]:
    """Return each cell of the screen with its colours; a blank has that of its ground alone."""
    return [
        [
            (sign, sign != " " and each.style.color, each.style.bgcolor)
            for each in line
            for sign in each.text
            if each.style
        ]
        for line in segments(pilot)
    ]


# What opens a screen or a part of one that is no dialog, and what leaves it.
STATES = {
    "": "", "tab": "escape", "f12": "f12", "ctrl+t": "ctrl+t", "ctrl+l": "escape", "ctrl+o": "escape",
    "ctrl+o o": "escape", "ctrl+o slash f e": "escape escape", "f3": "f3", "f3 tab down": "tab f3", "f5": "f5",
    "f5 end enter": "escape escape", "f9": "f9", "f9 tab": "f9", "f9 tab tab": "f9",
}  # fmt: skip


async def test_light_and_dark_change_by_their_key_on_every_screen_as_if_it_had_begun_so() -> None:
    shown: dict[bool, list[object]] = {True: [], False: []}
    for at_once in shown:
        app = CarrelApp(ports(FakeLibrary()))
        async with app.run_test(size=WIDE) as pilot:
            await typed(pilot, "starter alive")
            await pressed(pilot, *(["f4"] if at_once else []))
            for opened, left in STATES.items():
                await pressed(pilot, *opened.split(), *([] if at_once else ["f4"]))
                assert app.theme == "carrel-light", opened
                shown[at_once].append(painted_cells(pilot))
                await pressed(pilot, *([] if at_once else ["f4"]), *left.split())
    for state, begun, changed in zip(STATES, shown[True], shown[False], strict=True):
        assert begun == changed, state  # of long lists: pytest -vv tells where
    assert len({str(each) for each in shown[True]}) > 10


@pytest.mark.parametrize("theme", [each.name for each in CARREL_THEMES])
async def test_nothing_that_is_read_is_as_faint_as_a_rule(theme: str) -> None:
    app = CarrelApp(ports(FakeLibrary()))
    async with app.run_test(size=WIDE) as pilot:
        app.theme = theme
        await typed(pilot, "starter alive")
        faint = Color.parse(app.theme_variables["faint"]).rich_color.name
        for keys in (("down",), ("f12", "down", "right", "right"), ("escape", "escape", "escape", "f7")):
            await pressed(pilot, *keys)
            found = [each.text for line in segments(pilot) for each in line if each.style and each.style.color]
            assert found
            for line in segments(pilot):
                for each in line:
                    if each.style and each.style.color and each.style.color.name == faint:
                        assert not any(map(str.isalnum, each.text)), each.text
