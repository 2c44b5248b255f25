"""Fitting the fusion to judged questions: gains that are there, gains that are not, and the way in and back."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest
from decoys import SIDE, DecoyEncoder, make_library, words, write_questions
from made_once import made_once
from notes import write

from app.cli.entry import run as carrel
from engine.embedding import catalogue
from engine.library import Library
from engine.records import DEFAULT_CONSTANTS, FusionConstants, SearchSettings
from engine.store import fitted_constants
from engine.store.connection import open_reader, open_writer
from training import fusion_fit, protocol, run_channel, runs, worker
from training.run_plan import Plan
from training.runs import Run

pytestmark = [pytest.mark.training, pytest.mark.usefixtures("roughly_fitted")]
QUESTION = f"red {words(3, 4)}"
ANSWER = b"03-04.txt"
NDCG = "ndcg_at_10"
PATIENCE_SECONDS = 120.0  # of a loaded machine; nothing waits so long on a quiet one
FEWER = {name: values[:: len(values) // 2] for name, values in fusion_fit.GRID.items()}  # each takes its time


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a home with the library, and with a run that has gained and one whose judgements were noise."""
    return made_once(tmp_path_factory, "fitted-fusions", prepare)


def prepare(root: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARREL_HOME", str(root / "home"))
        patch.setattr(catalogue, "load", lambda *_, **__: DecoyEncoder())
        patch.setattr(fusion_fit, "GRID", FEWER)
        library = make_library(root)
        for name, count, noise in (("gain", SIDE * SIDE, False), ("noise", SIDE * SIDE, True), ("few", 30, False)):
            judged = write_questions(root / f"{name}.jsonl", count, noise=noise)
            run = runs.create(plan(library, name, judged))
            assert worker.work(run) == 0


@pytest.fixture
def library(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a library of its own, to which the runs were fitted, as the default one."""
    shutil.copytree(prepared / "home", tmp_path / "home")
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(catalogue, "load", lambda *_, **__: DecoyEncoder())
    path = tmp_path / "library.carrel"
    shutil.copy(prepared / "library.carrel", path)
    monkeypatch.setenv("CARREL_LIBRARY", str(path))
    for run in runs.every():
        run.write(moved(run, path))
    return path


def moved(run: Run, library: Path) -> runs.Record:
    record = run.record()
    return runs.Record(
        **{**{name: getattr(record, name) for name in record.__slots__}, "plan": plan(library, run.name)}
    )


def plan(library: Path, name: str, judged: Path | None = None) -> Plan:
    sources = ("judged", "marks")
    return Plan(name, str(library), judged=str(judged or ""), sources=sources, base="fake", recipe="fusion")


def last(run: Run, kind: type[protocol.TrainingEvent]):
    return [event for event in run.history() if isinstance(event, kind)][-1]


def first_path(library: Path, settings: SearchSettings | None = None) -> bytes:
    with Library.open(library, encoder=DecoyEncoder()) as opened:
        return opened.search(QUESTION, settings=settings).hits[0].path.rsplit(b"/", 1)[1]


def test_judgements_that_want_words_gain_by_words_and_say_what_gives_it(prepared: Path) -> None:
    run = Run(prepared / "home" / "state" / "training" / "gain")
    judged = last(run, protocol.Judged)
    assert (judged.verdict, judged.queries) == ("gain", SIDE * SIDE)
    assert run.record().state == "promotable"
    assert run.record().constants["meaning"] < DEFAULT_CONSTANTS.meaning - 0.2
    parts = {each.name: each for each in last(run, protocol.ConstantsFitted).constants}
    assert parts["meaning"].low > 0.2
    assert parts["meaning"].default == parts["meaning"].used == DEFAULT_CONSTANTS.meaning
    assert abs(parts["sharpness"].gain) < 0.01


def test_judgements_by_chance_give_no_gain(prepared: Path) -> None:
    run = Run(prepared / "home" / "state" / "training" / "noise")
    assert last(run, protocol.Judged).verdict in ("no gain", "worse")
    assert run.record().state == "not promotable"


def test_thirty_questions_cannot_tell_however_great_the_gain(
    prepared: Path, library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judged = last(Run(prepared / "home" / "state" / "training" / "few"), protocol.Judged)
    assert judged.verdict == "cannot judge"
    assert "30 held-out queries are too few" in judged.reason
    assert carrel(["promote", "few"]) == 2
    assert "--anyway" in capsys.readouterr().err
    assert carrel(["promote", "few", "--anyway"]) == 0
    assert first_path(library) == ANSWER


def test_the_fewer_the_questions_the_nearer_the_defaults() -> None:
    import numpy as np

    from training.fusion_fit import ConstantScores, fitted

    def ask(constants: FusionConstants) -> np.ndarray:
        return np.full(400, 0.5 + 0.05 * (DEFAULT_CONSTANTS.meaning - constants.meaning))

    scores = ConstantScores(ask)
    meanings = [fitted(scores, np.arange(count), 1.0).meaning for count in (10, 60, 200, 400)]
    assert meanings == sorted(meanings, reverse=True)
    assert meanings[0] == DEFAULT_CONSTANTS.meaning > meanings[-1]


def test_promoted_constants_rank_the_searches_and_are_told(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert first_path(library) != ANSWER
    assert carrel(["promote", "gain"]) == 0
    assert "constants of gain" in capsys.readouterr().out
    assert first_path(library) == ANSWER
    assert carrel(["search", QUESTION, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["constants"]["meaning"] == found["weights"]["vector"] < 0.6
    assert found["weights"]["reason"] == "fitted to what you judged"
    assert carrel(["search", QUESTION, "--explain"]) == 0
    assert "fusion   meaning ." in capsys.readouterr().out
    assert carrel(["status"]) == 0
    assert "fitted by gain: meaning" in capsys.readouterr().out
    assert carrel(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["fitted"]["in_use"] is True


def test_what_a_person_says_wins_over_what_was_fitted(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert carrel(["promote", "gain"]) == 0
    with Library.open(library, encoder=DecoyEncoder()) as opened:
        found = opened.search(QUESTION, settings=SearchSettings(weights=(0.8, 0.2), collapse=0.9))
        assert (found.weights.vector, found.weights.reason, found.constants.collapse) == (0.8, "as asked", 0.9)
        explored = opened.explore(QUESTION)
        assert explored.result.hits[0].path.endswith(ANSWER)
        assert not explored.again(SearchSettings(weights=(0.8, 0.2))).hits[0].path.endswith(ANSWER)
        assert explored.again(SearchSettings()).hits[0].path.endswith(ANSWER)
    settings = Path(str(library.parent)) / "home" / "config" / "config.toml"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text("weights = [0.7, 0.3]\n")
    capsys.readouterr()
    assert carrel(["promote", "gain"]) == 0
    assert "weights of their own, which win" in capsys.readouterr().err


def test_going_back_restores_what_was_in_use_before(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert carrel(["promote", "few", "--anyway"]) == 0
    assert carrel(["promote", "gain"]) == 0
    assert carrel(["promote", "gain"]) == 0
    capsys.readouterr()
    assert carrel(["rollback"]) == 0
    assert "constants of few again" in capsys.readouterr().out
    assert carrel(["rollback"]) == 0
    assert "the defaults again" in capsys.readouterr().out
    assert first_path(library) != ANSWER
    assert carrel(["rollback"]) == 2


def test_constants_of_another_model_or_library_are_not_used(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(open_writer(library)) as connection:
        constants = FusionConstants(meaning=0.1)
        fitted_constants.take_into_use(connection, "gain", "another", 1.0, constants)
    assert first_path(library) != ANSWER
    assert carrel(["status"]) == 0
    assert "for another, so not in use" in capsys.readouterr().out
    runs.named("gain").write(moved(runs.named("gain"), library.with_name("other.carrel")))
    assert carrel(["promote", "gain"]) == 2
    assert "another library" in capsys.readouterr().err


@pytest.mark.parametrize(
    "written",
    [
        "no JSON",
        "[1]",
        "{}",
        '{"run": "x", "model": "fake", "at": 1, "constants": {"meaning": NaN}}',
        '{"run": "x", "model": "fake", "at": 1, "constants": {"meaning": 7}}',
        "[" * 100_000,
        b"\xff",
        7,
    ],
)
def test_a_damaged_value_leaves_the_defaults(library: Path, written: object) -> None:
    with closing(open_writer(library)) as connection:
        connection.execute("INSERT INTO meta(key, value) VALUES(?, ?)", (fitted_constants.KEY, written))
    with closing(open_reader(library)) as connection:
        assert fitted_constants.in_use(connection) == DEFAULT_CONSTANTS
    assert first_path(library)


def test_a_run_whose_constants_are_in_use_is_not_deleted(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert carrel(["promote", "gain"]) == 0
    assert carrel(["runs", "delete", "gain", "--yes"]) == 2
    assert "in use" in capsys.readouterr().err
    assert carrel(["rollback"]) == 0
    assert carrel(["runs", "delete", "gain", "--yes"]) == 0
    assert "gain" not in [run.name for run in runs.every()]


def test_an_export_takes_the_constants_along(
    library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert carrel(["promote", "gain"]) == 0
    assert carrel(["export", str(tmp_path / "all.jsonl")]) == 0
    monkeypatch.setenv("CARREL_LIBRARY", str(tmp_path / "new.carrel"))
    assert carrel(["import", str(tmp_path / "all.jsonl")]) == 0
    with closing(open_reader(tmp_path / "new.carrel")) as connection:
        kept = fitted_constants.kept(connection)
    assert kept is not None
    assert (kept.run, kept.constants.meaning) == ("gain", runs.named("gain").record().constants["meaning"])
    text = (tmp_path / "all.jsonl").read_text()
    head, rest = text.split("\n", 1)
    worse = json.loads(head)
    worse["fitted"]["constants"]["around"] = 1e9
    (tmp_path / "bad.jsonl").write_text(json.dumps(worse) + "\n" + rest)
    monkeypatch.setenv("CARREL_LIBRARY", str(tmp_path / "third.carrel"))
    capsys.readouterr()
    assert carrel(["import", str(tmp_path / "bad.jsonl")]) == 2
    assert "fitted constants cannot be understood" in capsys.readouterr().err


def test_a_run_goes_on_behind_what_it_has_fitted(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from training import fusion_test

    judged = write_questions(library.with_name("again.jsonl"), 40)
    run = runs.create(plan(library, "again", judged))

    class Killed(BaseException):
        """What ends a process without a word."""

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(fusion_test, "ask_both", killed)
        with pytest.raises(Killed):
            worker.work(run)
    assert run.interrupted
    monkeypatch.setattr(fusion_fit, "chosen", killed)
    assert worker.work(run) == 0
    assert run.record().verdict == "cannot judge"
    assert [event.resumed for event in run.history() if isinstance(event, protocol.RunStarted)] == [False, True]


@pytest.mark.parametrize(
    "line",
    [
        '{"query": "x", "relevant": 7}',
        '{"query": "x"',
        '{"query": ["x"], "relevant": ["a.txt"]}',
        '{"query": "", "relevant": ["a.txt"]}',
        "[" * 50_000,
        '"x"',
    ],
)
def test_a_line_that_is_no_judged_question_ends_the_run_with_its_number(library: Path, line: str) -> None:
    judged = library.with_name("hostile.jsonl")
    judged.write_text(f'{{"query": "{words(1, 1)}", "relevant": ["01-01.txt"]}}\n{line}\n')
    run = runs.create(plan(library, "hostile", judged))
    assert worker.work(run) != 0
    assert "line 2" in last(run, protocol.Failed).message
    assert run.record().state == "failed"


def test_questions_without_an_answer_here_are_said_to_be_dropped(library: Path) -> None:
    judged = library.with_name("elsewhere.jsonl")
    judged.write_text('{"query": "one", "relevant": ["../../etc/passwd"]}\n{"query": "two", "relevant": []}\n')
    run = runs.create(plan(library, "elsewhere", judged))
    assert worker.work(run) == 2
    made = next(event for event in run.history() if isinstance(event, protocol.QueriesMade))
    assert (made.kept, sum(made.dropped.values())) == (0, 2)
    assert "no judged questions" in last(run, protocol.Failed).message


def test_one_question_cannot_be_left_out_and_changes_nothing(library: Path) -> None:
    judged = write_questions(library.with_name("one.jsonl"), 1)
    run = runs.create(plan(library, "one", judged))
    assert worker.work(run) == 0
    assert (run.record().verdict, run.record().constants) == ("cannot judge", {})


def test_a_run_that_is_cancelled_leaves_nothing(library: Path) -> None:
    run = runs.create(plan(library, "off", write_questions(library.with_name("off.jsonl"), 20)))
    run.order("cancel")
    assert worker.work(run) == 0
    assert run.record().state == "cancelled"
    assert sorted(path.name for path in run.folder.iterdir()) == ["events.jsonl", "lock", "run.json"]


def test_another_model_is_judged_against_the_search_by_the_constants_in_use(library: Path) -> None:
    from training import corpus
    from training.candidate_evaluation import RetrievalSystem
    from training.known_queries import KnownQuery

    def ndcg() -> float:
        with closing(open_reader(library)) as connection:
            passages = corpus.read(connection)
            answer = next(each for each, path in passages.paths.items() if path.endswith(ANSWER))
            system = RetrievalSystem(connection, passages, DecoyEncoder(), passages.vectors, lambda: None)
            return float(
                system.answer([KnownQuery(QUESTION, "judged", {answer: 1})], None, lambda: None).values(NDCG)[0]
            )

    before = ndcg()
    assert carrel(["promote", "gain"]) == 0
    assert before < ndcg() == 1.0


def test_no_torch_is_needed(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from training import run_process

    monkeypatch.setattr(run_process, "NEEDED", ("torch_that_is_not_there",))
    monkeypatch.setattr(run_process, "launch", lambda _: None)
    judged = write_questions(library.with_name("few.jsonl"), 12)
    assert carrel(["retrain", "--recipe", "fusion", "--judged", str(judged), "--detach", "--name", "lean"]) == 0
    made = runs.named("lean").record().plan
    assert (made.sources, made.recipe, made.base) == (("judged", "marks"), "fusion", "fake")
    assert carrel(["retrain", "--judged", str(judged), "--detach"]) == 2


@pytest.mark.processes
def test_a_run_that_is_killed_outright_goes_on_and_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the command line, in a process of its own, with the real encoder."""
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CARREL_LIBRARY", str(tmp_path / "real.carrel"))
    subjects = ("sourdough", "glaciers", "violins", "harbours", "comets", "saddles", "lanterns", "walnuts")
    notes = {
        f"{each}.md": f"# About {each}\n\nAll that I know of {each}, and how to care for them.\n" for each in subjects
    }
    write(tmp_path / "notes", notes)
    judged = tmp_path / "judged.jsonl"
    asked = [{"query": f"how to care for {each}", "relevant": [f"notes/{each}.md"]} for each in subjects]
    judged.write_text("\n".join(map(json.dumps, asked)))
    assert carrel(["add", str(tmp_path / "notes")]) == 0
    assert carrel(["sync"]) == 0
    options = ["retrain", "--recipe", "fusion", "--judged", str(judged), "--name", "killed"]
    assert carrel([*options, "--detach"]) == 0
    run = runs.named("killed")
    started = until(lambda: next((event for event in run.history() if isinstance(event, protocol.RunStarted)), None))
    with suppress(ProcessLookupError):
        os.kill(started.pid, signal.SIGKILL)
    until(lambda: not run.alive)
    assert carrel(["retrain", "--follow", "killed"]) == 0
    assert (run.record().state, run.record().verdict) == ("not promotable", "cannot judge")
    assert carrel(["search", "sourdough", "--json"]) == 0


def until(true):
    """Wait for something that a process does, and return it."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not (found := true()):
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)
    return found


def test_a_run_that_was_judged_stays_so_where_its_end_cannot_be_told(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runs.create(plan(library, "full", write_questions(library.with_name("full.jsonl"), 1)))
    tell = run_channel.Teller.tell

    def full(teller: run_channel.Teller, event: protocol.TrainingEvent) -> None:
        if isinstance(event, protocol.Finished):
            raise OSError(errno.ENOSPC, "No space left on device")
        tell(teller, event)

    monkeypatch.setattr(run_channel.Teller, "tell", full)
    assert worker.work(run) == 1
    assert (run.record().state, run.record().verdict) == ("not promotable", "cannot judge")
