"""Mining: both legs over everything at once, blind spots, hard negatives, and what is dropped and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from notes import FILLER, library_of

from engine.library import Library
from engine.records import SearchSettings
from engine.store.connection import open_reader
from training import candidate_evaluation, corpus, hard_negatives, kept_stages, runs
from training.batch_retrieval import BatchRetriever
from training.known_queries import KnownQuery
from training.run_plan import Plan

NOTES = {
    "bread/rise.md": "# Rise\n\nDough rises slowly in the cold, and the taste deepens overnight.\n",
    "bread/again.md": "# Rise\n\nDough rises slowly in the cold, and the taste deepens overnight!\n",
    "bread/crust.md": "# Crust\n\nSteam gives dough a crust that shines, as the cold oven never does.\n",
    "bread/yeast.md": "# Yeast\n\nCold dough and old yeast: the taste is flat and nothing deepens.\n",
    **FILLER,
}
QUESTION = "dough taste deepens in the cold"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Index the notes once."""
    folder = tmp_path_factory.mktemp("mining")
    library_of(folder, NOTES, fitted=False).close()
    return folder / "library.carrel"


@pytest.fixture
def retriever(library: Path) -> BatchRetriever:
    connection = open_reader(library)
    return BatchRetriever(connection, corpus.read(connection))


def document(retriever: BatchRetriever, name: str) -> int:
    return next(each for each, path in retriever.corpus.paths.items() if path.endswith(name.encode()))


def retrieved(retriever: BatchRetriever, text: str):
    return next(retriever.search([text], FakeEncoder().encode_queries([text])))


def rows(retriever: BatchRetriever, queries: list[KnownQuery], group: list[int] | None = None, negatives: int = 4):
    miner = hard_negatives.Miner(retriever.corpus, queries, group or list(range(len(queries))), negatives)
    return list(miner.rows(0, retrieved(retriever, queries[0].text))), miner.counts


@pytest.mark.parametrize("text", [QUESTION, "granite", "Filler 3 and other things", "crust oven steam"])
def test_the_bulk_search_ranks_as_a_search_does(retriever: BatchRetriever, library: Path, text: str) -> None:
    settings = SearchSettings(feedback=False, memory=False, collapse=0.0, group=False)
    with Library.open(library, encoder=FakeEncoder()) as opened:
        wanted = [hit.passage_id for hit in opened.search(text, limit=10, settings=settings).hits]
    found = retrieved(retriever, text)
    scores = found.score(np.arange(len(retriever.corpus.ids)))
    by_id = dict(zip(retriever.corpus.ids.tolist(), scores.tolist(), strict=True))
    assert [by_id[each] for each in wanted] == pytest.approx(sorted(scores.tolist(), reverse=True)[: len(wanted)])


def test_embedded_texts_are_made_anew_as_they_were(retriever: BatchRetriever) -> None:
    texts = corpus.texts(retriever.corpus, corpus.documents_of(retriever.corpus), FakeEncoder().token_starts)
    assert all(texts)
    again = FakeEncoder().encode_passages(texts)
    assert np.allclose(np.sum(again * retriever.corpus.vectors, axis=1), 1.0, atol=1e-5)


def test_a_negative_is_never_an_answer_a_twin_or_of_the_same_document(retriever: BatchRetriever) -> None:
    answer = document(retriever, "rise.md")
    found, counts = rows(retriever, [KnownQuery(QUESTION, "judged", {answer: 1})])
    assert found
    for row in found:
        documents = [int(retriever.corpus.documents[each]) for each in row.passages]
        assert documents[0] == answer
        assert answer not in documents[1:]
        assert document(retriever, "again.md") not in documents[1:]
        assert 1 <= row.triples <= 4
    assert counts.dropped["same document"] >= 1
    assert counts.dropped["near-duplicate"] >= 1


def test_an_answer_to_a_query_of_the_same_group_is_no_negative(retriever: BatchRetriever) -> None:
    mine = KnownQuery(QUESTION, "judged", {document(retriever, "rise.md"): 1})
    other = KnownQuery("flat taste", "judged", {document(retriever, "yeast.md"): 1})
    _, apart = rows(retriever, [mine, other], [0, 1])
    _, together = rows(retriever, [mine, other], [0, 0])
    assert apart.dropped["answers a query of the group"] == 0
    assert together.dropped["answers a query of the group"] >= 1


def test_a_negative_that_scores_as_the_answer_does_is_dropped(retriever: BatchRetriever) -> None:
    filler = document(retriever, "filler/3.md")
    _, counts = rows(retriever, [KnownQuery(QUESTION, "judged", {filler: 1})])
    assert counts.dropped["too good"] >= 1


def test_blind_spots_are_told_by_their_leg(retriever: BatchRetriever) -> None:
    found, counts = rows(retriever, [KnownQuery(QUESTION, "judged", {document(retriever, "rise.md"): 1})])
    assert {row.kind for row in found} == {hard_negatives.AGREED}
    assert (counts.vector_blind, counts.keyword_blind, counts.judged) == (0, 0, 1)


def test_a_query_without_an_answer_is_distilled_over_what_it_finds(retriever: BatchRetriever) -> None:
    (row,), _ = rows(retriever, [KnownQuery(QUESTION, "log")])
    assert not row.labelled
    assert list(row.teacher) == sorted(row.teacher, reverse=True)


def row_of(number: int, kind: str = hard_negatives.AGREED) -> hard_negatives.Row:
    return hard_negatives.Row(number, (number, 9000, 9001), (1.0, 0.5, 0.4), kind)


def test_the_draw_keeps_small_folders_and_the_budget() -> None:
    made = [row_of(number) for number in range(1000)]
    folders = {number: 0 if number < 980 else 1 for number in range(1000)}
    sample = hard_negatives.sample(made, folders, 200, 42)
    assert sum(row.triples for row in sample) == 200
    counted = Counter(folders[row.passages[0]] for row in sample)
    assert counted[1] / 100 > 0.08  # by the root of its rows; by its rows it would be .02
    assert sample == hard_negatives.sample(made, folders, 200, 42)
    assert sample != hard_negatives.sample(made, folders, 200, 43)


def test_blind_spots_come_first_where_not_all_fit() -> None:
    made = [
        row_of(number, hard_negatives.VECTOR_BLIND if number >= 90 else hard_negatives.AGREED) for number in range(100)
    ]
    sample = hard_negatives.sample(made, dict.fromkeys(range(100), 0), 20, 42)
    assert {row.kind for row in sample} == {hard_negatives.VECTOR_BLIND}


def test_a_killed_run_builds_on_nothing_that_another_state_of_the_library_gave(
    retriever: BatchRetriever, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path))
    run = runs.create(Plan(name="mine"))
    now = retriever.corpus
    later = replace(now, hashes=(*now.hashes[1:], now.hashes[0]))  # a passage went, and another took its row

    def made(*names: str) -> None:
        for name in names:
            (run.folder / name).write_text("0")

    assert not kept_stages.forget_outdated(run, now)
    made("queries.json", "rows.json", "decisions.json", "checkpoint.pt", "vectors.f32", "vectors.done")
    assert not kept_stages.forget_outdated(run, now)
    assert kept_stages.forget_outdated(run, later)
    assert sorted(path.name for path in run.folder.iterdir()) == ["corpus", "run.json"]
    made("queries.json", "rows.json", "tuned.json", "vectors.f32", "vectors.done")
    assert kept_stages.forget_outdated(run, now)
    assert sorted(path.name for path in run.folder.iterdir()) == ["corpus", "queries.json", "run.json", "tuned.json"]


def test_vectors_whose_count_was_never_written_are_made_from_the_first(tmp_path: Path) -> None:
    encoder, texts = FakeEncoder(dimension=8), ["one", "two"]
    known = np.zeros((2, 8), np.float32)
    made = candidate_evaluation.embedded(tmp_path, encoder, texts, known, lambda: None)  # type: ignore[arg-type]
    (tmp_path / "vectors.done").unlink()
    again = candidate_evaluation.embedded(tmp_path, encoder, texts, known, lambda: None)  # type: ignore[arg-type]
    assert np.array_equal(again, made) and made.any()
