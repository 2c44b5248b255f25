"""Text from notes made fit for a screen: note text is hostile, so this is the only way in for it.

Everything here keeps one code point for one code point, so that spans counted in the original still fit.
"""

from __future__ import annotations

import os
import re

from rich.cells import cell_len

from engine.paths import display

_HARMFUL = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0 and C1 controls, escape sequences among them
    "\u2028\u2029"  # line and paragraph separators
    "\u200e\u200f\u202a-\u202e\u2066-\u2069"  # direction overrides that can show a text as another one
    "\ufeff\ufff9-\ufffb"  # marks without a width
    "\ud800-\udfff]"  # half surrogates, which no terminal encoding takes
)
_SPACE = re.compile(r"[\t\n\r\x0b\x0c\x1c-\x1f\x85\u2028\u2029]")
TAB_CELLS = 4  # wide enough to show nesting, narrow enough for half a screen


def _picture(match: re.Match[str]) -> str:
    """Return the sign that stands for one harmful character."""
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"


def one_line(text: str) -> str:
    """Return `text` as one line of the same length: white space is a space, control characters are pictures."""
    return _HARMFUL.sub(_picture, _SPACE.sub(" ", text))


def line(text: str) -> str:
    """Return one line of a document with tabs expanded and control characters as pictures; the length may change."""
    return _HARMFUL.sub(_picture, text.expandtabs(TAB_CELLS))


def short_path(path: bytes) -> str:
    """Return an absolute path with the person's home as ~, its signs as they are: for a query, not for the screen."""
    home, text = os.path.expanduser("~"), display(path)
    inside = home != "/" and (text == home or text.startswith(home + "/"))
    return "~" + text[len(home) :] if inside else text


def shown_path(path: bytes) -> str:
    """Return an absolute path as one line, with the person's home as ~."""
    return one_line(short_path(path))


def cut_front(text: str, cells: int) -> str:
    """Return `text` cut at its front to at most `cells` cells, so that a path keeps its name."""
    if cell_len(text) <= cells:
        return text
    while text and cell_len(text) >= cells:
        text = text[1:]
    return "…" + text if cells > 0 else ""
