"""`carrel eval`: a small collection, judged through the real engine with an encoder that needs no model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from cli_fakes import Call
from fake_encoder import FakeEncoder
from token_fakes import TokenFake

from app.cli import evaluation
from engine.embedding import catalogue
from engine.errors import ModelError

pytestmark = pytest.mark.usefixtures("roughly_fitted")

CORPUS = {
    "d/1": ("Sourdough", "Feed the starter with flour and water twice a day."),
    "d/2": ("Camping", "The electric starter of the stove must be kept dry."),
    "d/3": ("Yeast", "Yeast is a fungus that makes bread rise."),
}
QUERIES = {"q1": "feed the sourdough starter", "q2": 'which "fungus makes bread -rise', "q3": "nobody judged this"}
JUDGED = "query-id\tcorpus-id\tscore\nq1\td/1\t2\nq2\td/3\t1\n"


class ClosingEncoder(FakeEncoder):
    """The fake encoder, which `carrel eval` may close."""

    def close(self) -> None:
        """Nothing is open."""


class LateEncoder(TokenFake):
    """A model that gives token vectors, in the catalogue as `tokens`."""

    def __init__(self) -> None:
        super().__init__()
        self.manifest = replace(self.manifest, id="tokens")


@pytest.fixture
def collection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Write a collection in BEIR layout; every model name but `missing` is the fake encoder."""

    def load(model: str | None) -> FakeEncoder:
        if model == "missing":
            raise ModelError("The model missing is not installed.")
        return LateEncoder() if model == "tokens" else ClosingEncoder()

    monkeypatch.setattr(evaluation, "load", load)
    monkeypatch.setattr(catalogue, "load", load)
    folder = tmp_path / "kitchen"
    (folder / "qrels").mkdir(parents=True)
    corpus = ({"_id": key, "title": title, "text": text} for key, (title, text) in CORPUS.items())
    (folder / "corpus.jsonl").write_text("".join(json.dumps(one) + "\n" for one in corpus))
    queries = ({"_id": key, "text": text} for key, text in QUERIES.items())
    (folder / "queries.jsonl").write_text("".join(json.dumps(one) + "\n" for one in queries))
    (folder / "qrels" / "test.tsv").write_text(JUDGED)
    return str(folder)


def test_json_holds_every_stable_key(carrel: Call, collection: str) -> None:
    report = carrel("eval", collection, "--json").json

    assert {"format", "model", "fusion", "collections", "macro"} <= report.keys()
    assert (report["format"], report["model"], report["fusion"]) == (1, "fake", "convex")
    (kitchen,) = report["collections"]
    assert set(kitchen) == {
        *("name", "documents", "passages", "queries", "ndcg_at_10", "mrr_at_10", "recall_at_10", "recall_at_100"),
        *("encode_ms", "search_ms", "index_seconds", "leakage"),
    }
    assert kitchen["encode_ms"].keys() == kitchen["search_ms"].keys() == {"p50", "p95"}
    assert (kitchen["name"], kitchen["documents"], kitchen["queries"]) == ("kitchen", 3, 2)
    assert report["macro"]["ndcg_at_10"] == kitchen["ndcg_at_10"] == 1.0


def test_a_person_reads_a_table(carrel: Call, collection: str) -> None:
    ended = carrel("eval", collection)

    assert ended.code == 0
    assert ended.out.startswith("fake, convex\ncollection")
    assert "kitchen" in ended.out.splitlines()[2]
    assert "kitchen, convex: 2 of 2 queries asked" in ended.err


def test_two_fusions_are_compared_with_an_interval(carrel: Call, collection: str) -> None:
    against = carrel("eval", collection, "--json", "--fusion", "keyword", "--against", "rrf").json["against"]

    assert against["fusion"] == "rrf"
    assert {"low", "high"} <= against["difference"]["macro"]["ndcg_at_10"].keys()


@pytest.mark.parametrize(
    ("named", "settings"),
    [("no-feedback", "without feedback"), (".5,.5", "weights 0.5 and 0.5")],
)
def test_two_settings_are_compared_on_one_index(carrel: Call, collection: str, named: str, settings: str) -> None:
    report = carrel("eval", collection, "--json", "--against", named).json
    assert (report["settings"], report["against"]["settings"]) == ("", settings)
    assert report["against"]["model"] == report["model"]
    assert "macro" in report["against"]["difference"]


def test_a_library_whose_vectors_are_still_to_come_is_judged(carrel: Call, collection: str) -> None:
    words, one, whole = (
        carrel("eval", collection, "--json", *more).json
        for more in (("--on-demand", "0"), ("--on-demand", "1"), ("--against", "no-feedback"))
    )
    assert words["settings"] == "0 passages embedded on demand"
    assert one["settings"] == "1 passage embedded on demand"
    by_words = carrel("eval", collection, "--json", "--fusion", "keyword").json
    assert words["collections"][0]["ndcg_at_10"] == by_words["collections"][0]["ndcg_at_10"]
    assert whole["macro"]["ndcg_at_10"] >= words["macro"]["ndcg_at_10"]


@pytest.mark.parametrize(
    ("asked", "factor"), [(("--late", "2", "--late-model", "tokens"), "2"), (("--late-model", "tokens"), "4")]
)
def test_late_interaction_by_another_model_is_held_against_the_same_without_it(
    carrel: Call, collection: str, asked: tuple[str, ...], factor: str
) -> None:
    report = carrel("eval", collection, "--json", *asked).json
    assert report["model"] == report["against"]["model"] == "fake"
    assert report["settings"] == f"late interaction, one vector for {factor} tokens, by tokens"
    assert report["against"]["settings"] == ""
    assert {"low", "high"} <= report["against"]["difference"]["macro"]["ndcg_at_10"].keys()


def test_late_interaction_by_the_judged_model_itself(carrel: Call, collection: str) -> None:
    report = carrel("eval", collection, "--json", "--model", "tokens", "--late", "1").json
    assert (report["model"], report["settings"]) == ("tokens", "late interaction, one vector for 1 token")


def test_queries_that_the_train_split_knows_are_counted_and_judged_apart(carrel: Call, collection: str) -> None:
    train = Path(collection) / "qrels" / "train.tsv"
    first = JUDGED.splitlines()[1].split("\t")
    train.write_text(f"query-id\tcorpus-id\tscore\nq3\t{first[1]}\t1\n")
    (kitchen,) = carrel("eval", collection, "--json").json["collections"]
    assert kitchen["leakage"]["test"] == 2
    assert kitchen["leakage"]["shared_document"] == 1
    assert kitchen["leakage"]["ndcg_at_10"]["clean"] == 1.0
    assert "1 of 2 queries share a relevant document with the train split" in carrel("eval", collection).out


def test_without_a_train_split_nothing_is_said_of_it(carrel: Call, collection: str) -> None:
    assert carrel("eval", collection, "--json").json["collections"][0]["leakage"] is None
    assert "train split" not in carrel("eval", collection).out


def test_each_querys_scores_are_written_where_asked(carrel: Call, collection: str) -> None:
    assert carrel("eval", collection, "--per-query", "scores.jsonl").code == 0

    rows = [json.loads(line) for line in Path("scores.jsonl").read_text().splitlines()]
    assert [(row["collection"], row["query"]) for row in rows] == [("kitchen", "q1"), ("kitchen", "q2")]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--split", "train"), 'no split "train"'),
        (("--model", "missing"), "not installed"),
        (("--against", "missing"), "not installed"),
        (("--fusion", "best"), "best"),
        (("--late", "4"), "late interaction"),  # the fake model gives one vector for a whole text
        (("--late-model", "missing"), "not installed"),
    ],
)
def test_what_cannot_be_judged_is_told(carrel: Call, collection: str, arguments: tuple[str, ...], told: str) -> None:
    ended = carrel("eval", collection, *arguments)

    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err


def test_a_folder_that_is_no_collection_is_told(carrel: Call, tmp_path: Path) -> None:
    ended = carrel("eval", str(tmp_path))

    assert ended.code == 2
    assert "BEIR layout" in ended.err


def test_what_marks_give_is_no_question_for_the_command(carrel: Call, collection: str) -> None:
    assert carrel("eval", collection, "--memory", "train").code == 2
