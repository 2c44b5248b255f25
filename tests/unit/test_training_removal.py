"""Deleting a run: its folder, its model, the vectors that the library kept for that; and when that is refused."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from app.cli.entry import run as carrel
from app.tui.training_runs import TrainingRuns
from engine.embedding import catalogue
from engine.errors import ModelError, UsageError
from engine.library import Library
from engine.store import models
from engine.store.connection import open_writer
from engine.store.models import ModelState
from engine.store.transactions import transaction
from training import promotion, run_removal, runs
from training.run_plan import Plan

WEIGHT = 5_000  # bytes


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("CARREL_LIBRARY", raising=False)
    path = tmp_path / "home" / "data" / "library.carrel"
    Library.open(path, create=True).close()
    return path


def made(library: Path, name: str, state: ModelState | None = None) -> runs.Run:
    """Make a run with an installed model, which the library knows in a state, or not at all."""
    run = runs.create(Plan(name, str(library)))
    run.update(state="promotable", verdict="gain", model=name)
    folder = catalogue.place_of(name)
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    (folder / "model.onnx").write_bytes(bytes(WEIGHT))
    if state is not None:
        with closing(open_writer(library)) as connection, transaction(connection):
            models.add(connection, name=name, manifest="{}", fingerprint=name, dimension=4, state=state)
    return run


def known(library: Path) -> list[str]:
    with closing(open_writer(library)) as connection:
        return [model.name for model in models.every(connection)]


def test_the_model_of_a_run_goes_with_it_and_so_do_the_vectors_that_were_kept_for_it(library: Path) -> None:
    run = made(library, "tuned-1", "kept")
    weighed = run_removal.disk_use(run)
    assert weighed.model == "tuned-1"
    assert weighed.model_bytes == WEIGHT + 2
    assert run_removal.delete(run) == weighed
    assert runs.every() == []
    assert not catalogue.place_of("tuned-1").exists()
    assert known(library) == []


@pytest.mark.parametrize("state", ["active", "building"])
def test_a_model_in_use_keeps_its_run_and_the_fix_is_named(library: Path, state: ModelState) -> None:
    run = made(library, "tuned-1", state)
    with pytest.raises(ModelError, match=r"in use.*carrel rollback.*--keep-model"):
        run_removal.delete(run)
    assert runs.every() == [run]
    assert catalogue.place_of("tuned-1").is_dir()


def test_the_model_that_a_rollback_leads_to_is_kept(library: Path) -> None:
    former = made(library, "tuned-1", "kept")
    promotion.promoted(made(library, "tuned-2", "active"), "tuned-1")
    with pytest.raises(ModelError, match="goes back to"):
        run_removal.delete(former)
    assert known(library) == ["tuned-1", "tuned-2"]


def test_a_model_that_another_library_uses_is_kept_where_that_is_asked(library: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.carrel"
    Library.open(other, create=True).close()
    run = made(library, "tuned-1")
    with closing(open_writer(other)) as connection, transaction(connection):
        models.add(connection, name="tuned-1", manifest="{}", fingerprint="f", dimension=4, state="active")
    with pytest.raises(ModelError, match=r"other\.carrel is searched with it"):
        run_removal.delete(run, [other])


def test_the_model_can_be_kept_and_then_nothing_is_in_the_way(library: Path) -> None:
    run = made(library, "tuned-1", "active")
    assert run_removal.delete(run, keep_model=True).model == ""
    assert runs.every() == []
    assert catalogue.place_of("tuned-1").is_dir()


def test_a_run_at_work_stays(library: Path) -> None:
    run = made(library, "tuned-1")
    with run.held(), pytest.raises(UsageError, match="at work"):
        run_removal.delete(run)


def test_the_command_line_says_what_would_go_and_asks(
    library: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made(library, "tuned-1", "kept")
    assert carrel(["runs", "delete", "tuned-1"]) == 2
    assert "--yes" in capsys.readouterr().err
    asked: list[str] = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.confirm", lambda question, **_: bool(asked.append(question)))
    assert carrel(["runs", "delete", "tuned-1"]) == 0
    assert "its model tuned-1 (5.0 KB) are gone for good" in asked[0]
    assert [run.name for run in runs.every()] == ["tuned-1"]
    assert carrel(["runs", "delete", "tuned-1", "--yes"]) == 0
    assert "Deleted tuned-1 and its model tuned-1: " in capsys.readouterr().out
    assert runs.every() == []


def test_a_promotion_that_an_indexer_ends_later_can_be_rolled_back(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(library, "tuned-1", "active")
    run = made(library, "tuned-2")
    monkeypatch.setattr("app.cli.indexer_request.switch_model", lambda *_: False)  # it was interrupted
    assert carrel(["promote", "tuned-2"]) == 130
    assert promotion.former_model("tuned-2") == "tuned-1"

    def refuse(*_: object) -> bool:
        raise ModelError("no room")

    run.update(promoted_at=None, former="")
    monkeypatch.setattr("app.cli.indexer_request.switch_model", refuse)
    assert carrel(["promote", "tuned-2"]) == ModelError.exit_code
    assert (run.record().promoted_at, run.record().former) == (None, "")


def test_a_model_in_use_is_not_removed_by_the_name_of_its_folder(library: Path) -> None:
    folder = catalogue.place_of("some/model")
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    with closing(open_writer(library)) as connection, transaction(connection):
        models.add(connection, name="some/model", manifest="{}", fingerprint="f", dimension=4, state="active")
    assert carrel(["models", "remove", folder.name]) == ModelError.exit_code
    assert folder.is_dir()


def test_the_browser_weighs_and_deletes_the_same(library: Path) -> None:
    made(library, "tuned-1", "kept")
    port = TrainingRuns(library)
    assert port.deletion("tuned-1").model == "tuned-1"
    assert port.delete("tuned-1").model_bytes == WEIGHT + 2
    assert port.runs() == []
