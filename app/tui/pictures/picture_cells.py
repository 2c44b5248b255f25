"""The cells that show a picture: those of a terminal that draws it itself, or half a cell a pixel. Pure.

Kitty's protocol has the picture sent once under a number; cells that hold a certain sign, in a colour that is the
number, then show it wherever they are written (sw.kovidgoyal.net/kitty/graphics-protocol, Unicode placeholders). So a
picture scrolls and is cut off like text.
"""

from __future__ import annotations

from base64 import standard_b64encode
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Literal

from textual.content import Content

Terminal = Literal["kitty", "iterm", "sixel", "colour", "none"]
PLACEHOLDER = "\U0010eeee"
# The signs that number the rows of a picture, from 0 on; the protocol has more than any picture here needs.
ROW_SIGNS = (
    "\u0305\u030d\u030e\u0310\u0312\u033d\u033e\u033f\u0346\u034a\u034b\u034c\u0350\u0351\u0352"
    "\u0357\u035b\u0363\u0364\u0365\u0366\u0367\u0368\u0369\u036a\u036b\u036c\u036d\u036e\u036f"
)
ITERM_PROGRAMS = ("iterm.app", "wezterm", "mintty")  # by TERM_PROGRAM: they show files as iTerm does
SIXEL_TERMS = ("foot", "mlterm", "contour", "yaft")  # by the beginning of TERM
CHUNK_CHARACTERS = 4096  # of a picture, in one message to the terminal: the protocol allows no more


def terminal_of(environment: Mapping[str, str]) -> Terminal:
    """Return how pictures can be shown by what the environment tells of the terminal.

    Nothing is asked of the terminal: its answer would come among the keys. Within tmux and screen no picture gets
    through but as coloured cells.
    """
    if environment.get("NO_COLOR"):
        return "none"
    term, program = environment.get("TERM", ""), environment.get("TERM_PROGRAM", "").lower()
    if not environment.get("TMUX") and not environment.get("STY"):
        if term in ("xterm-kitty", "xterm-ghostty") or program == "ghostty":
            return "kitty"
        if program in ITERM_PROGRAMS or environment.get("LC_TERMINAL") == "iTerm2":
            return "iterm"
        if term.startswith(SIXEL_TERMS):
            return "sixel"
    return "colour" if environment.get("COLORTERM", "").lower() in ("truecolor", "24bit") else "none"


def transmission(png: bytes, number: int, columns: int, rows: int) -> str:
    """Return what sends a picture to kitty, to be shown by placeholders; the terminal answers nothing."""
    data = standard_b64encode(png).decode()
    chunks = [data[at : at + CHUNK_CHARACTERS] for at in range(0, len(data), CHUNK_CHARACTERS)]
    return "".join(
        f"\x1b_G{f'a=T,U=1,f=100,i={number},c={columns},r={rows},' if not place else ''}q=2,m={int(more)};{chunk}\x1b\\"
        for place, chunk in enumerate(chunks)
        for more in (place + 1 < len(chunks),)
    )


def placeholders(number: int, columns: int, rows: int) -> tuple[Content, ...]:
    """Return the rows of cells at which kitty shows a picture that was sent under a number below 2^24."""
    return tuple(
        Content(PLACEHOLDER + ROW_SIGNS[row] + ROW_SIGNS[0] + PLACEHOLDER * (columns - 1)).stylize(f"#{number:06x}")
        for row in range(min(rows, len(ROW_SIGNS)))
    )


def mosaic(pixels: bytes, width: int, height: int) -> tuple[Content, ...]:
    """Return rows of cells that show two pixels each, one above the other; `pixels` are bytes of red, green, blue."""
    return tuple(Content.assemble(*_runs(pixels, width, top, min(top + 1, height - 1))) for top in range(0, height, 2))


def _runs(pixels: bytes, width: int, top: int, bottom: int) -> Iterator[tuple[str, str]]:
    """Yield the cells of a row, those of the same colours together."""

    def colours(column: int) -> str:
        upper, lower = (pixels[3 * (row * width + column) :][:3].hex() for row in (top, bottom))
        return f"#{upper} on #{lower}"

    for style, cells in groupby(range(width), colours):
        yield "▀" * sum(1 for _ in cells), style
