"""Where queries come from: one function a source, each giving known queries of one origin."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import UsageError
from engine.evaluation.collections import Collection
from engine.store.documents import document_id_at
from training import asked_queries, generated_queries, language_model
from training.known_queries import KnownQuery
from training.library_snapshot import Ground

ROUND_TRIP = 3  # a made query must find its passage among so many, or it asks for something else


@dataclass(frozen=True, slots=True)
class Made:
    """What one source gave: the queries kept, and why others were dropped."""

    origin: str
    made: int
    kept: tuple[KnownQuery, ...]
    dropped: Counter[str]


Source = Callable[[Ground], Iterator[KnownQuery]]


def collection(ground: Ground) -> Iterator[KnownQuery]:
    """Yield the judged queries of the named split of a collection; nothing else of its judgements is opened."""
    rows: list[Any] = ground.connection.execute("SELECT path, id FROM document").fetchall()
    documents = {path.decode("utf-8", "replace"): each for path, each in rows}
    for query in Collection.open(Path(ground.plan.collection)).queries(ground.plan.split):
        relevant = {documents[name]: grade for name, grade in query.grades.items() if grade > 0 and name in documents}
        yield KnownQuery(query.text, "judged", relevant)


def unlabelled(ground: Ground) -> Iterator[KnownQuery]:
    """Yield the queries of the named split of a collection as a log would have them, without their judgements."""
    folder = Collection.open(Path(ground.plan.collection))
    for query in folder.queries(ground.plan.split):
        yield KnownQuery(query.text, "log")


def judged(ground: Ground) -> Iterator[KnownQuery]:
    """Yield the questions of a JSON Lines file, `{"query": ..., "relevant": [paths]}`. Raises UsageError at a bad line.

    A path may be absolute, relative to the file, or the end of a path in the library.
    """
    file = Path(ground.plan.judged)
    for number, line in enumerate(_lines(file), 1):
        if not line.strip():
            continue
        text, paths = _question(file, number, line)
        relevant = {}
        for path in paths:
            document = _document(ground, file, path)
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
    except (ValueError, KeyError, TypeError):
        pass
    raise UsageError(
        f"{file}, line {number}, is no judged question.",
        fix='A line has the form {"query": "how do I ...", "relevant": ["notes/a.md"]}.',
    )


def _document(ground: Ground, file: Path, path: str) -> int | None:
    for candidate in (Path(path).expanduser(), file.parent / path):
        found = document_id_at(ground.connection, os.fsencode(os.path.normpath(candidate.absolute())))
        if found is not None:
            return found
    ending = b"/" + os.fsencode(path.lstrip("/"))
    matches = [document for document, known in ground.corpus.paths.items() if known.endswith(ending)]
    return matches[0] if len(matches) == 1 else None


SOURCES: dict[str, Source] = {
    "collection": collection,
    "unlabelled": unlabelled,
    "judged": judged,
    "marks": asked_queries.marked,
    "log": asked_queries.logged,
    "links": generated_queries.links,
    "headings": generated_queries.headings,
    "titles": generated_queries.titles,
    "language model": language_model.questions,
    "prefix": generated_queries.prefixes,
}
DEFAULT_SOURCES = ("marks", "log", "links", "headings")  # titles give nothing (-.004 to +.005), prefixes harm
OF_COLLECTIONS = frozenset({"collection", "unlabelled"})  # they read a folder in BEIR layout, not a person's library
UNANSWERED = frozenset({"log", "unlabelled"})
GENERATED = frozenset({"links", "headings", "titles", "language model", "prefix"})


def gather(ground: Ground, name: str) -> Made:
    """Run one source and keep what can be used. Raises UsageError where there is no such source."""
    if name not in SOURCES:
        raise UsageError(f"There is no source of queries named {name}.", fix=f"Known are: {', '.join(SOURCES)}.")
    dropped: Counter[str] = Counter()
    kept: dict[str, KnownQuery] = {}
    count = 0
    for query in SOURCES[name](ground):
        count += 1
        if not query.relevant and name not in UNANSWERED:
            dropped["its document is not in the library"] += 1
        elif query.text.casefold() in kept:
            dropped["asked twice"] += 1
        else:
            kept[query.text.casefold()] = query
    found = list(kept.values())
    if name in GENERATED:
        found, lost = returned(ground, found)
        if lost:
            dropped["does not find its own passage"] += lost
    return Made(name, count, tuple(found), dropped)


def returned(ground: Ground, queries: list[KnownQuery]) -> tuple[list[KnownQuery], int]:
    """Keep the queries that find a document of theirs among the first three of the fused search; count the others."""
    texts = [query.text for query in queries]
    vectors = ground.encoder.encode_queries(texts)
    kept = []
    for query, seen in zip(queries, ground.legs.search(texts, vectors), strict=True):
        first = dict.fromkeys(int(ground.corpus.documents[row]) for row in seen.fused)
        if any(document in query.relevant for document in list(first)[:ROUND_TRIP]):
            kept.append(query)
    return kept, len(queries) - len(kept)
