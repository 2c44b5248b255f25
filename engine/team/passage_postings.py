"""Makes the postings of a passage in the client, so that words are those of the single file: same terms, same places.

A posting is a term with its frequency, each place weighed by its column, the passage's length in places, and the places
themselves: the column's number above `PLACE_BITS`, the place within the column below.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from engine.store.tokenizer import STEM, Terms, terms

COLUMN_WEIGHTS = (1.0, 1.0, 1.0, 0.5, 1.0)  # those of `engine.retrieval.postings_cache`; a test holds them together
PLACE_BITS = 24  # places of a column: more than any passage has
LONGEST_TERM_BYTES = 400  # an index of PostgreSQL takes some 2,700 bytes a row; what is longer is data
BOTH = "|"  # before a stem in the counts: the passages that hold both the stem as a word and another word of it


class Posting(NamedTuple):
    """One term of a passage; `further` are its places behind the first."""

    term: str
    frequency: float
    place: int
    further: list[int] | None


class Words(NamedTuple):
    """What the word index holds of a passage: its postings, by term, and its length in places."""

    postings: tuple[Posting, ...]
    length: int


class Wording(NamedTuple):
    """The columns of a passage that are found by their words, as `passage_text` of the single file has them."""

    title: str
    headings: str
    body: str
    kind: str
    path: str
    tags: str


def words_of(wording: Wording) -> Words:
    """Return the postings of a passage."""
    columns: list[Sequence[Terms]] = [
        terms(wording.title),
        terms(wording.headings),
        terms(wording.body, wording.kind),
        terms(wording.path),
        terms(wording.tags),
    ]
    places: dict[str, list[int]] = {}
    for number, column in enumerate(columns):
        for at, here in enumerate(column, start=number << PLACE_BITS):
            for term in here:
                # Of two terms of a stem at one place the stem alone tells, so that their frequencies add up.
                if not (term.startswith(STEM) and term[len(STEM) :] in here):
                    places.setdefault(kept(term), []).append(at)
    found = (_posting(term, at) for term, at in sorted(places.items()))
    return Words(tuple(found), sum(map(len, columns)))


def _posting(term: str, places: list[int]) -> Posting:
    frequency = sum(COLUMN_WEIGHTS[at >> PLACE_BITS] for at in places)
    return Posting(term, frequency, places[0], places[1:] or None)


def kept(term: str) -> str:
    """Return a term as the index keeps it: as it is, but for one so long that a hash stands for its end."""
    term = term.replace("\0", "")
    encoded = term.encode("utf-8", "replace")
    if len(encoded) <= LONGEST_TERM_BYTES:
        return term if term.isascii() else encoded.decode()
    digest = hashlib.blake2b(encoded, digest_size=16).hexdigest()
    return encoded[: LONGEST_TERM_BYTES - 40].decode("utf-8", "ignore") + digest


def counted(found: Iterable[str]) -> set[str]:
    """Return the terms under which a passage with these terms is counted: its own, and stems that it has twice."""
    own = set(found)
    return own | {BOTH + term[len(STEM) :] for term in own if term.startswith(STEM) and term[len(STEM) :] in own}


def summed(passages: Iterable[Iterable[str]], sign: int = 1) -> dict[str, int]:
    """Return by how many each count changes where passages with these terms come (sign 1) or go (-1)."""
    counts: dict[str, int] = {}
    for found in passages:
        for term in counted(found):
            counts[term] = counts.get(term, 0) + sign
    return counts


def merged(*changes: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return changes of counts as one, in order of term, so that no two writers wait for each other in a circle."""
    total: dict[str, int] = {}
    for each in changes:
        for term, count in each.items():
            total[term] = total.get(term, 0) + count
    return sorted((term, count) for term, count in total.items() if count)
