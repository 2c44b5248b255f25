"""Documents that a query names: one whose title or alias is just what was asked, those that hold a compound as a word.

To ask `To do` is to ask for the note of that name, however often others write the words; to ask `3.11.2` or
`ERR_CONNECTION_RESET` is to ask for that, not for its parts. What names a passage lifts it as a rare word does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from engine.records import WordReading
from engine.retrieval.rare_words import MOST_PASSAGES, RareWord
from engine.store.folding import fold
from engine.store.phrase import Phrase
from engine.store.tokenizer import Token, is_name, of_stem, tokens

if TYPE_CHECKING:
    import apsw

TITLE_SHARE = 1.25  # of what a rare word gives that is all of a query: more than likeness in meaning can make up for
LONGEST_TITLE = 16  # words of a query that may be a title
MOST_TITLED = 200  # documents whose titles begin so are looked at
_HOLDS = "SELECT rowid FROM passage_fts WHERE passage_fts MATCH ?"


def titled(
    connection: apsw.Connection, asked: Sequence[Token], readings: Sequence[WordReading], known: Sequence[int]
) -> tuple[RareWord, ...]:
    """Return what the words of a query give beside their bm25 to documents of exactly that name: to each its part."""
    words = [token.word for token in asked]
    if not 0 < len(words) <= LONGEST_TITLE or not known:
        return ()
    found = connection.execute(
        "SELECT passage.id, ifnull(nullif(entry.title, ''), document.title || char(10) || aliases), min(ordinal)"
        " FROM passage JOIN document ON document.id = passage.document_id"
        " LEFT JOIN entry ON entry.document_id = passage.document_id AND entry.number = passage.page"
        " WHERE (ordinal = 0 OR entry.number)"
        f" AND (passage.id IN ({_HOLDS}) OR aliases != '' AND passage.id IN ({_HOLDS}))"
        " GROUP BY passage.document_id, entry.number ORDER BY passage.id LIMIT ?",
        (*(Phrase(tuple(words), column="title", first=first).match for first in (True, False)), MOST_TITLED),
    )
    rows = cast("list[tuple[int, str, int]]", found.fetchall())
    ids = [passage for passage, names, _ in rows if any(_words(name) == words for name in names.split("\n"))]
    if not ids:
        return ()
    passages = np.array(ids, np.int64)
    return tuple(RareWord(index, TITLE_SHARE / len(known), len(ids), passages) for index in known)


def _words(name: str) -> list[str]:
    return [token.word for token in tokens(name)]


def holding_names(
    connection: apsw.Connection, phrases: Sequence[Phrase], readings: Sequence[WordReading]
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
        holders = connection.execute(
            "SELECT rowid FROM passage_fts WHERE passage_fts MATCH ? ORDER BY rowid", (phrase.match,)
        ).fetchall()
        passages = np.fromiter((int(str(row[0])) for row in holders), np.int64, len(holders))
        found.append(RareWord(index, (reading.idf + own) / total, len(holders), passages))
    return tuple(found)
