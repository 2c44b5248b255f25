"""Pictures for terminals that draw them where the cursor stands, as sixels or by iTerm's protocol: a row of cells each.

Cells of such a picture are written as kitty's are, with the number of the picture as their colour and a sign for the
row. What goes to the terminal has blanks there and the row drawn over them, so that a picture scrolls and is cut off
like text. Pure.
"""

from __future__ import annotations

import re
import struct
import zlib
from base64 import standard_b64encode
from functools import lru_cache, partial

from app.tui.pictures.picture_cells import PLACEHOLDER, ROW_SIGNS
from engine.lazy_dataclass import dataclass

BAND_PIXELS = 6  # of height, which one character of sixel holds
KEPT = 128  # pictures that may be on the screen still: twice those that are kept
COLOURS = 256
_SIXELS = bytes(63 + value if value < 64 else 0 for value in range(256))
_REPEATED = re.compile(r"(.)\1{3,}")  # from four on, `!4x` is no longer than `xxxx`
_ROW = re.compile(f"\x1b\\[([0-9;]*)m({PLACEHOLDER}([{ROW_SIGNS}]){ROW_SIGNS[0]}{PLACEHOLDER}*)")
_COLOUR = re.compile(r"(?:^|;)38;2;([0-9]+);([0-9]+);([0-9]+)")


@dataclass(frozen=True, slots=True)
class Pixels:
    """Pixels as indexes into a palette of red, green, blue, row by row, and the pixels that one cell has."""

    width: int
    palette: bytes
    indexes: bytes
    cell: tuple[int, int]

    @property
    def columns(self) -> int:
        """How many cells it is wide."""
        return -(-self.width // self.cell[0])

    @property
    def rows(self) -> int:
        """How many cells it is high."""
        return -(-(len(self.indexes) // self.width) // self.cell[1])

    def part(self, row: int, columns: int) -> tuple[int, bytes]:
        """Return a row of cells, of so many columns at most: its width in pixels, and its indexes."""
        width, height = min(self.width, columns * self.cell[0]), self.cell[1]
        lines = range(row * height, min((row + 1) * height, len(self.indexes) // self.width))
        return width, b"".join(self.indexes[line * self.width :][:width] for line in lines)


class InlinePictures:
    """The pictures of one terminal, by their numbers."""

    def __init__(self, protocol: str) -> None:
        self._encoded = as_sixels if protocol == "sixel" else as_iterm
        self._pictures: dict[int, Pixels] = {}
        self._made: dict[tuple[int, int, int], str] = {}

    def add(self, number: int, pixels: Pixels) -> None:
        """Take a picture in; its whole rows are made here, which takes some 5 ms each and belongs in a thread."""
        if len(self._pictures) >= KEPT:
            gone = next(iter(self._pictures))
            del self._pictures[gone]
            self._made = {key: made for key, made in self._made.items() if key[0] != gone}
        self._pictures[number] = pixels
        for row in range(pixels.rows):
            self._row(number, row, pixels.columns)

    def draw(self, output: str) -> str:
        """Return output for the terminal with rows of pictures in the place of the cells that stand for them."""
        return _ROW.sub(self._drawn, output) if PLACEHOLDER in output else output

    def _drawn(self, cells: re.Match[str]) -> str:
        columns, colour = cells[2].count(PLACEHOLDER), _COLOUR.search(cells[1])
        blank = f"\x1b[{cells[1]}m\x1b7{' ' * columns}\x1b8"
        number = int.from_bytes(bytes(min(255, int(part)) for part in colour.groups()), "big") if colour else 0
        picture = self._row(number, ROW_SIGNS.index(cells[3]), columns) if number in self._pictures else ""
        return f"{blank}{picture}\x1b8\x1b[{columns}C"

    def _row(self, number: int, row: int, columns: int) -> str:
        key = number, row, columns
        if key not in self._made:
            pixels = self._pictures[number]
            width, indexes = pixels.part(row, columns)
            self._made[key] = self._encoded(width, indexes, pixels.palette, columns) if indexes else ""
        return self._made[key]


def as_sixels(width: int, indexes: bytes, palette: bytes, columns: int) -> str:
    """Return pixels as sixels (VT3xx graphics manual, 14): for each six lines each colour's bits, a character each."""
    lines = [indexes[at : at + width] for at in range(0, len(indexes), width)]
    colours = "".join(
        f"#{each};2;{';'.join(str(round(part * 100 / 255)) for part in palette[3 * each : 3 * each + 3])}"
        for each in sorted(set(indexes))
    )
    bands = (lines[top : top + BAND_PIXELS] for top in range(0, len(lines), BAND_PIXELS))
    return f'\x1bP0;1;0q"1;1;{width};{len(lines)}{colours}{"-".join(map(partial(_band, width), bands))}\x1b\\'


def _band(width: int, lines: list[bytes]) -> str:
    parts = []
    for colour in sorted(set(b"".join(lines))):
        bits = 0
        for place, line in enumerate(lines):
            bits |= int.from_bytes(line.translate(_bit_of(colour, place)), "big")
        sixels = bits.to_bytes(width, "big").translate(_SIXELS).decode("ascii")
        parts.append(f"#{colour}{_REPEATED.sub(lambda run: f'!{len(run[0])}{run[1]}', sixels)}")
    return "$".join(parts)


@lru_cache(COLOURS * BAND_PIXELS)
def _bit_of(colour: int, place: int) -> bytes:
    """Return the table that makes a colour the bit of its line in a band, and every other one nothing."""
    return bytes(1 << place if each == colour else 0 for each in range(COLOURS))


def as_iterm(width: int, indexes: bytes, palette: bytes, columns: int) -> str:
    """Return pixels as a file shown inline, one cell high (iterm2.com/documentation-images.html)."""
    content = png(width, indexes, palette)
    told = f"inline=1;width={columns};height=1;preserveAspectRatio=0;size={len(content)}"
    return f"\x1b]1337;File={told}:{standard_b64encode(content).decode('ascii')}\x07"


def png(width: int, indexes: bytes, palette: bytes) -> bytes:
    """Return pixels as a PNG with a palette."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    lines = b"".join(b"\0" + indexes[at : at + width] for at in range(0, len(indexes), width))
    head = struct.pack(">IIBBBBB", width, len(indexes) // width, 8, 3, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"PLTE", palette) + chunk(b"IDAT", zlib.compress(lines))
    return b"\x89PNG\r\n\x1a\n" + parts + chunk(b"IEND", b"")
