"""The pool of passages that a person judges for a question, and the files in which their judgements are kept.

The pool holds what every method finds, shuffled, so that no method's order can be seen in it. Judged whole, it is fair
to all methods that fed it (Spärck Jones and van Rijsbergen, 1975). Memory does not feed it: it would bring back what
was judged before.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import UsageError
from engine.harmful_characters import escaped
from engine.paths import display
from engine.records import Fusion, SearchSettings, StoredPassage

if TYPE_CHECKING:
    from engine.library import Library

MADE = "carrel-judge.json"  # tells a folder that was written here from somebody's collection
Answers = Mapping[str, Mapping[bytes, bool]]
"""By question: the absolute paths of judged documents, and whether they answer it."""
METHODS: tuple[Fusion, ...] = ("convex", "rrf", "vector", "keyword")
DEPTH = 10  # rows of each method
SEED = 42


def write_collection(folder: Path, library: Library, answers: Answers, split: str = "test") -> None:
    """Write a folder in BEIR layout: all documents, the judged questions, and what answers them.

    Raises UsageError where the folder holds something else.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / MADE).exists():
        raise UsageError(
            f"{folder} holds other files.", cause="They would be overwritten.", fix="Name a new or an empty folder."
        )
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    names = {query: _name(query) for query in answers}
    _write(folder / MADE, [json.dumps({"format": 1, "questions": len(answers)})])
    _write(folder / "corpus.jsonl", (_line(each) for each in _corpus(library)))
    _write(folder / "queries.jsonl", (_line({"_id": name, "text": query}) for query, name in names.items()))
    graded = (
        f"{names[query]}\t{_id(path)}\t{int(right)}"
        for query, judged in answers.items()
        for path, right in sorted(judged.items())
    )
    _write(folder / "qrels" / f"{split}.tsv", ["query-id\tcorpus-id\tscore", *graded])


def write_lines(file: Path, answers: Answers) -> None:
    """Write one object a line, `{"query", "relevant": [paths]}`, for the questions that have an answer."""
    lines = []
    for query, judged in answers.items():
        relevant = [display(path) for path, right in sorted(judged.items()) if right]
        if relevant:
            lines.append(_line({"query": query, "relevant": relevant}))
    _write(file, lines)


def _corpus(library: Library) -> Iterator[dict[str, str]]:
    for document in library.every_document():
        yield {"_id": _id(document.path), "title": document.title, "text": document.text}


def _id(path: bytes) -> str:
    return display(path).replace("\t", " ")


def _name(query: str) -> str:
    return "q" + hashlib.blake2b(query.encode(), digest_size=6).hexdigest()


def _line(record: dict[str, Any]) -> str:
    return escaped(json.dumps(record, ensure_ascii=False))


def _write(file: Path, lines: Any) -> None:
    try:
        with file.open("w", encoding="utf-8", errors="replace", newline="\n") as stream:
            stream.writelines(line + "\n" for line in lines)
    except OSError as error:
        raise UsageError(
            f"{file} cannot be written.", cause=f"{error.strerror or error}.", fix="Name another."
        ) from error


def pool(library: Library, query: str, depth: int = DEPTH, seed: int = SEED) -> tuple[StoredPassage, ...]:
    """Return the passages among the first `depth` rows of any method, each once, in an order drawn from the seed.

    The order depends on the seed and the query alone, so that a judging that was broken off goes on as it began.
    """
    settings = SearchSettings(memory=False)
    found = {
        hit.passage_id
        for method in METHODS
        for hit in library.search(query, limit=depth, settings=replace(settings, fusion=method)).hits
    }
    passages = list(library.passages(sorted(found)))
    passages.sort(key=lambda passage: (passage.path, passage.ordinal))
    drawn = hashlib.blake2b(f"{seed}\0{query}".encode("utf-8", "replace")).digest()
    random.Random(drawn).shuffle(passages)
    return tuple(passages)
