"""The pieces of a query line: where each begins and ends, and what its signs can mean. Pure; `query` understands them.

Nothing that people paste is an error here: a sign that makes no sense as an operator is a sign of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.lazy_dataclass import dataclass

FILTERS = ("path", "type", "tag", "title", "author", "from", "to", "subject", "after", "before", "date")

_FIELD = re.compile(rf"({'|'.join(FILTERS)}):", re.IGNORECASE)
# Which signs close a phrase that this one opens: people mix the straight with the curly, and countries differ.
_CLOSING = {
    '"': '"\u201c\u201d',
    "\uff02": "\uff02",
    "\u201c": '\u201d"\u201c',
    "\u201d": '\u201d"',  # Swedish and Finnish
    "\u201e": '\u201c\u201d"',
    "\u00ab": "\u00bb",
    "\u00bb": "\u00ab\u00bb",
    "\u201a": "\u2018\u2019",
    "\u2018": "\u2019",
    "\u2039": "\u203a",
    "\u203a": "\u2039\u203a",
    "\u300c": "\u300d",
    "\u300e": "\u300f",
    "\uff62": "\uff63",
    "\u301d": "\u301e\u301f",
}
_APOSTROPHE = "\u2019"
LONGEST_PHRASE = 2_000  # code points between quotation marks: what is longer was pasted, and its marks are signs
_BEFORE_A_WORD = ".#@_/"  # signs that a word to leave out may begin with: -.net, -#draft
_EDGES = "".join(_CLOSING) + "".join(_CLOSING.values())


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of the query line: its span, and what stands there.

    `minus` is set where the piece is left out, by its form alone. `value` is "" where a filter has none. A value that
    was `quoted` and not `closed` reaches to the end of the line.
    """

    start: int
    end: int
    minus: bool
    field: str | None
    value: str
    quoted: bool
    closed: bool

    @property
    def is_sign(self) -> bool:
        """Whether it holds no letter and no digit."""
        return not any(map(str.isalnum, self.value))


def pieces(text: str) -> Iterator[Piece]:
    """Split a query line into its pieces, in order; what is blank between them is left out."""
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        piece = _piece(text, at)
        yield piece
        at = piece.end


def _piece(text: str, start: int) -> Piece:
    minus = text[start] == "-"
    at = start + minus
    field = _FIELD.match(text, at)
    at = field.end() if field else at
    name = field[1].lower() if field else None
    if (end := _closed_at(text, at)) is not None:
        return Piece(start, end, minus, name, text[at + 1 : end - 1], quoted=True, closed=True)
    if field and text[at : at + 1] in _CLOSING:
        return Piece(start, len(text), minus, name, text[at + 1 :], quoted=True, closed=False)
    end = _end_of_word(text, at)
    if field:
        return Piece(start, end, minus, name, text[at:end], quoted=False, closed=True)
    leaves_out = minus and _can_be_left_out(text[at:end])
    value = text[at if leaves_out else start : end]
    return Piece(start, end, leaves_out, None, value.strip(_EDGES) or value, quoted=False, closed=True)


def _end_of_word(text: str, at: int) -> int:
    while at < len(text) and not text[at].isspace():
        at += 1
    return at


def _closed_at(text: str, at: int) -> int | None:
    """Return where the phrase ends whose opening sign stands at `at`; None where none does, or nothing closes it."""
    opening = text[at : at + 1]
    if opening not in _CLOSING or not opening:
        return None
    closing = _CLOSING[opening]
    for end in range(at + 1, min(len(text), at + 1 + LONGEST_PHRASE)):
        if text[end] not in closing or (text[end] == _APOSTROPHE and text[end + 1 : end + 2].isalnum()):
            continue
        if opening == "\u2018" and not any(map(str.isspace, text[at + 1 : end])):
            return None  # ‘one’ word is no phrase, and ’n’ is none either
        return end + 1
    return None


def _can_be_left_out(word: str) -> bool:
    """Whether what stands behind a minus is a word: no option (--all, -std=c11), no number (-5), no letter (-t)."""
    letters = word.rstrip("*").lstrip(_BEFORE_A_WORD)
    if not letters[:1].isalpha() or "=" in letters:
        return False
    return len(letters) > 1 or not _has_case(letters)


def _has_case(letter: str) -> bool:
    """Whether a letter is of a writing with small and great letters, in which one alone is seldom a word."""
    return letter.lower() != letter.upper()


def opens_a_phrase(piece: Piece, text: str) -> bool:
    """Whether a piece begins with a quotation mark that nothing closes; ‘ may be an apostrophe."""
    return not piece.quoted and piece.field is None and text[piece.start] in _CLOSING and text[piece.start] != "\u2018"
