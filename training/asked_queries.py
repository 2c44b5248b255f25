"""Queries that the person asked themselves: with results that they marked or opened, or from the log alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from engine.records import Mark
from engine.retrieval.marked_passages import passages_of_marks
from engine.retrieval.query import parse
from engine.retrieval.tombstones import PassageRows
from engine.retrieval.vector_index import ExactVectors
from engine.store import judgements, search_log
from training.known_queries import KnownQuery
from training.library_snapshot import Ground

MARKED_GRADE, OPENED_GRADE = 2, 1  # a mark says more than an opening


def marked(ground: Ground) -> Iterator[KnownQuery]:
    """Yield the queries with results that were marked right, and those with results that were only opened.

    A passage marked wrong for a query answers it no more, whatever else was done with it.
    """
    marks = judgements.every(ground.connection)
    by_query: dict[str, list[Mark]] = {}
    for mark in marks:
        by_query.setdefault(mark.query, []).append(mark)
    for text, own in by_query.items():
        meaning = _meaning(text)
        passages = _passages(ground, own)
        right = [at for mark, at in zip(own, passages, strict=True) if mark.grade == judgements.RIGHT]
        opened = [at for mark, at in zip(own, passages, strict=True) if mark.grade == judgements.OPENED]
        chosen, grade = (right, MARKED_GRADE) if right else (opened, OPENED_GRADE)
        rows = [row for each in chosen for row in each]
        relevant = {int(ground.corpus.documents[row]): grade for row in rows}
        if relevant and meaning:
            origin = "marked" if right else "opened"
            yield KnownQuery(meaning, origin, relevant, tuple(int(ground.corpus.ids[row]) for row in rows))


def logged(ground: Ground) -> Iterator[KnownQuery]:
    """Yield the queries of the log, without any answer; what the fused search finds is what they teach."""
    for search in search_log.every(ground.connection):
        meaning = _meaning(search.query)
        if meaning:
            yield KnownQuery(meaning, "log")


def _meaning(text: str) -> str:
    return " ".join(parse(text, typing=True).meaning.split())


def _passages(ground: Ground, marks: Sequence[Mark]) -> list[list[int]]:
    """Return the rows of the corpus that each mark stands for today."""
    corpus = ground.corpus
    asked = ground.encoder.encode_queries([mark.query for mark in marks])
    vectors = ExactVectors(PassageRows.of(corpus.ids), corpus.vectors)
    found = passages_of_marks(ground.connection, marks, asked, vectors)
    rows = [vectors.positions(np.array(each, np.int64)) for each in found]
    return [[int(row) for row in each if row >= 0] for each in rows]
