"""A judged collection: documents to index, queries to ask, and which documents answer them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.errors import UsageError
from engine.evaluation.beir import Judgements, read_judgements, read_records
from engine.records import Block, Document

FILES = ("corpus.jsonl", "queries.jsonl", "qrels")


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
