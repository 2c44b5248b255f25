"""Documents that a query names: one whose title or alias is just what was asked, those that hold a compound as a word.

To ask `To do` is to ask for the note of that name, however often others write the words; to ask `3.11.2` or
`ERR_CONNECTION_RESET` is to ask for that, not for its parts. What names a passage lifts it as a rare word does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from engine.records import WordReading
from engine.retrieval.rare_words import MOST_PASSAGES, RareWord
from engine.store.folding import fold
from engine.store.phrase import Phrase
from engine.store.tokenizer import Token, is_name, of_stem, tokens

if TYPE_CHECKING:
    from engine.store.store_connection import StoreConnection

TITLE_SHARE = 1.25  # of what a rare word gives that is all of a query: more than likeness in meaning can make up for
LONGEST_TITLE = 16  # words of a query that may be a title
MOST_TITLED = 200  # documents whose titles begin so are looked at


def titled(
    connection: StoreConnection, asked: Sequence[Token], readings: Sequence[WordReading], known: Sequence[int]
) -> tuple[RareWord, ...]:
    """Return what the words of a query give beside their bm25 to documents of exactly that name: to each its part."""
    words = [token.word for token in asked]
    if not 0 < len(words) <= LONGEST_TITLE or not known:
        return ()
    found = connection.titled(words, MOST_TITLED)
    ids = [passage for passage, names in found if any(_words(name) == words for name in names.split("\n"))]
    if not ids:
        return ()
    passages = np.array(ids, np.int64)
    return tuple(RareWord(index, TITLE_SHARE / len(known), len(ids), passages) for index in known)


def _words(name: str) -> list[str]:
    return [token.word for token in tokens(name)]


def holding_names(
    connection: StoreConnection, phrases: Sequence[Phrase], readings: Sequence[WordReading]
) -> tuple[RareWord, ...]:
    """Return the compounds among the phrases that are names, each with its own share of the query and its parts'."""
    total = sum(reading.idf for reading in readings)
    found: list[RareWord] = []
    for index, (phrase, reading) in enumerate(zip(phrases, readings, strict=True)):
        name = phrase.places[0] if phrase.is_term else fold(phrase.written)  # it may stand within a longer one
        if not is_name(name) or name.split() != [name] or not 0 < reading.documents <= MOST_PASSAGES:
            continue
        parts = {term for token in tokens(name) for term in of_stem(token.stem)}
        own = sum(
            other.idf
            for other_phrase, other in zip(phrases, readings, strict=True)
            if len(other_phrase.places) == 1 and not parts.isdisjoint(other_phrase.terms)
        )
        holders = connection.holders(phrase)
        passages = np.array([passage for passage, _ in holders], np.int64)
        found.append(RareWord(index, (reading.idf + own) / total, len(holders), passages))
    return tuple(found)
