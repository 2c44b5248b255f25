"""Judging a searcher on a collection, comparing two, and the shapes in which that is reported."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from engine.errors import UsageError
from engine.evaluation import CollectionResult, Ranking, Searcher, compare, evaluate
from engine.evaluation.report import SystemResult, per_query_rows, to_json, to_table
from engine.records import Document

TEXTS = {"d1": "rye bread", "d2": "wheat bread", "d3": "apple cake", "d4": "apple pie"}
QUERIES = {"q1": "rye", "q2": "apple cake", "q3": "pie", "q4": "unjudged"}
RELEVANT = {"q1": "d1", "q2": "d3", "q3": "d4"}


class WordCounter:
    """A searcher that ranks documents by how many words of the query they hold."""

    index_seconds = 1.5

    def __init__(self, documents: Iterator[tuple[str, Document]]) -> None:
        self._texts = {identity: document.text for identity, document in documents}
        self.documents = self.passages = len(self._texts)
        self.closed = False

    def rank(self, text: str, limit: int) -> Ranking:
        scored = [(identity, float(sum(word in own for word in text.split()))) for identity, own in self._texts.items()]
        found = sorted((row for row in scored if row[1]), key=lambda row: -row[1])
        return Ranking(found[:limit], encode_ms=2.0, search_ms=float(len(text)))


class Backwards(WordCounter):
    """The same ranking, worst first."""

    def rank(self, text: str, limit: int) -> Ranking:
        return Ranking(super().rank(text, limit).documents[::-1])


def building(
    searcher: type[WordCounter],
) -> Callable[[Iterator[tuple[str, Document]]], AbstractContextManager[Searcher]]:
    @contextmanager
    def build(documents: Iterator[tuple[str, Document]]) -> Iterator[Searcher]:
        yield searcher(documents)

    return build


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a collection named bakery."""
    folder = tmp_path / "bakery"
    (folder / "qrels").mkdir(parents=True)
    for name, texts in (("corpus.jsonl", TEXTS), ("queries.jsonl", QUERIES)):
        (folder / name).write_text(
            "".join(json.dumps({"_id": key, "text": text}) + "\n" for key, text in texts.items())
        )
    (folder / "qrels" / "test.tsv").write_text("".join(f"{query}\t{found}\t1\n" for query, found in RELEVANT.items()))
    (folder / "qrels" / "none.tsv").write_text("q4\td1\t0\n")
    return folder


@pytest.fixture
def good(folder: Path) -> CollectionResult:
    return evaluate(folder, building(WordCounter))


@pytest.fixture
def bad(folder: Path) -> CollectionResult:
    return evaluate(folder, building(Backwards))


def test_every_judged_query_is_asked_and_measured(good: CollectionResult) -> None:
    assert [row.query for row in good.scores] == ["q1", "q2", "q3"]
    assert (good.name, good.documents, good.passages, good.index_seconds) == ("bakery", 4, 4, 1.5)
    assert good.mean("ndcg_at_10") == 1
    assert good.search_ms == (3.0, 10.0, 3.0)


def test_progress_is_told_query_by_query(folder: Path) -> None:
    told: list[tuple[int, int]] = []
    evaluate(folder, building(WordCounter), on_query=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_split_without_relevant_documents_is_refused_before_indexing(folder: Path) -> None:
    def never(_: Iterator[tuple[str, Document]]) -> AbstractContextManager[Searcher]:
        raise AssertionError("indexed all the same")

    with pytest.raises(UsageError, match=r"no query with a relevant document.*none, test"):
        evaluate(folder, never, split="none")


def test_two_systems_are_compared_query_by_query(good: CollectionResult, bad: CollectionResult) -> None:
    difference = compare([good], [bad])
    assert difference.mean == pytest.approx(good.mean("ndcg_at_10") - bad.mean("ndcg_at_10"))
    assert difference.queries == 3


def test_results_on_other_collections_cannot_be_compared(good: CollectionResult) -> None:
    other = CollectionResult("other", 1, 1, good.scores, (), (), 0.0)
    with pytest.raises(ValueError, match="not judged on the same queries"):
        compare([good], [other])


def test_the_json_has_the_promised_keys(good: CollectionResult) -> None:
    report = json.loads(json.dumps(to_json(SystemResult("fake", "convex", (good,)))))
    assert report["format"] == 1
    assert (report["model"], report["fusion"], report["macro"]["ndcg_at_10"]) == ("fake", "convex", 1.0)
    (collection,) = report["collections"]
    assert collection["queries"] == 3
    assert collection["encode_ms"] == {"p50": 2.0, "p95": 2.0}
    assert collection["search_ms"]["p50"] == 3.0
    assert set(collection) == {
        *("name", "documents", "passages", "queries", "ndcg_at_10", "mrr_at_10", "recall_at_10", "recall_at_100"),
        *("encode_ms", "search_ms", "index_seconds", "leakage"),
    }


def test_the_json_of_a_comparison_holds_both_and_the_difference(good: CollectionResult, bad: CollectionResult) -> None:
    report = to_json(SystemResult("new", "convex", (good,)), SystemResult("old", "rrf", (bad,)))
    against = report["against"]
    assert (against["model"], against["fusion"]) == ("old", "rrf")
    difference = against["difference"]["macro"]["ndcg_at_10"]
    assert difference["mean"] == pytest.approx(report["macro"]["ndcg_at_10"] - against["macro"]["ndcg_at_10"])
    assert difference["low"] <= difference["mean"] <= difference["high"]


def test_rows_per_query_name_their_collection(good: CollectionResult) -> None:
    rows = list(per_query_rows(SystemResult("fake", "convex", (good,))))
    measures = ("ndcg_at_10", "mrr_at_10", "recall_at_10", "recall_at_100")
    assert rows[1] == {"collection": "bakery", "query": "q2", **dict.fromkeys(measures, 1.0)}


def test_the_table_lines_up(good: CollectionResult, bad: CollectionResult) -> None:
    table = to_table(SystemResult("new", "convex", (good, good)), SystemResult("old", "rrf", (bad, bad))).splitlines()
    assert table[0] == "new, convex"
    assert table[1].split()[:4] == ["collection", "documents", "passages", "queries"]
    assert table[2].index("1.0000") == table[4].index("1.0000")
    assert len(table[1]) == len(table[2])
    assert table[6] == "against old, rrf: NDCG@10"
    assert table[-1].startswith("mean: +.")
