"""Finds the file of a picture that a note shows, and makes its cells: slow, so it belongs in a thread."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from urllib.parse import unquote

from textual.content import Content

from app.tui.pages.inline_markup import leads_out
from app.tui.pictures.inline_rows import InlinePictures, Pixels
from app.tui.pictures.picture_cells import Terminal, mosaic, placeholders, transmission
from app.tui.pictures.thumbnail import CPU_SECONDS, MOST_FILE_BYTES, PALETTE_BYTES, SIZE
from app.tui.pictures.window_size import cell_pixels
from engine.lazy_dataclass import dataclass
from engine.paths import own_process
from engine.sources.safe_open import open_beneath

MOST_COLUMNS, MOST_ROWS = 60, 16
CELL_PIXELS = (10, 20)  # of a cell that a terminal draws pictures in: finer is not seen beside text
PATIENCE_SECONDS = 2.0 * CPU_SECONDS
MOST_NUMBER = 2**24 - 2  # of a picture in a terminal: a colour tells it
KEPT = 64  # pictures: what is shown again is not read again


@dataclass(frozen=True, slots=True)
class _Made:
    size: tuple[int, int]
    content: bytes


class PictureFiles:
    """Makes the cells of pictures for one terminal; `send` writes to it what its cells refer to.

    It needs Pillow, which the extra `pictures` brings; without it every picture is shown by its name.
    """

    def __init__(
        self,
        terminal: Terminal,
        decoder: Sequence[str] = (),
        cell: Callable[[], tuple[int, int] | None] = cell_pixels,
    ) -> None:
        self._terminal = terminal
        self._cell = cell
        self._inline = InlinePictures(terminal)
        self._decoder = decoder or own_process("app.tui.pictures.thumbnail")
        self._sent = 0
        self._kept: dict[tuple[bytes, int], tuple[Content, ...]] = {}

    @property
    def shows(self) -> bool:
        """Whether this terminal shows pictures at all."""
        return self._terminal != "none"

    def draw(self, output: str) -> str:
        """Return what goes to the terminal, with pictures in the place of cells that stand for them."""
        return self._inline.draw(output) if self._terminal in ("sixel", "iterm") else output

    def cells(
        self, note: bytes, target: str, roots: Sequence[bytes], send: Callable[[str], None]
    ) -> tuple[Content, ...]:
        """Return the rows of cells of a picture that a note refers to; none where it cannot be shown.

        A picture lies in a watched folder and is no link; nothing is fetched from anywhere.
        """
        if not self.shows or leads_out(target):
            return ()
        path = os.path.normpath(os.path.join(os.path.dirname(note), os.fsencode(unquote(target.partition("#")[0]))))
        root = next((root for root in roots if path.startswith(root.rstrip(b"/") + b"/")), None)
        if root is None:
            return ()
        try:
            descriptor = open_beneath(path, root)
        except (OSError, ValueError):  # a name may hold a zero
            return ()
        try:
            found = os.fstat(descriptor)
            usable = stat.S_ISREG(found.st_mode) and found.st_size <= MOST_FILE_BYTES
            return self._kept_cells(path, found.st_mtime_ns, descriptor, send) if usable else ()
        finally:
            os.close(descriptor)

    def _kept_cells(
        self, path: bytes, modified: int, descriptor: int, send: Callable[[str], None]
    ) -> tuple[Content, ...]:
        key = path, modified
        if key not in self._kept:
            if len(self._kept) >= KEPT:
                self._kept.clear()
            self._kept[key] = self._made_cells(descriptor, send)
        return self._kept[key]

    def _made_cells(self, descriptor: int, send: Callable[[str], None]) -> tuple[Content, ...]:
        cell = CELL_PIXELS if self._terminal == "iterm" else self._cell() if self._terminal == "sixel" else None
        if cell is not None:
            return self._inline_cells(descriptor, cell)
        if self._terminal in ("colour", "sixel"):  # sixels need to know how large a cell is
            made = self._made("rgb", (MOST_COLUMNS, 2 * MOST_ROWS), descriptor)
            return mosaic(made.content, *made.size) if made else ()
        width, height = CELL_PIXELS
        made = self._made("png", (MOST_COLUMNS * width, MOST_ROWS * height), descriptor)
        if made is None:
            return ()
        columns, rows = -(-made.size[0] // width), -(-made.size[1] // height)
        number = self._next_number()
        send(transmission(made.content, number, columns, rows))
        return placeholders(number, columns, rows)

    def _inline_cells(self, descriptor: int, cell: tuple[int, int]) -> tuple[Content, ...]:
        width, height = cell
        made = self._made("palette", (MOST_COLUMNS * width, MOST_ROWS * height), descriptor)
        if made is None or len(made.content) != PALETTE_BYTES + made.size[0] * made.size[1]:
            return ()
        pixels = Pixels(made.size[0], made.content[:PALETTE_BYTES], made.content[PALETTE_BYTES:], cell)
        number = self._next_number()
        self._inline.add(number, pixels)
        return placeholders(number, pixels.columns, pixels.rows)

    def _next_number(self) -> int:
        self._sent += 1
        return 1 + (os.getpid() * KEPT + self._sent) % MOST_NUMBER

    def _made(self, kind: str, most: tuple[int, int], descriptor: int) -> _Made | None:
        """Have a process make the picture small; None where it cannot be shown."""
        command = [*self._decoder, kind, *map(str, most)]
        with suppress(OSError, subprocess.SubprocessError):
            done = subprocess.run(command, stdin=descriptor, capture_output=True, timeout=PATIENCE_SECONDS, check=False)
            size = SIZE.unpack_from(done.stdout) if done.returncode == 0 and len(done.stdout) > SIZE.size else (0, 0)
            if size != (0, 0):
                return _Made(size, done.stdout[SIZE.size :])
        return None
