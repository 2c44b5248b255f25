"""What is written to the terminal draws the same with fewer changes of style."""

from __future__ import annotations

import re

from fakes import FakeLibrary, ports
from hypothesis import given
from hypothesis import strategies as st
from rich.color import Color, ColorSystem
from rich.style import Style
from textual.drivers.headless_driver import HeadlessDriver

from app.tui.app import CarrelApp
from app.tui.sparing_output import sparing, with_sparing

COLOURS = st.sampled_from([None, "#e3a857", "#15171b", "red", "bright_blue", "color(17)"])
STYLES = st.builds(
    Style,
    color=COLOURS,
    bgcolor=COLOURS,
    bold=st.booleans(),
    dim=st.booleans(),
    italic=st.booleans(),
    underline=st.booleans(),
    reverse=st.booleans(),
    strike=st.booleans(),
)
TEXTS = st.sampled_from(["word", " ", "語", "\n", "\x1b[5;1H", "\x1b[3;40H\x1b[3;41H", "\x1b[?2026h", "\x1b[2J"])
PIECES = st.lists(st.tuples(st.none() | STYLES, TEXTS), max_size=12)


def written(pieces: list[tuple[Style | None, str]]) -> str:
    """Write pieces as Textual does: each with its whole style before it and a reset behind it."""
    return "".join(
        text if style is None or text.startswith("\x1b") else style.render(text, color_system=ColorSystem.TRUECOLOR)
        for style, text in pieces
    )


def drawn(output: str) -> list[tuple[str, frozenset[str]]]:
    """Return each sign and each control sequence with the style that it meets; a move of the cursor meets none."""
    style: dict[str, str] = {}
    found: list[tuple[str, frozenset[str]]] = []
    for codes, control, sign in re.findall(r"\x1b\[([0-9;]*)m|(\x1b\[[?0-9;]*[A-Zhl])|(.)", output, re.DOTALL):
        if sign or control:
            move = control.endswith("H")
            found.append((sign or control, frozenset() if move else frozenset(style.values())))
            continue
        rest = (codes or "0").split(";")
        while rest:
            code = rest.pop(0)
            if code in ("38", "48"):
                count = 4 if rest[0] == "2" else 2
                style[code] = ";".join([code, *rest[:count]])
                del rest[:count]
            elif code == "0":
                style.clear()
            elif code in ("22", "23", "24", "27", "29", "39", "49"):
                gone = {"22": ("1", "2"), "39": ("38",), "49": ("48",)}.get(code, (str(int(code) - 20),))
                for each in gone:
                    style.pop(each, None)
            else:
                number = int(code)
                colour = {3: "38", 9: "38", 4: "48", 10: "48"}.get(number // 10)
                style[colour or code] = code
    found.append(("", frozenset(style.values())))  # what comes next meets this
    return found


@given(PIECES)
def test_the_same_is_drawn_with_no_more_bytes(pieces: list[tuple[Style | None, str]]) -> None:
    output = written(pieces)
    assert drawn(sparing(output)) == drawn(output)
    assert len(sparing(output)) <= len(output)


def test_a_colour_that_stays_is_written_once() -> None:
    ink = Style(color=Color.parse("#cfccc4"), bgcolor=Color.parse("#15171b"))
    bold = ink + Style(bold=True)
    assert sparing(written([(ink, "a "), (bold, "word"), (ink, " more")])) == (
        "\x1b[38;2;207;204;196;48;2;21;23;27ma \x1b[1mword\x1b[22m more\x1b[0m"
    )


def test_a_sequence_that_is_not_known_is_written_as_it_stands() -> None:
    assert sparing("\x1b[53mover\x1b[0m\x1b]0;title\x07") == "\x1b[53mover\x1b[0m\x1b]0;title\x07"


def test_the_browser_writes_so(app: CarrelApp) -> None:
    assert app.driver_class is with_sparing(app.get_driver_class())


async def test_what_a_driver_is_given_is_written_sparingly() -> None:
    written: list[str] = []

    class Kept(HeadlessDriver):
        def write(self, data: str) -> None:
            written.append(data)

    driver = with_sparing(Kept)(CarrelApp(ports(FakeLibrary())))
    driver.write("\x1b[1ma\x1b[0m\x1b[1mb\x1b[0m")
    assert written == ["\x1b[1mab\x1b[0m"]
