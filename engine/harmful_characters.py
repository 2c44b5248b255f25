"""The characters that steer a terminal, turn a text around, or cannot be seen, and how JSON writes them.

Control characters (C0, DEL, C1), direction controls, separators of lines and paragraphs, characters without a width,
and half surrogates. What scripts and emoji need stays: a joiner between two of their characters, and a variation
selector behind the character that it varies.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

_JOINED = "\u0590-\u1fff\u2190-\u2bff\u2e80-\ud7ff\uf900-\ufdff\ufe0f\ufe70-\ufefe\U00010000-\U0001fbff"
_SELECTOR = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_NO_WIDTH = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
_ALONE = re.compile(f"[\x00-\x1f\x7f-\x9f{_NO_WIDTH}\ud800-\udfff]")  # harmful wherever they stand
_VARYING = re.compile(f"[\u200c\u200d{_SELECTOR}]")  # harmful where nothing is joined or varied


@cache
def in_context() -> re.Pattern[str]:
    """Return the pattern of joiners and selectors that join and vary nothing: 6 ms that few texts ask for."""
    return re.compile(
        f"(?<![{_JOINED}])[\u200c\u200d]|[\u200c\u200d](?![{_JOINED}])"
        f"|(?<![#*0-9\xa9\xae\u203c-\u2bff\u3030-\ud7ff\uf900-\ufaff\U00010000-\U0003ffff])[{_SELECTOR}]"
    )


def replaced(text: str, sign: Callable[[re.Match[str]], str]) -> str:
    """Return `text` with `sign` of each harmful character in its place."""
    if _VARYING.search(text):  # first, for what is replaced would change what stands beside
        text = in_context().sub(sign, text)
    return _ALONE.sub(sign, text)


def escaped(json_text: str) -> str:
    r"""Return the text of a JSON document with each harmful character in a string as `\u009b`; the data stays."""
    return replaced(json_text, _escape)


def _escape(found: re.Match[str]) -> str:
    if found[0] in "\t\n\r":  # between values; json.dumps leaves none in a string
        return found[0]
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
