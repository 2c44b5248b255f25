"""Rare words are those that hardly any document holds. To ask for one is to ask for those documents.

bm25 weighs a word by its rarity, but meaning weighs most in a score, and of a name, a number or an error code an
encoder knows nothing. So a passage that holds a rare word gets, beside its bm25, that word's share of all that the
query's words could tell: `FusionConstants.rare` x the weight of words x the idf of its rare words / that of all words.

Only a word that is asked for as such lifts: one of one to three, a quoted one, a name or a code. In a whole question a
rare word is one among others, and lifting it gained in one collection what it lost in another. Two to five documents
and weights of 1.3 to 3.3 lie on a plateau; for commoner words the same lift did harm, -.01 at 40 passages.
tests/bench/rare_words.py tells how often the only document that holds a word is found by it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.lazy_dataclass import dataclass
from engine.records import Term, WordReading
from engine.store.phrase import Phrase

if TYPE_CHECKING:
    from engine.store.store_connection import StoreConnection

LOOKED_UP_WORDS = 3  # a query of so many is no question: each of its words is asked for
MOST_DOCUMENTS = 4
PASSAGES_A_DOCUMENT = 600  # a small library has fewer: one for so many passages, at least one
TELLING_SHARE = 0.5  # of the query's idf: so much in one passage is no chance, 4 of 724 development queries elsewhere
MOST_PASSAGES = 60  # a word in more is not looked up: a long document has no need to be told by it


@dataclass(frozen=True, slots=True)
class RareWord:
    """A rare word of a query: its place among the phrases, the documents and passages (n,) that hold it.

    `share` is its idf as a share of that of all the query's words, those that no passage holds included. What `lifts`
    not is a word of a whole question like others there: it tells that the library holds it, and bm25 weighs it.
    """

    index: int
    share: float
    documents: int
    passages: NDArray[np.int64]
    lifts: bool = True


def rare_words(
    connection: StoreConnection,
    phrases: Sequence[Phrase],
    readings: Sequence[WordReading],
    rows: int,
    but: Collection[int] = (),
    looked_up: Collection[Phrase] | None = None,
) -> tuple[RareWord, ...]:
    """Return the rare words among the phrases of a query in a library of `rows` passages, `but` some of them.

    Only those that are `looked_up` lift what holds them; None: all do.
    """
    most = max(1, min(MOST_DOCUMENTS, rows // PASSAGES_A_DOCUMENT))
    total = sum(reading.idf for reading in readings)
    found: list[RareWord] = []
    for index, (phrase, reading) in enumerate(zip(phrases, readings, strict=True)):
        if index in but or not 0 < reading.documents <= MOST_PASSAGES or total <= 0:
            continue
        holders = connection.holders(phrase)
        documents = len({document for _, document in holders})
        if 0 < documents <= most:
            passages = np.array([passage for passage, _ in holders], np.int64)
            lifts = looked_up is None or phrase in looked_up
            found.append(RareWord(index, reading.idf / total, documents, passages, lifts))
    return tuple(found)


def looks_up(term: Term, among: Sequence[Term]) -> bool:
    """Tell whether a query asks for a word as such, and not as one word of a whole question.

    It does so for what is quoted, for all of one to three words, for a code or a name: what holds a digit or a capital
    letter that does not begin it, or begins with one where most other words do not and it is not the first.
    """
    if term.kind == "phrase" or len(among) <= LOOKED_UP_WORDS:
        return True
    capitals = sum(each.text[:1].isupper() for each in among)
    if any(letter.isdigit() for letter in term.text) or any(letter.isupper() for letter in term.text[1:]):
        return not all(each.text.isupper() for each in among)
    return term.text[:1].isupper() and term is not among[0] and capitals <= len(among) / 2


def rare_share(words: Sequence[RareWord], ids: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return which share of the query's idf the rare words that lift each passage have, (n,), 0 to 1."""
    return told_share([word for word in words if word.lifts], ids)


def told_share(words: Sequence[RareWord], ids: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return which share of the query's idf the rare words in each passage have, (n,), 0 to 1."""
    share = np.zeros(len(ids))
    for word in words:
        share += word.share * np.isin(ids, word.passages)
    return share
