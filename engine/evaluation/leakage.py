"""Finds the test queries that a model may know by heart, because the train split holds much the same.

A test query is touched where it shares a relevant document with a train query, or is a near copy of one. Gains on
touched queries say little about new ones: on SciFact, remembering labels gained .189 NDCG on near copies and nothing
on queries that share nothing.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.evaluation.beir import Collection, JudgedQuery

NEAR_COSINE = 0.9
NEAR_JACCARD = 0.7  # of the sets of words: queries of ten words that differ in one have .82, in two .67

_WORD = re.compile(r"\w+")

Vectors = NDArray[np.float32]


class EncodesQueries(Protocol):
    """The part of an encoder that is used here."""

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return the unit vectors of queries, (n, d)."""


@dataclass(frozen=True, slots=True)
class Leakage:
    """The ids of the test queries, by what they have in common with the train split."""

    test: tuple[str, ...]
    shared_document: frozenset[str]
    near_copy: frozenset[str]

    @property
    def touched(self) -> frozenset[str]:
        """The test queries that have anything in common with the train split."""
        return self.shared_document | self.near_copy

    @property
    def clean(self) -> tuple[str, ...]:
        """The test queries that have nothing in common with it, in order."""
        return tuple(query for query in self.test if query not in self.touched)

    def counts(self) -> dict[str, int]:
        """Give the counts for a report."""
        return {
            "test": len(self.test),
            "shared_document": len(self.shared_document),
            "near_copy": len(self.near_copy),
            "clean": len(self.clean),
        }


def leakage(
    train: Sequence[JudgedQuery], test: Sequence[JudgedQuery], vectors: tuple[Vectors, Vectors] | None = None
) -> Leakage:
    """Compare two splits. `vectors` are the unit vectors of train and test queries, (n, d) each, in their order.

    Near copies are told by cosine where vectors are given, and otherwise by the words that two queries share.
    """
    taught = frozenset[str]().union(*(query.relevant for query in train))
    near = _near_by_cosine(*vectors) if vectors is not None else _near_by_words(train, test)
    return Leakage(
        test=tuple(query.id for query in test),
        shared_document=frozenset(query.id for query in test if query.relevant & taught),
        near_copy=frozenset(query.id for query, copied in zip(test, near, strict=True) if copied),
    )


def against_train(collection: Collection, split: str, train: str, encoder: EncodesQueries) -> Leakage | None:
    """Compare a collection's split with its train split; None where it has none, or is judged on it."""
    if split == train or train not in collection.splits:
        return None
    taught, asked = collection.queries(train), collection.queries(split)
    if not taught:
        return None
    texts = [query.text for query in (*taught, *asked)]
    vectors = encoder.encode_queries(texts)
    return leakage(taught, asked, (vectors[: len(taught)], vectors[len(taught) :]))


def _near_by_cosine(train: Vectors, test: Vectors) -> list[bool]:
    if not len(train):
        return [False] * len(test)
    return [bool(nearest > NEAR_COSINE) for nearest in (test @ train.T).max(axis=1)]


def _near_by_words(train: Sequence[JudgedQuery], test: Sequence[JudgedQuery]) -> list[bool]:
    """Tell for each test query whether a train query shares enough words, by an index from words to train queries."""
    sizes: list[int] = []
    holders: defaultdict[str, list[int]] = defaultdict(list)
    for index, query in enumerate(train):
        words = _words(query.text)
        sizes.append(len(words))
        for word in words:
            holders[word].append(index)
    return [_has_near(_words(query.text), sizes, holders) for query in test]


def _has_near(words: frozenset[str], sizes: Sequence[int], holders: dict[str, list[int]]) -> bool:
    shared = Counter(index for word in words for index in holders.get(word, ()))
    return any(count >= NEAR_JACCARD * (len(words) + sizes[index] - count) for index, count in shared.items())


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold()))
