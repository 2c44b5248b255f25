"""Whole runs with a tiny model: from queries to a verdict, killed, cancelled, promoted and taken back."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from made_once import made_once
from tiny_training import TINY, install_model, make_collection, make_model, where_training_is_installed

from engine.embedding import catalogue
from engine.embedding.manifest import Manifest
from training import estimate, promotion, protocol, review, run_process, runs, worker
from training.run_plan import Plan
from training.runs import Run

pytestmark = [
    pytest.mark.usefixtures("roughly_fitted", "roughly_linked"),
    *where_training_is_installed("torch", "transformers", "onnx"),
]

FIGURES = ("learnt", "judged", "embedded")  # of a speed, in passages a second
PATIENCE_SECONDS = 120.0  # of a loaded machine; nothing waits so long on a quiet one


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a home with the tiny model installed and its collection indexed; tests copy it."""
    return made_once(tmp_path_factory, "tiny-training", prepare)


def prepare(root: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARREL_HOME", str(root / "home"))
        install_model(make_model(root / "tiny"))
        make_collection(root / "kitchen")
        run = runs.create(plan(root, name="first"))
        assert worker.work(run) == 0


@pytest.fixture
def home(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(prepared / "home", tmp_path / "home")
    shutil.rmtree(tmp_path / "home" / "state" / "training")
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    return prepared


def plan(root: Path, **facts: object) -> Plan:
    given = {"name": "mine", "base": TINY, "recipe": "local", "budget": 400, **facts}
    return Plan(collection=str(root / "kitchen"), sources=("collection",), **given)  # type: ignore[arg-type]


def kinds(run: Run) -> list[str]:
    return [event.type for event in run.history()]


def last(run: Run, kind: type[protocol.TrainingEvent]):
    return [event for event in run.history() if isinstance(event, kind)][-1]


def finished(run: Run) -> protocol.Finished:
    return last(run, protocol.Finished)


def until(true: Callable[[], bool]) -> None:
    """Wait for a condition."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)


def test_a_run_goes_through_all_stages_to_a_verdict(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARREL_HOME", str(prepared / "home"))
    run = runs.named("first")
    stages = [event.stage for event in run.history() if isinstance(event, protocol.StageStarted)]
    assert stages == list(protocol.STAGES)
    assert last(run, protocol.QueriesMade).kept == 90
    split = last(run, protocol.SplitsMade)
    assert split.train + split.development + split.test == 90
    assert last(run, protocol.Mined).triples > 0
    assert last(run, protocol.Stepped).step == last(run, protocol.Stepped).of
    assert last(run, protocol.Judged).verdict in ("cannot judge", "no gain")  # 36 held-out queries cannot tell
    assert finished(run).outcome == "not promotable"
    assert run.record().state == "not promotable"
    assert not run.alive


def test_no_query_and_no_judgement_of_a_test_split_is_needed(prepared: Path) -> None:
    assert [path.name for path in (prepared / "kitchen" / "qrels").iterdir()] == ["train.tsv"]


def test_only_the_named_split_is_opened(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "guarded"
    shutil.copytree(home / "kitchen", folder)
    guarded = folder / "qrels" / "test.tsv"
    os.mkfifo(guarded)  # whoever opened it would wait for ever
    with (folder / "qrels" / "dev.tsv").open("w") as stream:
        stream.write("this is no judgement at all")
    run = runs.create(Plan(name="mine", base=TINY, collection=str(folder), sources=("collection",), recipe="adapter"))
    assert worker.work(run) == 0


def test_an_adapter_needs_no_vectors_of_its_own(home: Path) -> None:
    run = runs.create(plan(home, recipe="adapter"))
    assert worker.work(run) == 0
    assert not (run.folder / "vectors.f32").exists()
    assert kinds(run)[-1] == "finished"


def test_a_model_for_late_interaction_is_judged_as_that_and_says_how_it_is_pooled(home: Path) -> None:
    run = runs.create(plan(home, recipe="late"))
    assert worker.work(run) == 0
    assert not (run.folder / "vectors.f32").exists()
    judged = last(run, protocol.Judged)
    assert judged.verdict in ("cannot judge", "no gain", "worse", "gain")
    if model := finished(run).model:
        assert Manifest.read(catalogue.folder_of(model)).late_pooling == "kmeans"
        assert promotion.late_order(run, model) == f"on 4 kmeans {model}"


def test_queries_alone_teach_and_cannot_judge(home: Path) -> None:
    given = Plan(name="mine", base=TINY, collection=str(home / "kitchen"), sources=("unlabelled",), recipe="adapter")
    run = runs.create(given)
    assert worker.work(run) == 0
    assert last(run, protocol.SplitsMade).test == 0
    judged = last(run, protocol.Judged)
    assert (judged.verdict, judged.queries) == ("cannot judge", 0)
    assert [each.name for each in judged.measures] == ["general questions"]
    assert finished(run).model == "mine"


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_behind_what_it_had(home: Path) -> None:
    run = runs.create(plan(home))
    run.order("pause")
    process = run_process.launch(run)
    until(lambda: "paused" in kinds(run))
    run.order("resume")
    until(lambda: "stepped" in kinds(run) or "finished" in kinds(run))
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    if run.record().state == "running":
        assert run.interrupted
        assert worker.work(run) == 0
        assert last(run, protocol.RunStarted).resumed
        assert kinds(run).count("queries_made") == 1
    assert finished(run).outcome == "not promotable"


def test_a_run_waits_for_its_review_and_learns_from_what_was_accepted(home: Path) -> None:
    run = runs.create(plan(home, recipe="adapter", review=True))
    looked_at: list[int] = []

    def look_through() -> None:
        """Reject the first example and let the run go on, as a person does while it waits."""
        until(lambda: "paused" in kinds(run))
        looked_at.extend(each.number for each in review.examples(run))
        review.decide(run, looked_at[:1], accepted=False)
        run.order("resume")

    person = threading.Thread(target=look_through)
    person.start()
    assert worker.work(run) == 0
    person.join()
    assert last(run, protocol.ReviewAwaited).examples == len(looked_at) == len(set(looked_at))
    assert kinds(run).index("resumed") < kinds(run).index("stepped")
    mined, learnt = (
        {each["number"] for each in json.loads((run.folder / name).read_text())}
        for name in ("rows.json", "learnt.json")
    )
    assert mined - learnt == {looked_at[0]}


def test_rejecting_nearly_everything_is_told_and_nothing_is_trained(home: Path) -> None:
    run = runs.create(plan(home, recipe="adapter"))
    told = protocol.encode  # every event passes here

    def refuse(event: protocol.TrainingEvent) -> str:
        if isinstance(event, protocol.StageStarted) and event.stage == "mining":
            review.decide(run, range(1, 1000), accepted=False)
        return told(event)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.run_channel.encode", refuse)
        assert worker.work(run) == 2
    assert "Only 0 examples to learn from were accepted." in last(run, protocol.Failed).message
    assert "stepped" not in kinds(run)


def test_a_run_that_is_cancelled_late_says_how_long_it_took(home: Path) -> None:
    run = runs.create(plan(home, recipe="adapter"))
    told = protocol.encode

    def cancel(event: protocol.TrainingEvent) -> str:
        if isinstance(event, protocol.StageStarted) and event.stage == "training":
            run.order("cancel")
        return told(event)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.run_channel.encode", cancel)
        assert worker.work(run) == 0
    first = next(run.history()).at
    assert finished(run).outcome == "cancelled"
    assert finished(run).seconds == pytest.approx(finished(run).at - first, abs=0.5)
    assert run.record().seconds == finished(run).seconds > 0


def test_a_machine_is_timed_in_a_process_of_its_own_and_the_run_says_the_same(home: Path) -> None:
    given = plan(home)
    assert estimate.expected(given, 270) is None
    assert estimate.measure_apart(given.how, TINY)
    told = estimate.expected(given, 270)
    assert told is not None and told > estimate.OVERHEAD_SECONDS
    run = runs.create(given)
    run.order("cancel")
    assert worker.work(run) == 0
    assert last(run, protocol.RunStarted).seconds == estimate.expected(given, 270)


def test_a_busy_hour_does_not_spoil_the_estimate(home: Path) -> None:
    recipe = plan(home).how
    estimate.measure(recipe, TINY)
    fingerprint = catalogue.load(TINY).manifest.fingerprint
    (kept,) = json.loads((runs.folder() / estimate.FILE).read_text())
    for speed, faster in ((1e-6, True), (1e9, False)):
        (runs.folder() / estimate.FILE).write_text(json.dumps({kept: dict.fromkeys(FIGURES, speed)}))
        estimate.measure(recipe, TINY)
        found = estimate.known(recipe, fingerprint)
        assert found is not None
        assert (found.learnt > speed) is faster


def test_a_cancelled_run_leaves_its_history_and_nothing_else(home: Path) -> None:
    run = runs.create(plan(home))
    run.order("cancel")
    assert worker.work(run) == 0
    assert run.record().state == "cancelled"
    assert finished(run).outcome == "cancelled"
    assert {path.name for path in run.folder.iterdir()} <= {"run.json", "events.jsonl", "log", "lock"}


def test_a_run_that_is_told_to_stop_is_judged_by_what_it_has(home: Path) -> None:
    run = runs.create(plan(home))
    run.order("stop")
    assert worker.work(run) == 0
    assert "judged" in kinds(run)
    assert finished(run).outcome == "stopped"


def test_an_unusable_plan_fails_in_plain_words(home: Path, tmp_path: Path) -> None:
    run = runs.create(plan(home, split="nowhere"))
    assert worker.work(run) == 2
    failed = last(run, protocol.Failed)
    assert 'no split "nowhere"' in failed.message
    assert run.record().state == "failed"


def test_two_processes_never_work_on_one_run(home: Path) -> None:
    run = runs.create(plan(home))
    with run.held():
        assert run.alive
        assert worker.work(run) == 2
    assert kinds(run) == []


def test_a_tuned_model_is_an_ordinary_one(home: Path) -> None:
    """It is exported with parity, loaded by sentence-transformers, and serves as the next base."""
    from engine.embedding.manifest import verify
    from training.candidate import Candidate, install
    from training.weights import Learner, mixed, source_of

    learner = Learner(home / "tiny", 64)
    base = learner.state()
    learner.take({name: weight + 0.05 for name, weight in base.items()})
    tuned = learner.state()
    learner.take(mixed(base, tuned, 0.5))
    run = runs.create(plan(home, name="half"))
    candidate = Candidate(run.folder, 0.5)
    learner.save(candidate.source)
    encoder = candidate.encoder("half", catalogue.load(TINY), {"recipe": "local"})
    assert install(candidate, "half") == "half"
    texts = ["the ba of ke", "lomi", "a longer text about zu and vo"]
    assert np.allclose(encoder.encode_passages(texts), learner.encode(texts), atol=1e-2)  # bf16 in training
    installed = catalogue.load("half")
    assert verify(installed.folder) == ()
    assert installed.manifest.training == {"recipe": "local"}
    assert installed.manifest.fingerprint != catalogue.load(TINY).manifest.fingerprint
    assert (source_of(installed.manifest) / "modules.json").is_file()
    from sentence_transformers import SentenceTransformer

    theirs = SentenceTransformer(str(source_of(installed.manifest)), device="cpu", local_files_only=True)
    vectors = theirs.encode(texts, normalize_embeddings=True, show_progress_bar=False)
    assert np.sum(vectors * installed.encode_passages(texts), axis=1).min() > 0.9999


def test_the_events_are_lines_that_the_screen_can_read(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARREL_HOME", str(prepared / "home"))
    run = runs.named("first")
    lines = run.events.read_text().splitlines()
    assert all(protocol.decode(line) is not None for line in lines)
    assert json.loads(lines[0])["type"] == "run_started"
