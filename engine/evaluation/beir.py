"""Judged collections in BEIR layout: documents to index, queries to ask, and the grades of the documents that answer.

The layout: `corpus.jsonl` (`_id`, `title`, `text`), `queries.jsonl` (`_id`, `text`) and `qrels/<split>.tsv` (query id,
document id and grade, parted by tabs, with or without a header). Thakur et al., BEIR, 2021. Files are read line by
line; every complaint names the file and the line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from engine.errors import UsageError
from engine.records import Block, Document

FILES = ("corpus.jsonl", "queries.jsonl", "qrels")
Judgements = dict[str, dict[str, int]]
"""Grades by query id and document id, in the order of the file; above 0 is relevant."""


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """A query with the grades of its documents, at least one of them above 0."""

    id: str
    text: str
    grades: Mapping[str, int]

    @property
    def relevant(self) -> frozenset[str]:
        """The ids of the documents that answer it."""
        return frozenset(document for document, grade in self.grades.items() if grade > 0)


@dataclass(frozen=True, slots=True)
class Collection:
    """A folder in BEIR layout. Nothing is kept in memory; each question reads the files anew."""

    folder: Path

    @classmethod
    def open(cls, folder: Path) -> Collection:
        """Open a collection; raise UsageError where the folder is none."""
        missing = [name for name in FILES if not (folder / name).exists()]
        if missing:
            raise UsageError(
                f"{folder} is not a collection in BEIR layout.",
                cause=f"It has no {' and no '.join(missing)}.",
                fix="A collection has corpus.jsonl, queries.jsonl and qrels/<split>.tsv.",
            )
        return cls(folder)

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.resolve().name

    @property
    def splits(self) -> tuple[str, ...]:
        """The names of the splits that have judgements, sorted."""
        return tuple(sorted(file.stem for file in (self.folder / "qrels").glob("*.tsv")))

    def documents(self) -> Iterator[tuple[str, Document]]:
        """Yield each document of the corpus with its id, in the order of the file."""
        for identity, record in read_records(self.folder / "corpus.jsonl"):
            yield identity, _document(identity, record.get("title") or "", record.get("text") or "")

    def texts(self) -> dict[str, str]:
        """Give the texts of all queries, judged or not, by id."""
        return {identity: record.get("text") or "" for identity, record in read_records(self.folder / "queries.jsonl")}

    def judgements(self, split: str) -> Judgements:
        """Give a split's grades; raise UsageError where there is no such split, naming those that there are."""
        if split not in self.splits:
            raise UsageError(
                f'The collection {self.name} has no split "{split}".',
                fix=f"There is {', '.join(self.splits)}." if self.splits else "It has no judgements at all.",
            )
        return read_judgements(self.folder / "qrels" / f"{split}.tsv")

    def queries(self, split: str) -> tuple[JudgedQuery, ...]:
        """Give a split's judged queries in the order of its file; those without a relevant document are left out.

        Raises UsageError where a judged query has no text.
        """
        texts = self.texts()
        judged = []
        for identity, grades in self.judgements(split).items():
            if not texts.get(identity, "").strip():
                raise UsageError(
                    f'The query "{identity}" is judged in {self.folder / "qrels" / split}.tsv and has no text.',
                    fix="Add it to queries.jsonl, or leave its judgements out.",
                )
            if any(grade > 0 for grade in grades.values()):
                judged.append(JudgedQuery(identity, texts[identity], grades))
        return tuple(judged)


def collection_documents(folder: Path) -> Iterator[tuple[str, Document]]:
    """Yield the documents of the collection in a folder, each with its id."""
    return Collection.open(folder).documents()


def _document(identity: str, title: str, text: str) -> Document:
    """Make a document as a reader of plain text would: one paragraph under a title that is written in it."""
    text = text.replace("\r\n", "\n")
    blocks = (Block("paragraph", 0, len(text)),) if text else ()
    return Document(text, title.strip() or identity, bool(title.strip()), "text", blocks)


def read_records(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the id and the object of each line of a JSON Lines file; raise UsageError at a line that is broken."""
    seen: set[str] = set()
    for number, line in _lines(file):
        try:
            record = json.loads(line)
        except ValueError:
            _refuse(file, number, "The line is not valid JSON.")
        if not isinstance(record, dict) or not isinstance(record.get("_id"), str | int):
            _refuse(file, number, 'The line is not an object with an "_id".')
        identity = str(record["_id"])
        if identity in seen:
            _refuse(file, number, f'The id "{identity}" stands there for the second time.')
        seen.add(identity)
        for name in ("title", "text"):
            if not isinstance(record.get(name) or "", str):
                _refuse(file, number, f'"{name}" is not a text.')
        yield identity, record


def read_judgements(file: Path) -> Judgements:
    """Read one split's grades; raise UsageError at a line that is broken."""
    judgements: Judgements = {}
    for number, line in _lines(file):
        fields = line.split("\t")
        if len(fields) != 3:
            _refuse(file, number, f"The line has {len(fields)} fields parted by tabs, where 3 are expected.")
        query, document, grade = (field.strip() for field in fields)
        try:
            value = int(grade)
        except ValueError:
            if number == 1:
                continue  # the header
            _refuse(file, number, f'The grade "{grade}" is not a whole number.')
        graded = judgements.setdefault(query, {})
        if graded.setdefault(document, value) != value:
            _refuse(file, number, f'Document "{document}" has two grades for query "{query}".')
    return judgements


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not blank with their numbers, whatever their line ends."""
    number = 0
    try:
        with file.open(encoding="utf-8-sig") as stream:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    yield number, line.rstrip("\n")
    except UnicodeDecodeError:
        _refuse(file, number + 1, "The file is not UTF-8 near there.")
    except OSError as error:
        raise UsageError(
            f"{file} could not be read.",
            cause=f"{error.strerror}.",
            fix="A collection has corpus.jsonl, queries.jsonl and qrels/<split>.tsv.",
        ) from error


def _refuse(file: Path, number: int, cause: str) -> NoReturn:
    raise UsageError(f"{file}, line {number}, cannot be used.", cause=cause, fix="Correct the line or leave it out.")
