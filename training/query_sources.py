"""The sources of queries to learn from: marks, the log, judged files, collections, and what is made of the notes."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import UsageError
from engine.evaluation.beir import Collection
from engine.paths import expanded
from engine.records import Mark
from engine.retrieval.marked_passages import passages_of_marks
from engine.retrieval.query import parse
from engine.retrieval.tombstones import PassageRows
from engine.retrieval.vector_index import ExactVectors
from engine.store import judgements, search_log
from engine.store.documents import document_id_at
from training import generated_queries, language_model
from training.known_queries import KnownQuery
from training.library_snapshot import LibrarySnapshot

MARKED_GRADE, OPENED_GRADE = 2, 1  # a mark says more than an opening
ROUND_TRIP = 3  # a made query must find its passage among so many, or it asks for something else
QuerySource = Callable[[LibrarySnapshot], Iterator[KnownQuery]]
DEFAULT_SOURCES = ("marks", "log", "links", "headings")  # titles give nothing (-.004 to +.005), prefixes harm
LABELLED_SOURCES = ("marks",)  # whose answers a person named; a file of judged questions is named by itself
OF_COLLECTIONS = frozenset({"collection", "unlabelled"})  # they read a folder in BEIR layout, not a person's library
UNANSWERED = frozenset({"log", "unlabelled"})
GENERATED = frozenset({"links", "headings", "titles", "language model", "prefix"})


@dataclass(frozen=True, slots=True)
class GatheredQueries:
    """The queries of one source: how many it made, those kept, and why the others were dropped."""

    origin: str
    made: int
    kept: tuple[KnownQuery, ...]
    dropped: Counter[str]


def collection(snapshot: LibrarySnapshot) -> Iterator[KnownQuery]:
    """Yield the judged queries of the named split of a collection; nothing else of its judgements is opened."""
    rows: list[Any] = snapshot.connection.execute("SELECT path, id FROM document").fetchall()
    documents = {path.decode("utf-8", "replace"): each for path, each in rows}
    for query in Collection.open(Path(snapshot.plan.collection)).queries(snapshot.plan.split):
        relevant = {documents[name]: grade for name, grade in query.grades.items() if grade > 0 and name in documents}
        yield KnownQuery(query.text, "judged", relevant)


def unlabelled(snapshot: LibrarySnapshot) -> Iterator[KnownQuery]:
    """Yield the queries of the named split of a collection as a log would have them, without their judgements."""
    folder = Collection.open(Path(snapshot.plan.collection))
    for query in folder.queries(snapshot.plan.split):
        yield KnownQuery(query.text, "log")


def judged(snapshot: LibrarySnapshot) -> Iterator[KnownQuery]:
    """Yield the questions of a JSON Lines file, `{"query": ..., "relevant": [paths]}`. Raises UsageError at a bad line.

    A path may be absolute, relative to the file, or the end of a path in the library.
    """
    file = Path(snapshot.plan.judged)
    for number, line in enumerate(_lines(file), 1):
        if not line.strip():
            continue
        text, paths = _question(file, number, line)
        relevant = {}
        for path in paths:
            document = _document(snapshot, file, path)
            if document is not None:
                relevant[document] = 1
        yield KnownQuery(text, "judged", relevant)


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{file} cannot be read.", cause=f"{error}.", fix='A line is {"query", "relevant"}.'
        ) from error


def _question(file: Path, number: int, line: str) -> tuple[str, list[str]]:
    try:
        written = json.loads(line)
        text, paths = written["query"], written["relevant"]
        if isinstance(text, str) and text.strip() and all(isinstance(path, str) for path in paths):
            return text, list(paths)
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise UsageError(
        f"{file}, line {number}, is no judged question.",
        fix='A line has the form {"query": "how do I ...", "relevant": ["notes/a.md"]}.',
    )


def _document(snapshot: LibrarySnapshot, file: Path, path: str) -> int | None:
    for candidate in (expanded(path), file.parent / path):
        found = document_id_at(snapshot.connection, os.fsencode(os.path.normpath(candidate.absolute())))
        if found is not None:
            return found
    ending = b"/" + os.fsencode(path.lstrip("/"))
    matches = [document for document, known in snapshot.corpus.paths.items() if known.endswith(ending)]
    return matches[0] if len(matches) == 1 else None


def marked(snapshot: LibrarySnapshot) -> Iterator[KnownQuery]:
    """Yield the queries with results that were marked right, and those with results that were only opened.

    A passage marked wrong for a query answers it no more, whatever else was done with it.
    """
    marks = judgements.every(snapshot.connection)
    by_query: dict[str, list[Mark]] = {}
    for mark in marks:
        by_query.setdefault(mark.query, []).append(mark)
    for text, own in by_query.items():
        meaning = _meaning(text)
        passages = _passages(snapshot, own)
        right = [at for mark, at in zip(own, passages, strict=True) if mark.grade == judgements.RIGHT]
        opened = [at for mark, at in zip(own, passages, strict=True) if mark.grade == judgements.OPENED]
        chosen, grade = (right, MARKED_GRADE) if right else (opened, OPENED_GRADE)
        rows = [row for each in chosen for row in each]
        relevant = {int(snapshot.corpus.documents[row]): grade for row in rows}
        if relevant and meaning:
            origin = "marked" if right else "opened"
            yield KnownQuery(meaning, origin, relevant, tuple(int(snapshot.corpus.ids[row]) for row in rows))


def logged(snapshot: LibrarySnapshot) -> Iterator[KnownQuery]:
    """Yield the queries of the log, without any answer; what the fused search finds is what they teach.

    What a program asked is passed over: its words are not the person's.
    """
    for search in search_log.every(snapshot.connection):
        meaning = "" if search.source else _meaning(search.query)
        if meaning:
            yield KnownQuery(meaning, "log")


def _meaning(text: str) -> str:
    return " ".join(parse(text, typing=True).meaning.split())


def _passages(snapshot: LibrarySnapshot, marks: Sequence[Mark]) -> list[list[int]]:
    """Return the rows of the corpus that each mark stands for today."""
    corpus = snapshot.corpus
    asked = snapshot.encoder.encode_queries([mark.query for mark in marks])
    vectors = ExactVectors(PassageRows.of(corpus.ids), corpus.vectors)
    found = passages_of_marks(snapshot.connection, marks, asked, vectors)
    rows = [vectors.positions(np.array(each, np.int64)) for each in found]
    return [[int(row) for row in each if row >= 0] for each in rows]


SOURCES: dict[str, QuerySource] = {
    "collection": collection,
    "unlabelled": unlabelled,
    "judged": judged,
    "marks": marked,
    "log": logged,
    "links": generated_queries.links,
    "headings": generated_queries.headings,
    "titles": generated_queries.titles,
    "language model": language_model.questions,
    "prefix": generated_queries.prefixes,
}


def gather(snapshot: LibrarySnapshot, name: str) -> GatheredQueries:
    """Run one source and keep what can be used. Raises UsageError where there is no such source."""
    if name not in SOURCES:
        raise UsageError(f"There is no source of queries named {name}.", fix=f"Known are: {', '.join(SOURCES)}.")
    dropped: Counter[str] = Counter()
    kept: dict[str, KnownQuery] = {}
    count = 0
    for query in SOURCES[name](snapshot):
        count += 1
        if not query.relevant and name not in UNANSWERED:
            dropped["its document is not in the library"] += 1
        elif query.text.casefold() in kept:
            dropped["asked twice"] += 1
        else:
            kept[query.text.casefold()] = query
    found = list(kept.values())
    if name in GENERATED:
        found, lost = round_trip(snapshot, found)
        if lost:
            dropped["does not find its own passage"] += lost
    return GatheredQueries(name, count, tuple(found), dropped)


def round_trip(snapshot: LibrarySnapshot, queries: list[KnownQuery]) -> tuple[list[KnownQuery], int]:
    """Keep the queries that find a document of theirs among the first three of the fused search; count the others."""
    texts = [query.text for query in queries]
    vectors = snapshot.encoder.encode_queries(texts)
    kept = []
    for query, seen in zip(queries, snapshot.retriever.search(texts, vectors), strict=True):
        first = dict.fromkeys(int(snapshot.corpus.documents[row]) for row in seen.fused)
        if any(document in query.relevant for document in list(first)[:ROUND_TRIP]):
            kept.append(query)
    return kept, len(queries) - len(kept)
