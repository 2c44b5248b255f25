"""Tells words from data: only what is words has a meaning that an encoder could give.

Keys and pictures in base64, minified code, drawings and tables of numbers lie at random places among the meanings, and
would be near to questions that they have nothing to do with. They are found by words alone. A blank note is no
data: the encoder reads its name.
"""

from __future__ import annotations

import re

SHORTEST = 80  # visible characters: in less there is too little to judge, and a telephone number may be a note
LONGEST_WORD = 60  # characters without a blank that are judged as one; addresses hold signs that keys do not
MIXED = 0.4  # share of neighbours in a key that change between capitals, small letters and figures: words have 0.1
ENCODED = 0.5  # share of the visible characters in keys
FIGURES, FEW_WORDS = 0.3, 0.2  # shares of figures, and of letters in words, in a table of numbers
BLANKS, SIGNS = 0.08, 0.18  # shares of blanks and of the signs of code in minified code: prose has 0.16 and 0.03
DRAWN, DRAWN_SIGNS = 0.15, 0.2  # shares of figures and of signs in a drawing, in which no word stands beside another
_KEY = re.compile(r"(?<!\S)[A-Za-z0-9+/=_\-\"',]{60,}+(?!\S)")
_CHANGE = re.compile(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[A-Z])(?=[a-z0-9])|(?<=[0-9])(?=[A-Za-z])")
_WORD = re.compile(r"[^\W\d_]{3,}+|[^\x00-\u02ff\W\d_]")
_FIGURE = re.compile(r"\d")
_SIGN = re.compile(r"[(){}\[\];=,&?!<>+:\"]")
_JSON_SIGN = re.compile(r"[{}\[\]:,\"]")
_PAIR = re.compile(r"[^\W\d_]{2},? [^\W\d_]{2}")


def is_words(text: str) -> bool:
    """Whether the body of a passage is language, or code as people write it; else it is data."""
    visible = len("".join(text.split()))
    if visible < SHORTEST:
        return True
    figures = len(_FIGURE.findall(text)) / visible
    if figures > FIGURES and sum(map(len, _WORD.findall(text))) / visible < FEW_WORDS:
        return False
    if sum(len(key) for key in _KEY.findall(text) if _is_mixed(key)) / visible > ENCODED:
        return False
    signs = len(_SIGN.findall(text)) / visible
    if signs > SIGNS and (len(text) - visible) / len(text) < BLANKS:
        return False
    if figures < DRAWN or len(_JSON_SIGN.findall(text)) / visible < DRAWN_SIGNS:
        return True
    return _PAIR.search(text) is not None or not text.isascii()


def _is_mixed(key: str) -> bool:
    return len(_CHANGE.findall(key)) > MIXED * len(key)
