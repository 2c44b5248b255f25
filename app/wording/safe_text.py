"""Text from notes made fit for a terminal: note text is hostile, so this is the only way in for it.

`cleaned` and `one_line` keep one code point for one code point, so that spans counted in the original still fit.
"""

from __future__ import annotations

import re

_HARMFUL = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0 and C1 controls, escape sequences among them
    "\u2028\u2029"  # line and paragraph separators
    "\u200e\u200f\u202a-\u202e\u2066-\u2069"  # direction overrides that can show a text as another one
    "\ufeff\ufff9-\ufffb"  # marks without a width
    "\ud800-\udfff]"  # half surrogates, which no terminal encoding takes
)
_SPACE = re.compile(r"[\t\n\r\x0b\x0c\x1c-\x1f\x85\u2028\u2029]")
_LAYOUT = "\t\n"
TAB_CELLS = 4  # wide enough to show nesting, narrow enough for half a screen


def _picture(match: re.Match[str]) -> str:
    """Return the sign that stands for one harmful character."""
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"


def pictured(text: str) -> str:
    """Return `text` with control characters as pictures, line ends and tabs among them: ␊, ␉."""
    return _HARMFUL.sub(_picture, text)


def cleaned(text: str) -> str:
    """Return `text` with control characters as pictures, line ends and tabs excepted."""
    return _HARMFUL.sub(lambda found: found[0] if found[0] in _LAYOUT else _picture(found), text)


def one_line(text: str) -> str:
    """Return `text` as one line of the same length: white space is a space, control characters are pictures."""
    return pictured(_SPACE.sub(" ", text))


def line(text: str) -> str:
    """Return one line of a document with tabs expanded and control characters as pictures; the length may change."""
    return pictured(text.expandtabs(TAB_CELLS))
