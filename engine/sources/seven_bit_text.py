"""Texts in plain ASCII that stand for other letters: ISO-2022-JP, HZ of old Chinese news, UTF-7 of old mail programs.

Nothing in such a file says so, and code or prices hold the same signs: it is taken for one only where all of it fits.
"""

from __future__ import annotations

import re
import unicodedata

_JAPANESE = re.compile(rb"\x1b\$\(?[@BD]")  # how ISO-2022 turns to Japanese
_CHINESE = re.compile(rb"~\{((?:[!-~]{2}){1,500}?)~\}")
_USUAL_CHINESE = frozenset(range(0x30, 0x58))  # first bytes of the signs of everyday, of which texts are made
_CHINESE_MARKS = frozenset(range(0x21, 0x24))  # commas, quotes, full stops, wide letters and digits
LEAST_USUAL = 0.9  # of the signs; letters of English words lie beyond them
LEAST_SIGNS = 3
_SHIFTED = re.compile(rb"\+([A-Za-z0-9+/]{3,500})")  # BASE64 of UTF-16 in UTF-7; `+-` is a plus
_PLUS = re.compile(rb"\+(?!-)")
LEAST_SHIFTED = 2  # pieces, and letters in them: one alone may be anything
_MANY_SIGNS = frozenset(("CJK", "HANGUL"))  # two of five numbers of 16 bits are one of these
LEAST_OF_MANY_SIGNS = 8


def escaped(raw: bytes) -> str | None:
    """Decode a text that is all ASCII and means other letters; None where the bytes are what they seem."""
    if not raw.isascii():
        return None
    if b"\x1b$" in raw and _JAPANESE.search(raw):
        return _japanese(raw)
    if b"~{" in raw and (text := _hz(raw)) is not None:
        return text
    return _utf_7(raw) if raw.count(b"+") >= LEAST_SHIFTED else None


def _japanese(raw: bytes) -> str | None:
    for codec in ("iso2022_jp_ext", "iso2022_jp_2"):
        try:
            return raw.decode(codec)
        except UnicodeDecodeError:
            continue
    return None


def _hz(raw: bytes) -> str | None:
    pieces = [match[1] for match in _CHINESE.finditer(raw)]
    if not pieces or len(pieces) != raw.count(b"~{"):
        return None
    firsts = [first for piece in pieces for first in piece[::2] if first not in _CHINESE_MARKS]
    usual = sum(first in _USUAL_CHINESE for first in firsts)
    if usual < max(LEAST_SIGNS, LEAST_USUAL * len(firsts)):
        return None
    try:
        return raw.decode("hz")
    except UnicodeDecodeError:
        return None


def _utf_7(raw: bytes) -> str | None:
    """Decode UTF-7 where each plus begins a sound piece, and all pieces are of one script."""
    pieces = _SHIFTED.findall(raw)
    if len(pieces) < LEAST_SHIFTED or len(pieces) != len(_PLUS.findall(raw)) - _inner(pieces):
        return None
    try:
        text = raw.decode("utf-7")
        shifted = "".join((b"+" + piece + b"-").decode("utf-7") for piece in pieces)
    except UnicodeDecodeError:
        return None
    letters = [letter for letter in shifted if not letter.isascii()]
    if not letters or any(unicodedata.category(letter) in ("Cn", "Co", "Cc", "Cs") for letter in letters):
        return None
    scripts = {unicodedata.name(letter, "").partition(" ")[0] for letter in letters if letter.isalpha()}
    least = LEAST_OF_MANY_SIGNS if scripts <= _MANY_SIGNS else LEAST_SHIFTED
    return text if len(scripts) == 1 and len(letters) >= least else None


def _inner(pieces: list[bytes]) -> int:
    """Return how many pluses stand inside pieces, where they are signs of BASE64."""
    return sum(piece.count(b"+") for piece in pieces)
