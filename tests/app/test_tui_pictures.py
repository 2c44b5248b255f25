"""Pictures of notes: shown in cells where the terminal can, by their name elsewhere; a hostile one costs nothing."""

from __future__ import annotations

import base64
import fcntl
import io
import os
import pty
import re
import struct
import termios
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import FakeLibrary, ports
from PIL import Image
from piloting import WIDE, pressed, typed, written
from textual.content import Content
from textual.drivers.headless_driver import HeadlessDriver

from app.tui.app import CarrelApp
from app.tui.pages.markdown_line import prose_line
from app.tui.pictures.inline_rows import Pixels, as_sixels
from app.tui.pictures.picture_cells import PLACEHOLDER, Terminal, mosaic, placeholders, terminal_of, transmission
from app.tui.pictures.picture_files import MOST_COLUMNS, MOST_ROWS, PictureFiles
from app.tui.pictures.window_size import cell_pixels
from app.tui.settings_file import SettingsFile
from app.tui.sparing_output import with_sparing
from engine.config import Config

NOTE = "# Quokka\n\nBefore it.\n\n![A quokka](images/quokka.png)\n\nBehind ![small](s.png) it.\n"


class ThreeRows:
    """Shows every picture as three rows, and remembers what was asked for."""

    shows = True

    def __init__(self) -> None:
        self.asked: list[tuple[bytes, str]] = []

    def cells(
        self, note: bytes, target: str, roots: Sequence[bytes], send: Callable[[str], None]
    ) -> tuple[Content, ...]:
        self.asked.append((note, target))
        return tuple(Content(f"cells {row}") for row in range(3))

    def draw(self, output: str) -> str:
        return output


def png(width: int, height: int, rows: int | None = None) -> bytes:
    """Return a picture of red pixels that says it is so wide and high."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    lines = (b"\0" + b"\xff\0\0" * width) * (height if rows is None else rows)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


async def test_a_picture_stands_below_its_name_in_preview_and_reader() -> None:
    library, pictures = FakeLibrary({"a.md": NOTE}), ThreeRows()
    app = CarrelApp(replace(ports(library), pictures=pictures))
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "quokka")
        lines = [line.lstrip("▌ ") for line in screen.pane.preview.shown_lines]
        at = lines.index("▣ A quokka")
        assert lines[at : at + 5] == ["▣ A quokka", "cells 0", "cells 1", "cells 2", ""]
        assert "Behind ▣ small it." in lines
        assert set(pictures.asked) == {(b"/home/reader/notes/a.md", "images/quokka.png")}  # not those within a text
        await pressed(pilot, "ctrl+o")
        assert [f"cells {row}" in written(pilot) for row in range(4)] == [True, True, True, False]
        await pressed(pilot, "slash", *"behind", "enter")
        assert "1 of 1" in written(pilot)


@pytest.mark.parametrize("wanted", [True, False])
async def test_where_no_picture_can_be_shown_or_is_wanted_its_name_stands_there(wanted: bool) -> None:
    plain = ports(FakeLibrary({"a.md": NOTE}))
    unwanted = replace(plain, pictures=ThreeRows(), settings=SettingsFile(config=Config(pictures=False)))
    app = CarrelApp(plain if wanted else unwanted)
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "quokka")
        lines = [line.lstrip("▌ ") for line in screen.pane.preview.shown_lines]
        assert lines[lines.index("▣ A quokka") + 1] == ""


@pytest.mark.parametrize(
    ("line", "shown", "alone"),
    [
        ("![](images/quokka.png)", "▣ images/quokka.png", "images/quokka.png"),
        ("![[quokka.png|300]]", "▣ 300", "quokka.png"),
        ("![[another note]]", "another note→", ""),
        ("- ![a](a.png)", "• ▣ a", ""),
        ("![a](a.png) ![b](b.png)", "▣ a ▣ b", ""),
    ],
)
def test_pictures_are_told_from_links(line: str, shown: str, alone: str) -> None:
    assert (prose_line(line).text, prose_line(line).picture) == (shown, alone)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A watched folder with a note's picture and many that are none, and one picture outside."""
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "good.png").write_bytes(png(400, 300))
    (notes / "bomb.png").write_bytes(png(60_000, 60_000, rows=1))
    (notes / "broken.png").write_bytes(png(40, 30)[:60])
    (notes / "text.png").write_text("no picture")
    (tmp_path / "outside.png").write_bytes(png(4, 4))
    (notes / "link.png").symlink_to(tmp_path / "outside.png")
    os.mkfifo(notes / "pipe.png")
    return notes


def cells(files: PictureFiles, folder: Path, target: str, sent: list[str] | None = None) -> tuple[Content, ...]:
    root = os.fsencode(folder)
    return files.cells(root + b"/a.md", target, (root,), (sent if sent is not None else []).append)


def test_a_file_becomes_cells_of_two_pixels(folder: Path) -> None:
    rows = cells(PictureFiles("colour"), folder, "good.png")
    assert len(rows) == MOST_ROWS and {row.cell_length for row in rows} == {43}  # 400 x 300 in 32 pixels of height
    assert {str(span.style) for row in rows for span in row.spans} == {"#ff0000 on #ff0000"}


def test_kitty_is_sent_a_picture_once_and_shows_it_by_placeholders(folder: Path) -> None:
    files, sent = PictureFiles("kitty"), []  # type: ignore[var-annotated]
    rows = cells(files, folder, "good.png", sent)
    assert cells(files, folder, "good.png", sent) == rows and len(sent) == 1
    assert 0 < len(rows) <= MOST_ROWS and all(0 < row.cell_length <= MOST_COLUMNS for row in rows)
    payload = "".join(re.findall(r"\x1b_G[^;]*;([^\x1b]*)\x1b\\", sent[0]))
    assert base64.b64decode(payload).startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["bomb.png", "broken.png", "text.png", "pipe.png"])
def test_what_is_no_picture_or_too_large_costs_its_name_only(folder: Path, name: str) -> None:
    assert cells(PictureFiles("colour", decoder=["/nonexistent"]), folder, name) == ()
    if name != "text.png":
        assert cells(PictureFiles("colour"), folder, name) == ()


@pytest.mark.parametrize(
    "target", ["link.png", "../outside.png", "/etc/hostname", "https://example.org/a.png", "no.png", "a\0.png", ""]
)
def test_no_picture_is_taken_from_elsewhere(folder: Path, target: str) -> None:
    assert cells(PictureFiles("colour", decoder=["/nonexistent"]), folder, target) == ()


def test_what_a_terminal_shows_is_known_without_asking_it() -> None:
    assert terminal_of({"TERM": "xterm-kitty", "COLORTERM": "truecolor"}) == "kitty"
    assert (
        terminal_of({"TERM": "tmux-256color", "TMUX": "x", "TERM_PROGRAM": "ghostty", "COLORTERM": "truecolor"})
        == "colour"
    )
    assert terminal_of({"TERM": "xterm-256color", "COLORTERM": "24bit"}) == "colour"
    assert terminal_of({"TERM": "xterm-kitty", "NO_COLOR": "1"}) == "none"
    assert terminal_of({"TERM": "linux"}) == "none"


def test_cells_are_made_of_pixels_and_numbers() -> None:
    top, bottom = mosaic(b"\xff\0\0" * 2 + b"\0\xff\0" * 2 + b"\0\0\xff" * 2, 2, 3)
    assert (top.plain, [str(span.style) for span in top.spans]) == ("▀▀", ["#ff0000 on #00ff00"])
    assert [str(span.style) for span in bottom.spans] == ["#0000ff on #0000ff"]
    long = transmission(b"x" * 9_000, 7, 3, 2)
    assert long.count("\x1b_G") == 3 and long.startswith("\x1b_Ga=T,U=1,f=100,i=7,c=3,r=2,q=2,m=1;")
    assert long.count("m=0") == 1
    rows = placeholders(7, 3, 2)
    assert [row.cell_length for row in rows] == [3, 3] and str(rows[0].spans[0].style) == "#000007"


# --- terminals that draw where the cursor stands ---------------------------------------------------------------------

CELL = (10, 20)
PALETTE = bytes([255, 0, 0, 0, 0, 255]).ljust(768, b"\0")


def pixels_of(sixels: str) -> list[bytes]:
    """Return what sixels draw, a line of colours' numbers each; a terminal's side of it, as the manual says it."""
    head = re.match(r'\x1bP0;1;0q"1;1;(\d+);(\d+)((?:#\d+;2;\d+;\d+;\d+)*)', sixels)
    assert head and sixels.endswith("\x1b\\")
    width, height = int(head[1]), int(head[2])
    lines = [bytearray(width) for _ in range(-(-height // 6) * 6)]
    for band, text in enumerate(sixels[head.end() : -2].split("-")):
        for part in text.split("$"):
            colour, column = int(re.match(r"#(\d+)", part)[1]), 0  # type: ignore[index]
            for times, sign in re.findall(r"(?:!(\d+))?([?-~])", part[len(str(colour)) + 1 :]):
                for _ in range(int(times or 1)):
                    for bit in range(6):
                        if (ord(sign) - 63) >> bit & 1:
                            lines[band * 6 + bit][column] = colour
                    column += 1
    return [bytes(line) for line in lines[:height]]


def test_sixels_draw_the_pixels_that_they_were_made_of() -> None:
    drawn = bytes((x * x + 3 * y) % 7 % 2 for y in range(20) for x in range(33))
    assert b"".join(pixels_of(as_sixels(33, drawn, PALETTE, 4))) == drawn


@pytest.mark.parametrize("terminal", ["sixel", "iterm"])
def test_a_picture_is_drawn_row_by_row_over_blanks_and_cut_off_like_text(folder: Path, terminal: Terminal) -> None:
    files, sent = PictureFiles(terminal, cell=lambda: CELL), []  # type: ignore[var-annotated]
    rows = cells(files, folder, "good.png", sent)
    assert sent == [] and len(rows) == 15 and {row.cell_length for row in rows} == {40}  # 400 x 300 in its own size
    (colour,) = {str(span.style) for span in rows[0].spans}
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    style = f"\x1b[38;2;{red};{green};{blue};48;2;9;9;9m"
    for shown in (40, 7):
        out = files.draw(f"\x1b[2;3H{style}{rows[1].plain[: shown + 2]}\x1b[0m|")
        before, blanks, picture, behind = re.fullmatch(r"(.*?)\x1b7( +)\x1b8(.*)\x1b8(\x1b\[.*)", out, re.S).groups()  # type: ignore[union-attr]
        assert before == f"\x1b[2;3H{style}" and len(blanks) == shown
        assert behind == f"\x1b[{shown}C\x1b[0m|", "what follows stands where it stood"
        if terminal == "sixel":
            assert [len(line) for line in pixels_of(picture)] == [shown * 10] * 20
            assert "#0;2;100;0;0" in picture or ";2;100;0;0" in picture
        else:
            head, content = re.fullmatch("\x1b]1337;File=(.*):(.*)\x07", picture).groups()  # type: ignore[union-attr]
            assert f"width={shown};height=1;" in head
            with Image.open(io.BytesIO(base64.b64decode(content))) as opened:
                assert opened.size == (shown * 10, 20)
                assert opened.convert("RGB").getpixel((3, 3)) == (255, 0, 0)
    assert files.draw("\x1b[1mno picture\x1b[0m") == "\x1b[1mno picture\x1b[0m"
    unknown = f"\x1b[38;2;1;2;3m{rows[0].plain}\x1b[0m"
    assert PLACEHOLDER not in files.draw(unknown) and "1337" not in files.draw(unknown)


def test_sixels_wait_for_a_terminal_that_tells_how_large_its_cells_are(folder: Path) -> None:
    rows = cells(PictureFiles("sixel", cell=lambda: None), folder, "good.png")
    assert {str(span.style) for row in rows for span in row.spans} == {"#ff0000 on #ff0000"}
    assert cells(PictureFiles("sixel", cell=lambda: CELL), folder, "broken.png") == ()
    ours, terminal = pty.openpty()
    try:
        assert cell_pixels([terminal]) is None
        fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 720, 384))
        with open(os.devnull) as none:
            assert cell_pixels([none.fileno(), terminal]) == (9, 16)
    finally:
        os.close(ours)
        os.close(terminal)


@pytest.mark.parametrize(
    ("told", "terminal"),
    [
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app", "COLORTERM": "truecolor"}, "iterm"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, "iterm"),
        ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, "iterm"),
        ({"TERM": "foot-extra"}, "sixel"),
        ({"TERM": "mlterm-256color", "COLORTERM": "truecolor"}, "sixel"),
        ({"TERM": "screen", "STY": "1.pts", "LC_TERMINAL": "iTerm2", "COLORTERM": "truecolor"}, "colour"),
        ({"TERM": "tmux-256color", "TMUX": "x", "TERM_PROGRAM": "iTerm.app"}, "none"),
        ({"TERM": "foot", "NO_COLOR": "1"}, "none"),
    ],
)
def test_terminals_that_draw_pictures_are_known_by_their_names(told: dict[str, str], terminal: str) -> None:
    assert terminal_of(told) == terminal


async def test_what_the_browser_writes_has_the_picture_in_the_place_of_its_cells(tmp_path: Path) -> None:
    written: list[str] = []

    class Kept(HeadlessDriver):
        def write(self, data: str) -> None:
            written.append(data)

    files = PictureFiles("iterm")
    files._inline.add(0x0A0B0C, Pixels(20, PALETTE, bytes(20 * 20), CELL))
    app = CarrelApp(replace(ports(FakeLibrary()), pictures=files))
    driver = with_sparing(Kept)(app)
    row = placeholders(0x0A0B0C, 2, 1)[0].plain
    driver.write(f"\x1b[3;1H\x1b[38;2;10;11;12m{row}\x1b[0m\x1b[1mbehind\x1b[0m")
    assert "]1337;File=inline=1;width=2;height=1;" in written[0] and PLACEHOLDER not in written[0]
    assert written[0].index("1337") < written[0].index("\x1b[2C") < written[0].index("behind")
