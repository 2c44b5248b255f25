"""Pictures of notes: shown in cells where the terminal can, by their name elsewhere; a hostile one costs nothing."""

from __future__ import annotations

import base64
import os
import re
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import FakeLibrary, ports
from piloting import WIDE, pressed, typed, written
from textual.content import Content

from app.tui.app import CarrelApp
from app.tui.pages.markdown_line import prose_line
from app.tui.pictures.picture_cells import mosaic, placeholders, terminal_of, transmission
from app.tui.pictures.picture_files import MOST_COLUMNS, MOST_ROWS, PictureFiles
from app.tui.settings_file import SettingsFile
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
