"""How large a cell of the terminal is, as its window tells.

Nothing is asked of the terminal: its answer would come among the keys.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

STREAMS = (2, 1, 0)  # one of which is the terminal that is drawn on


def cell_pixels(streams: Iterable[int] = STREAMS) -> tuple[int, int] | None:
    """Return width and height of a cell in pixels; None where the terminal does not tell."""
    import fcntl  # of Unix, where Carrel runs
    import termios

    for stream in streams:
        try:
            told = fcntl.ioctl(stream, termios.TIOCGWINSZ, bytes(8))
        except OSError:
            continue
        rows, columns, width, height = struct.unpack("HHHH", told)
        if rows and columns and width >= columns and height >= rows:
            return width // columns, height // rows
    return None
