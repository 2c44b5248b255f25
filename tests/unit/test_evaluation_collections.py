"""Reading judged collections in BEIR layout, and what is said where one is broken."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.errors import UsageError
from engine.evaluation import Collection, collection_documents

DATA = Path(os.environ.get("CARREL_DATA", os.devnull)) / "collections"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a collection of three documents and three queries."""
    (tmp_path / "qrels").mkdir()
    (tmp_path / "corpus.jsonl").write_text(
        '{"_id": "d1", "title": "Rye", "text": "Rye bread."}\n'
        '{"_id": "d2", "text": "No title."}\n\n'
        '{"_id": 3, "title": "Empty", "text": ""}\n'
    )
    (tmp_path / "queries.jsonl").write_text(
        '{"_id": "q1", "text": "bread"}\n{"_id": "q2", "text": "title"}\n{"_id": "q3", "text": "none"}\n'
    )
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\nq3\td2\t0\n")
    (tmp_path / "qrels" / "train.tsv").write_bytes(b"query-id\tcorpus-id\tscore\r\nq2\td2\t1\r\n")
    return tmp_path


def complaint(folder: Path, split: str = "test") -> str:
    collection = Collection.open(folder)
    with pytest.raises(UsageError) as caught:
        list(collection.documents())
        collection.queries(split)
    return str(caught.value)


def test_documents_have_their_title_and_one_paragraph(folder: Path) -> None:
    documents = dict(collection_documents(folder))
    assert list(documents) == ["d1", "d2", "3"]
    assert (documents["d1"].title, documents["d1"].title_written, documents["d1"].text) == ("Rye", True, "Rye bread.")
    assert [(block.kind, block.start, block.end) for block in documents["d1"].blocks] == [("paragraph", 0, 10)]
    assert documents["d2"].title_written is False
    assert documents["3"].text == ""


def test_queries_without_a_relevant_document_are_left_out(folder: Path) -> None:
    (query,) = Collection.open(folder).queries("test")
    assert (query.id, query.text, dict(query.grades)) == ("q1", "bread", {"d1": 2, "d2": 0})
    assert query.relevant == {"d1"}


def test_windows_line_ends_are_read(folder: Path) -> None:
    assert Collection.open(folder).judgements("train") == {"q2": {"d2": 1}}


def test_a_file_without_a_header_is_read_from_its_first_line(folder: Path) -> None:
    (folder / "qrels" / "test.tsv").write_text("q1\td1\t1\nq2\td2\t1\n")
    assert [query.id for query in Collection.open(folder).queries("test")] == ["q1", "q2"]


def test_a_missing_split_names_those_that_there_are(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"no split \"dev\".*There is test, train\."):
        Collection.open(folder).queries("dev")


def test_a_folder_that_is_no_collection_is_told_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no corpus\.jsonl and no queries\.jsonl and no qrels"):
        Collection.open(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("corpus.jsonl", '{"_id": "a", "text": ""}\n{"_id": ', "line 2, cannot be used. The line is not valid JSON"),
        ("corpus.jsonl", '{"text": "a"}\n', 'not an object with an "_id"'),
        ("corpus.jsonl", '["a"]\n', 'not an object with an "_id"'),
        ("corpus.jsonl", '{"_id": "a", "text": 4}\n', '"text" is not a text'),
        ("queries.jsonl", '{"_id": "a"}\n\n{"_id": "a"}\n', 'line 3, cannot be used. The id "a" stands there for the'),
        ("qrels/test.tsv", "q1 d1 1\n", "line 1, cannot be used. The line has 1 fields"),
        ("qrels/test.tsv", "q1\td1\t1\nq1\td2\thigh\n", 'line 2, cannot be used. The grade "high" is not a whole'),
        ("qrels/test.tsv", "q1\td1\t1\nq1\td1\t2\n", 'Document "d1" has two grades for query "q1"'),
        ("qrels/test.tsv", "q9\td1\t1\n", '"q9" is judged'),
    ],
)
def test_a_broken_line_is_named_with_its_file(folder: Path, name: str, content: str, said: str) -> None:
    (folder / name).write_text(content)
    message = complaint(folder)
    assert said in message
    assert name.split(".")[0] in message


def test_a_file_that_is_not_text_is_refused(folder: Path) -> None:
    (folder / "corpus.jsonl").write_bytes(b'{"_id": "a", "text": "\xff"}\n')
    assert "not UTF-8" in complaint(folder)


@pytest.mark.skipif(not DATA.is_dir(), reason="CARREL_DATA holds no collections")
@pytest.mark.parametrize(
    ("name", "documents", "queries"), [("scifact", 5183, 300), ("nfcorpus", 3633, 323), ("cranfield", 1400, 225)]
)
def test_the_real_collections_are_read_whole(name: str, documents: int, queries: int) -> None:
    collection = Collection.open(DATA / name)
    assert sum(1 for _ in collection.documents()) == documents
    assert len(collection.queries("test")) == queries
