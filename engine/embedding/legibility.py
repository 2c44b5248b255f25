"""Tells from its vocabulary which writings an encoder reads: the vector of what it does not read says nothing.

A model of English cuts 预算 into unknown tokens and привет into single letters, and every such text gets much the same
vector. A writing counts as read where the vocabulary holds a thousand tokens of it: all-MiniLM-L6-v2 holds 26,658 of
Latin letters, 488 of Chinese ones and under a hundred of any other; multilingual models hold thousands of each.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import cache

LEAST_TOKENS = 1_000  # of a writing in the vocabulary of a model that reads it
LEAST_SHARE = 0.5  # of a text's letters, in writings that are read: else its vector says nothing
LOOKED_AT = 4_000  # code points of a text: more than a passage of words has
PICTURES = "pictures"  # in the place of a writing's name
_CONTINUES = ("##", "\u2581", "\u0120")  # what stands before a token inside a word, or at the beginning of one


BYTES_SHARE = 0.05  # of the tokens with a blank before them, written as such a vocabulary writes it


@cache
def _bytes_of_letters() -> dict[str, int]:
    """Return which byte each letter of a vocabulary of bytes stands for, as GPT-2 and all after it have it."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [octet for octet in range(256) if octet not in plain]
    return {chr(octet): octet for octet in plain} | {chr(256 + place): octet for place, octet in enumerate(others)}


def _written_in_bytes(token: str) -> str:
    """Return the text of a token of a vocabulary of bytes, whose letters stand for bytes of UTF-8."""
    known = _bytes_of_letters()
    if not all(letter in known for letter in token):
        return token
    return bytes(known[letter] for letter in token).decode("utf-8", "ignore").lstrip()


class Legibility:
    """The writings that one vocabulary reads."""

    def __init__(self, vocabulary: Iterable[str]) -> None:
        one, two, three = _CONTINUES
        tokens = list(vocabulary)
        if sum(token.startswith(three) for token in tokens) > BYTES_SHARE * len(tokens):
            tokens = [_written_in_bytes(token) for token in tokens]
        firsts = Counter(token.removeprefix(one).removeprefix(two).removeprefix(three)[:1] for token in tokens)
        counts: Counter[str] = Counter()
        for letter, count in firsts.items():
            if letter.isalpha():
                counts[_writing(letter)] += count
        self._read = frozenset(writing for writing, count in counts.items() if count >= LEAST_TOKENS)

    def reads(self, text: str) -> bool:
        """Whether most letters of a text are of writings that the model reads; pictures such as 🍕 count as letters.

        A text without any, as a number, is read.
        """
        letters = _letters(text)
        known = sum(count for writing, count in letters.items() if writing in self._read)
        return known >= LEAST_SHARE * letters.total()


def told_by_letters(text: str) -> bool | None:
    """Whether a model reads a text, where any would tell the same; None where its vocabulary has to be asked.

    Every model reads Latin letters, and none reads pictures.
    """
    letters = _letters(text)
    if letters["LATIN"] >= LEAST_SHARE * letters.total():
        return True
    return None if letters.total() - letters[PICTURES] >= LEAST_SHARE * letters.total() else False


def _letters(text: str) -> Counter[str]:
    """Return how many letters of each writing stand in a text, where it is not plain ASCII, which all models read."""
    found: Counter[str] = Counter()
    text = text[:LOOKED_AT]
    if not text.isascii():
        for letter, count in Counter(unicodedata.normalize("NFKC", text)).items():
            if letter.isalpha():
                found[_writing(letter)] += count
            elif unicodedata.category(letter) == "So":
                found[PICTURES] += count
    return found


@cache
def _writing(letter: str) -> str:
    """Return the writing of a letter: the first word of its name, as LATIN, CJK, HIRAGANA or THAI."""
    return unicodedata.name(letter, "").partition(" ")[0]
