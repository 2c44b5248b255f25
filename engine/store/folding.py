"""Folds a word to the letters by which it is found: any case, width and accent, composed or not, is one word.

NFKC, full case folding, marks, and the names that tell ł from l come from Python's own tables. `apsw.unicode` was tried
first: its `strip` leaves ł, ø and ı, and takes blanks, the vowel signs of Hindi and the marks that make が of か away
as if they were accents. PyICU folds by the same rules, but needs a library of the system.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

FILL = "\ufdd0"  # a noncharacter: stands for a sign that shapes text and is not seen, as the stars in un**believ**able

# Signs without width, which stand inside words: soft hyphen, joiners, directions, variation selectors.
IGNORED = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\U000e0100-\U000e01ef"
)
# Marks of the basic plane, and of Adlam; what lies between two of a range is a letter, or nothing yet.
MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc"
    "\u06df-\u06e8\u06ea-\u06ed\u0711-\u07f3\u07fd\u0816-\u082d\u0859-\u085b\u0898-\u08e1\u08e3-\u0963\u0981-\u09e3\u09fe-\u0a75"
    "\u0a81-\u0ae3\u0afa-\u0b63\u0b82-\u0bd7\u0c00-\u0c63\u0c81-\u0c83\u0cbc-\u0d4d\u0d57-\u0d63\u0d81-\u0df3\u0e31-\u0e3a"
    "\u0e47-\u0e4e\u0eb1-\u0ecd\u0f18\u0f19\u0f35\u0f37\u0f39\u0f3e-\u0f84\u0f86-\u0fbc\u0fc6\u102b-\u103e\u1056-\u109d"
    "\u135d-\u135f\u1712-\u1734\u1752-\u17d3\u17dd\u180b-\u180d\u180f-\u193b\u1a17-\u1a1b\u1a55-\u1a7f\u1ab0-\u1b44"
    "\u1b6b-\u1b73\u1b80-\u1bf3\u1c24-\u1c37\u1cd0-\u1cd2\u1cd4-\u1dff\u20d0-\u20f0\u2cef-\u2cf1\u2d7f-\u2dff\u302a-\u302f"
    "\u3099\u309a\ua66f-\ua672\ua674-\ua67d\ua69e-\ua6f1\ua802-\ua827\ua82c\ua880-\ua8c5\ua8e0-\ua8f1\ua8ff-\ua92d"
    "\ua947-\ua953\ua980-\ua9c0\ua9e5-\uaa4d\uaa7b-\uaac1\uaaeb-\uaaef\uaaf5\uaaf6\uabe3-\uabea\uabec\uabed\ufb1e"
    "\ufe20-\ufe2f\U0001e8d0-\U0001e94a"
)

APOSTROPHES = "\u2018\u2019\u02b9\u02bb-\u02bf\u02c8"  # the ways to write one, letters of words among them: пʼять

# Letters that are written for one another and that Unicode neither decomposes nor names as one with something added.
_ALIKE = str.maketrans(
    {
        "ı": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "ŋ": "n",
        "\u0640": None,  # the Arabic stroke that makes a word longer
        "\u0671": "\u0627", "\u0649": "\u064a", "\u06cc": "\u064a", "\u06a9": "\u0643", "\u0629": "\u0647",
        "\u06c1": "\u0647", "\u06d5": "\u0647",
        "\u0901": "\u0902",  # the two points of Hindi over a vowel that is spoken through the nose
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"), **dict.fromkeys("“”„‟«»", '"'),
    }
)  # fmt: skip
# A consonant of Hindi spoken through the nose before one of its own kind, which is written as a point as well: हिन्दी.
_NASAL = re.compile(
    "(?:\u0919\u094d(?=[\u0915-\u0918])|\u091e\u094d(?=[\u091a-\u091d])|\u0923\u094d(?=[\u091f-\u0922])"
    "|\u0928\u094d(?=[\u0924-\u0927])|\u092e\u094d(?=[\u092a-\u092d]))"
)
_IOTA_BELOW = "\u0345"  # of ancient Greek, an accent to who types, and a letter once its case is folded
_OF_ONE_SCRIPT = ("LATIN ", "CYRILLIC ", "GREEK ")
_CACHED = 2**13  # code points: more than the letters of all scripts that a person writes


def fold(text: str) -> str:
    """Return what two ways to write the same word have in common, without case, accents, points and width.

    Signs of vowels in the scripts of India and South-East Asia are kept, and so is what makes が of か: they are no
    accents but letters.
    """
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text).replace(_IOTA_BELOW, "")
    letters = unicodedata.normalize("NFKD", apart.casefold())
    folded = unicodedata.normalize("NFC", "".join(map(_letter, letters)))
    return _NASAL.sub("\u0902", folded) if "\u094d" in folded else folded


@lru_cache(2**15)
def fold_name(name: str) -> str:
    """Fold a title, a path or tags, which a filter asks for again and again; about 10 MB where all places are taken."""
    return fold(name)


@lru_cache(_CACHED)
def _letter(letter: str) -> str:
    """Return a decomposed letter as it counts, "" for what does not."""
    if letter.isascii():
        return letter
    if _is_accent(letter) or letter in _ZERO_WIDTH:
        return ""
    if letter.isdecimal():
        return str(unicodedata.decimal(letter))
    name = unicodedata.name(letter, "")
    if " WITH " in name and name.startswith(_OF_ONE_SCRIPT):  # ł is LATIN SMALL LETTER L WITH STROKE
        try:
            letter = unicodedata.lookup(name.partition(" WITH ")[0])
        except KeyError:
            return letter
    return "'" if letter in _APOSTROPHES else letter.translate(_ALIKE)


def _is_accent(letter: str) -> bool:
    """Tell a mark that is left out by its combining class.

    That is one above, below or through a letter, a Hebrew or Arabic point, a nukta. Signs of vowels in other scripts
    have class 0 or one of their own, and the voiced mark of kana has 8.
    """
    kind = unicodedata.combining(letter)
    return kind in (1, 7) or 10 <= kind <= 36 or kind >= 200


def _spelled_out(ranges: str) -> frozenset[str]:
    """Return the characters of a character class that holds ranges."""
    found: set[str] = set()
    for at, letter in enumerate(ranges):
        if letter == "-":
            found.update(map(chr, range(ord(ranges[at - 1]), ord(ranges[at + 1]))))
        else:
            found.add(letter)
    return frozenset(found)


_ZERO_WIDTH = _spelled_out(IGNORED) | {FILL, "\n"}
_APOSTROPHES = _spelled_out(APOSTROPHES)
