"""Offers the nearest word of the library for one that no passage holds, as it is written there.

The words one slip away are made and looked up (Norvig's way), so that the work does not grow with the vocabulary; for
two slips in a longer word its neighbours with the same first letters are compared. Nothing is ever replaced here.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from engine.store.folding import fold
from engine.store.phrase import Phrase
from engine.store.tokenizer import tokens

if TYPE_CHECKING:
    from engine.store.store_connection import StoreConnection

LEAST_LETTERS, MOST_LETTERS = 4, 24  # of a word that is corrected: a shorter one is near to too many
SHARED_LETTERS = 3  # at the beginning of words that are compared where no single slip explains one
MOST_COMPARED = 2_000  # of those
LIKE = 0.8  # least share of letters in common (difflib's ratio): two slips in ten letters
READ_PASSAGES = 5  # for the form in which the library writes a word
# First and last letters of alphabets whose folded small letters lie together: Latin, Greek, Cyrillic, Armenian, Hebrew,
# Arabic, Georgian.
_ALPHABETS = tuple(
    range(ord(ends[0]), ord(ends[1]) + 1)
    for ends in ("az", "\u03b1\u03c9", "\u0430\u045f", "\u0561\u0586", "\u05d0\u05ea", "\u0621\u064a", "\u10d0\u10f0")
)

Counted: TypeAlias = Callable[[Sequence[str]], Mapping[str, int]]


def nearest_term(connection: StoreConnection, word: str, counted: Counted) -> str:
    """Return the term of the library that is nearest to `word`, which no passage holds; "" where none is near.

    `counted` gives for each of some terms how many passages hold it.
    """
    asked = first_asked(word)
    return (_commonest(counted(asked.slips)) or _alike(connection, asked.beginning, word)) if asked.slips else ""


class FirstAsked(NamedTuple):
    """What `nearest_term` asks: how many passages hold each of the `slips`, and which terms have a `beginning`."""

    slips: list[str]
    beginning: str


def first_asked(word: str) -> FirstAsked:
    """Return what is asked for the term nearest to a word; no slips where none is looked for."""
    word = word.casefold()
    if not LEAST_LETTERS <= len(word) <= MOST_LETTERS or not word.isalpha():
        return FirstAsked([], "")
    return FirstAsked([*dict.fromkeys(map(fold, _slips(word)))], fold(word)[:SHARED_LETTERS])


def showing(term: str) -> list[list[Phrase]]:
    """Return what the passages match that show how a term is written; `READ_PASSAGES` of them are read."""
    return [[Phrase((term,))]]


def _slips(word: str) -> Iterator[str]:
    """Yield the words that one letter left out, put in, taken for another or swapped with its neighbour would give."""
    letters = next((alphabet for alphabet in _ALPHABETS if ord(word[0]) in alphabet), range(0))
    for place in range(len(word) + 1):
        before, after = word[:place], word[place:]
        if after:
            yield before + after[1:]
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]
        for letter in map(chr, letters):
            yield before + letter + after
            yield before + letter + after[1:]


def _commonest(counts: Mapping[str, int]) -> str:
    """Return the word that most passages hold; "" where no passage holds one."""
    best = max(counts, key=lambda word: (counts[word], word), default="")
    return best if counts.get(best) else ""


def _alike(connection: StoreConnection, beginning: str, word: str) -> str:
    """Return the term most like a word among those that begin as it does; "" where none is."""
    terms = [term for term in connection.terms_beginning(beginning, MOST_COMPARED) if term.isalpha()]
    return next(iter(difflib.get_close_matches(fold(word.casefold()), terms, n=1, cutoff=LIKE)), "")


def as_written(connection: StoreConnection, term: str, word: str) -> str:
    """Return the commonest form in which passages write a term, of equally common ones the one most like `word`."""
    word = word.casefold()
    forms: Counter[str] = Counter()
    for text, kind in connection.texts_holding(showing(term), READ_PASSAGES):
        found = (text[token.start : token.end] for token in tokens(text, kind) if token.word == term)
        forms.update(form.lower() for form in found)
    return max(
        forms, key=lambda form: (forms[form], difflib.SequenceMatcher(None, word, form).ratio(), form), default=term
    )
