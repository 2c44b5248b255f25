"""Looking at examples before the training: which are shown first, what is decided, and that the run waits for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fake_encoder import FakeEncoder
from notes import FILLER, library_of

from engine.errors import UsageError
from engine.store.connection import open_reader
from training import corpus, hard_negatives, protocol, review, runs
from training.known_queries import KnownQuery
from training.library_snapshot import LibrarySnapshot
from training.review import doubtful_first, example
from training.run_channel import Cancelled, Teller
from training.run_plan import Plan

QUESTION = "dough taste deepens in the cold"
NOTES = {
    "bread/rise.md": "# Rise\n\nDough rises slowly in the cold, and the taste deepens overnight.\n",
    "bread/crust.md": "# Crust\n\nSteam gives dough a crust that shines, as the cold oven never does.\n",
    "bread/yeast.md": "# Yeast\n\nCold dough and old yeast: the taste is flat and nothing deepens.\n",
    "bread/milk.md": "# Milk\n\n" + "\U0001f35e" * 400 + " dough in the cold\n",
    **FILLER,
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def run() -> runs.Run:
    return runs.create(Plan(name="mine", sources=("marks",), review=True))


def row(number: int, *teacher: float) -> hard_negatives.Row:
    return hard_negatives.Row(0, tuple(range(len(teacher))), teacher, "agreed", number=number)


def shown(number: int) -> protocol.Example:
    return protocol.Example(
        number=number, query="q", positive="p", negatives=("n",), kind="agreed", origin="links", places=("a/b.md",)
    )


def snapshot_of(folder: Path) -> LibrarySnapshot:
    library_of(folder, NOTES, fitted=False).close()
    connection = open_reader(folder / "library.carrel")
    return LibrarySnapshot(Plan(name=""), connection, corpus.read(connection), FakeEncoder(), lambda *_: None)  # type: ignore[arg-type]


def test_what_may_be_an_answer_itself_is_looked_at_first() -> None:
    clear, doubtful, like = row(1, 0.9, 0.1), row(2, 0.9, 0.85, 0.2), row(3, 0.5, 0.47)
    assert doubtful_first([clear, doubtful, like], 2) == [doubtful, like]


def test_an_example_says_where_its_passages_lie_and_which_leg_put_them_there(home: Path) -> None:
    snapshot = snapshot_of(home)
    (document,) = (each for each, path in snapshot.corpus.paths.items() if path.endswith(b"rise.md"))
    known = [KnownQuery(QUESTION, "marked", {document: 2})]
    miner = hard_negatives.Miner(snapshot.corpus, known, [0], 4)
    retrieved = next(snapshot.retriever.search([QUESTION], FakeEncoder().encode_queries([QUESTION])))
    (made,) = miner.rows(0, retrieved)
    told = example(made, known, snapshot)
    assert told.number == 1
    assert told.places[0] == "notes/bread/rise.md"
    assert "Dough rises slowly" in told.positive
    assert len(told.places) == len(told.meaning) == len(told.words) == 1 + len(told.negatives)
    for place, passage in enumerate(made.passages):
        assert (told.words[place] > 0) == (passage in retrieved.keyword_heavy.tolist())
        assert (told.meaning[place] > 0) == (passage in retrieved.vector_heavy.tolist())
    assert all(max(pair) > 0 for pair in zip(told.meaning[1:], told.words[1:], strict=True))


def test_texts_of_any_script_fit_into_one_line(home: Path) -> None:
    """Eight passages of pictures, twelve bytes a letter in JSON, were longer than an event may be."""
    snapshot = snapshot_of(home)
    (document,) = (each for each, path in snapshot.corpus.paths.items() if path.endswith(b"milk.md"))
    at = int(snapshot.corpus.rows_of(document)[0])
    many = hard_negatives.Row(0, (at,) * 8, (1.0,) * 8, "agreed", labelled=False)
    told = example(many, [KnownQuery("\U0001f35e" * 300, "log")], snapshot)
    assert len(protocol.encode(told)) <= protocol.MAX_LINE_BYTES
    assert protocol.shortened("plain", 300, 1400) == "plain"


def test_decisions_are_kept_and_can_be_taken_back(run: runs.Run) -> None:
    assert review.offer(run, map(shown, (7, 3, 5))) == 3
    assert [each.number for each in review.examples(run)] == [7, 3, 5]
    review.decide(run, (7, 3), accepted=False)
    review.decide(run, (5,), accepted=True)
    review.decide(run, (3,), accepted=None)
    again = runs.named("mine")
    assert review.decisions(again) == {5: True, 7: False}
    assert review.rejected(again) == {7}


def test_a_decision_after_the_training_began_comes_too_late(run: runs.Run) -> None:
    (run.folder / review.LEARNT_FILE).write_text("[]")
    with pytest.raises(UsageError, match="learns already"):
        review.decide(run, (1,), accepted=False)


def test_without_a_review_the_examples_are_those_that_were_shown(run: runs.Run) -> None:
    run.events.write_text(protocol.encode(shown(4)) + protocol.encode(protocol.Paused()))
    assert [each.number for each in review.examples(run)] == [4]


def test_the_run_waits_for_the_review_whatever_was_ordered_before(run: runs.Run) -> None:
    run.order("resume")  # of a pause long ago
    waited: list[str] = []

    def looked_at(_: float) -> None:
        waited.append(run.ordered())
        run.order("resume")

    teller = Teller(run, sleep=looked_at)
    teller.await_review(3)
    teller.close()
    assert waited == ["pause"]
    assert [event.type for event in run.history()] == ["review_awaited", "paused", "resumed"]


def test_a_run_that_was_told_to_end_waits_for_nobody(run: runs.Run) -> None:
    run.order("stop")
    teller = Teller(run, sleep=lambda _: pytest.fail("it waits"))
    teller.await_review(3)
    assert teller.stopped
    run.order("cancel")
    with pytest.raises(Cancelled):
        teller.await_review(3)
    teller.close()
    assert list(run.history()) == []


def test_the_time_that_a_run_took_is_that_of_its_work(run: runs.Run) -> None:
    """Neither the pause nor the hours between a kill and the next start count."""
    begun = {"run": "mine", "pid": 1, "recipe": "local", "base": "b", "seconds": None}
    told = [
        protocol.RunStarted(at=1000.0, **begun),
        protocol.StageStarted(at=1010.0, stage="mining"),
        protocol.Paused(at=1012.0),
        protocol.Resumed(at=5000.0),
        protocol.StageStarted(at=5003.0, stage="training"),
        protocol.RunStarted(at=90_000.0, **begun),
        protocol.StageStarted(at=90_004.0, stage="training"),
    ]
    run.events.write_text("".join(map(protocol.encode, told)))
    assert run.worked() == pytest.approx(19.0)


def test_decisions_of_another_form_count_as_none(run: runs.Run) -> None:
    (run.folder / review.DECISIONS_FILE).write_text(json.dumps([1, 2]))
    assert review.decisions(run) == {}
