"""Text from notes made fit for a terminal: note text is hostile, so this is the only way in for it.

`cleaned` and `one_line` keep one code point for one code point, so that spans counted in the original still fit.
"""

from __future__ import annotations

import re

from engine.harmful_characters import replaced

_SPACE = re.compile(r"[\t\n\r\x0b\x0c\x1c-\x1f\x85\u2028\u2029]")
_LAYOUT = "\t\n"
_SIGNS = {"\x7f": "\u2421", "\xad": "\u2010"}  # a soft hyphen is a place where a word may be broken
TAB_CELLS = 4  # wide enough to show nesting, narrow enough for half a screen


def _picture(match: re.Match[str]) -> str:
    """Return the sign that stands for one harmful character."""
    code = ord(match[0])
    return chr(0x2400 + code) if code < 0x20 else _SIGNS.get(match[0], "\ufffd")


def pictured(text: str) -> str:
    """Return `text` with control characters as pictures, line ends and tabs among them: ␊, ␉."""
    return replaced(text, _picture)


def cleaned(text: str) -> str:
    """Return `text` with control characters as pictures, line ends and tabs excepted."""
    return replaced(text, lambda found: found[0] if found[0] in _LAYOUT else _picture(found))


def one_line(text: str) -> str:
    """Return `text` as one line of the same length: white space is a space, control characters are pictures."""
    return pictured(_SPACE.sub(" ", text))


def line(text: str) -> str:
    """Return one line of a document with tabs expanded and control characters as pictures; the length may change."""
    return pictured(text.expandtabs(TAB_CELLS))
