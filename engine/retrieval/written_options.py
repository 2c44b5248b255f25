"""Tells an option from a word to leave out: `-xzf` in `tar -xzf` is one where the library itself writes it so.

By its form `-xzf` is no other than `-stove`. But notes on commands hold their options as they are typed, after a word
and with the dash; hardly a note writes a word of prose so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.records import Query, Remark, Term
from engine.store.tokenizer import stem_phrase, tokens

if TYPE_CHECKING:
    from engine.store.store_connection import StoreConnection

MOST_READ = 50  # passages that hold a word, looked at for how it is written there
_BEFORE = "`'\"([|"  # what may stand right before the dash, beside a blank behind a word


def with_written_options(connection: StoreConnection, query: Query) -> Query:
    """Return the query with each `-word` searched as it is typed that this library writes so.

    It does where a passage that holds another word of the query writes it so, or all that hold it (of the first 50).
    """
    if not any(term.excluded and term.kind == "word" for term in query.terms):
        return query
    beside = [term for term in query.terms if not term.excluded and tokens(term.text)]
    terms: list[Term] = []
    remarks = list(query.remarks)
    for term in query.terms:
        if term.excluded and term.kind == "word" and _written_so(connection, term.text, beside):
            remarks.append(Remark(f"-{term.text}", "written so"))
            term = Term(f"-{term.text}")
        terms.append(term)
    if len(remarks) == len(query.remarks):
        return query
    meaning = " ".join(term.text for term in terms if not term.excluded and term.kind != "signs")
    return replace(query, meaning=meaning, terms=tuple(terms), remarks=tuple(remarks))


def _written_so(connection: StoreConnection, word: str, beside: list[Term]) -> bool:
    found = tokens(word)
    if not found:
        return False
    held = stem_phrase(found)
    others = [replace(stem_phrase(tokens(term.text)), prefix=term.kind == "prefix") for term in beside]
    if others and any(_writes(text, word) for text, _ in connection.texts_holding([[held], others], MOST_READ)):
        return True
    texts = connection.texts_holding([[held]], MOST_READ)
    return bool(texts) and all(_writes(text, word) for text, _ in texts)


def _writes(text: str, word: str) -> bool:
    """Whether a text holds the word with a dash, as an option stands: behind a word on its line, or behind a quote."""
    text, wanted = text.lower(), f"-{word.lower()}"
    at = text.find(wanted)
    while at >= 0:
        end = at + len(wanted)
        before = text[text.rfind("\n", 0, at) + 1 : at] if at and text[at - 1] in " \t" else ""
        quoted = at > 0 and text[at - 1] in _BEFORE
        if (quoted or before.strip(" \t-*+>#|")) and not text[end : end + 1].isalnum():
            return True
        at = text.find(wanted, end)
    return False
