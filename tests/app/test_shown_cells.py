"""What is not written again: cells that the terminal shows already."""

from __future__ import annotations

import re

from fakes import FakeLibrary, ports
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.drivers.headless_driver import HeadlessDriver
from textual.events import Resize
from textual.geometry import Size
from textual.message import Message

from app.tui.app import CarrelApp
from app.tui.shown_cells import ShownCells
from app.tui.sparing_output import attributes, sparing, with_sparing

ROWS, COLUMNS = 4, 40
WORDS = st.sampled_from(["a", "word ", "  ", "│ ▌", "▃", "語", "e\u0301", "🙂 ", "the same words in a row"])
STYLES = st.sampled_from(["", "1", "38;2;1;2;3", "1;38;2;1;2;3;48;5;17", "7"])
LINES = st.tuples(st.integers(1, ROWS), st.integers(1, 12), st.lists(st.tuples(STYLES, WORDS), min_size=1, max_size=3))
OTHERS = st.sampled_from(["\x1b]0;title\x07", "\x1b[?2026h", "\x1b[2J", "\x1b]8;;http://a.example\x1b\\", "\x1b[3;7H"])
OUTPUTS = st.lists(st.lists(LINES | OTHERS, min_size=1, max_size=5), max_size=8)


def as_textual_writes(parts: list[tuple[int, int, list[tuple[str, str]]] | str]) -> str:
    """Return parts as output: each line at its place, each piece with its whole style and a reset behind it."""
    return "".join(
        part
        if isinstance(part, str)
        else f"\x1b[{part[0]};{part[1]}H"
        + "".join(f"\x1b[{style}m{text}\x1b[0m" if style else text for style, text in part[2])
        for part in parts
    )


class Cells:
    """A terminal, as far as places, text and styles go."""

    def __init__(self) -> None:
        self.cells: dict[tuple[int, int], tuple[str, frozenset[tuple[str, str]]]] = {}
        self.row = self.column = 1

    def write(self, output: str) -> None:
        """Take in what a program wrote."""
        style = ""
        pieces = (
            r"\x1b\[([0-9;]*)m|\x1b\[([0-9]+);([0-9]+)H|(\x1b\[2J)|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[\?\d+h|(.)"
        )
        for codes, row, column, clear, sign in re.findall(pieces, output):
            if row:
                self.row, self.column = int(row), int(column)
            elif clear:
                self.cells.clear()
            elif sign:
                width = cell_len(sign)
                at = (self.row, self.column) if width else (self.row, self.column - 1)
                before = "" if width else self.cells.get(at, ("", frozenset()))[0]
                self.cells[at] = (before + sign, frozenset((attributes(style) or {}).items()))
                self.column += width
            elif codes or codes == "":
                style = "" if codes in ("", "0") else ";".join(filter(None, [style.removesuffix(";"), codes]))
                if style.startswith("0;"):
                    style = style[2:]

    def text(self, row: int) -> str:
        """Return what stands in a row."""
        return "".join(self.cells.get((row, column), (" ",))[0] for column in range(1, COLUMNS)).rstrip()


@given(OUTPUTS)
def test_the_terminal_shows_the_same(outputs: list[list[tuple[int, int, list[tuple[str, str]]] | str]]) -> None:
    shown, whole, spared = ShownCells(), Cells(), Cells()
    for parts in outputs:
        output = as_textual_writes(parts)
        whole.write(output)
        spared.write(shown.changes(output))
        assert spared.cells == whole.cells
        if re.search(r"\x1b\[\d+;\d+H\Z", output):
            assert (spared.row, spared.column) == (whole.row, whole.column)


def changed(*outputs: str) -> str:
    """Return what the last output writes after the others; two more lines stand on the screen."""
    shown = ShownCells()
    shown.changes("\x1b[8;1H" + "-" * 200)
    return [shown.changes(each) for each in outputs][-1]


def test_only_what_differs_is_written() -> None:
    line = "\x1b[2;1H\x1b[1mthe quick brown fox jumps over the lazy dog\x1b[0m"
    assert changed(line, line) == ""
    assert changed(line, line.replace("fox", "cat")) == "\x1b[2;17H\x1b[1mcat\x1b[0m"
    apart = line.replace("quick", "quiet").replace("dog", "fly")
    assert changed(line, apart) == "\x1b[2;8H\x1b[1met\x1b[0m\x1b[2;41H\x1b[1mfly\x1b[0m"


def test_another_style_is_another_cell() -> None:
    assert changed("\x1b[2;1Hword", "\x1b[2;1H\x1b[7mword\x1b[0m") == "\x1b[2;1H\x1b[7mword\x1b[0m"


def test_the_cursor_goes_where_it_was_sent() -> None:
    assert changed("\x1b[2;1Hword", "\x1b[2;1Hword\x1b[5;9H") == "\x1b[5;9H"


def test_a_line_with_signs_of_unsure_width_is_written_whole() -> None:
    line = "\x1b[2;1H語 and more"
    assert changed(line, line) == line


def test_a_title_makes_nothing_forgotten_and_a_cleared_screen_everything() -> None:
    line = "\x1b[2;1Hword"
    assert changed(line, "\x1b]0;title\x07", line) == ""
    assert changed(line, "\x1b[2J", line) == line


def test_what_writes_the_whole_screen_repairs_it() -> None:
    shown = ShownCells()
    screen = "\x1b[1;1Hone line\n\x1b[2;1Hand another\x1b[3;1H"
    shown.changes(screen)
    assert shown.changes(screen) == "\x1b[1;1Hone line\x1b[2;1Hand another\x1b[3;1H"


async def test_a_terminal_of_another_size_is_written_whole() -> None:
    written: list[str] = []

    class Kept(HeadlessDriver):
        def write(self, data: str) -> None:
            written.append(data)

        def process_message(self, message: Message) -> None:
            pass

    driver = with_sparing(Kept)(CarrelApp(ports(FakeLibrary())))
    for _ in range(2):
        driver.write("\x1b[1;1Hthe whole line\x1b[2;1Hand one more")
        driver.write("\x1b[1;1Hthe whole line")
        driver.process_message(Resize(Size(80, 24), Size(80, 24)))
    driver.write("\x1b[1;1Hthe whole line")
    assert written[1] == "" and written[-1] == sparing("\x1b[1;1Hthe whole line")
