"""`carrel status`, `doctor` and `models`."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from cli_fakes import Call, FakeLibrary

from app.cli import indexer_request, model_builder
from engine.embedding import catalogue
from engine.embedding.fastembed_models import FastembedModel
from engine.embedding.manifest import Manifest
from engine.errors import LibraryBusy, ModelError
from engine.events import Watching
from engine.installation import command_for
from engine.records import Check, Folder, Writer

BGE = "BAAI/bge-small-en-v1.5"
DAMAGED = (
    Check("file", True, 0, "the file is sound", False),
    Check("words", False, 12, "12 passages are missing from the words", True),
)


def test_status_is_a_glance_at_the_library(carrel: Call, library: FakeLibrary) -> None:
    library.watched = [Folder(1, b"/notes", "watching", 6402, 41870, 3)]
    library.stale = 2

    ended = carrel("status")

    assert ended.code == 0
    assert [" ".join(line.split()) for line in ended.out.splitlines()] == [
        "library /library.carrel (64 MB)",
        "documents 0, in 9 passages",
        "model all-MiniLM-L6-v2",
        "index 2 files changed since the last sync",
        "indexer not running",
        "failed 1 file could not be read (`carrel sync --full` tries again)",
        "left out 921",
        "918 inside node_modules (built-in rule)",
        "3 hidden",
        "",
        "folder state documents passages failed",
        "/notes watching 6,402 41,870 3",
    ]


def test_status_says_what_is_held_back_and_how_to_let_it_go(carrel: Call, library: FakeLibrary) -> None:
    library.watched = [Folder(1, b"/my notes", "watching", 812, 812, held=800)]
    said = carrel("status").out
    assert "The files of 800 documents in /my notes are gone at once" in said
    assert "carrel sync --accept-removals '/my notes'" in said
    assert carrel("status", "--json").json["folders"][0]["held"] == 800


def test_status_names_the_indexer_that_runs(carrel: Call, library: FakeLibrary) -> None:
    library.writer = Writer(4711, "watching", 0.0)

    assert "running: watching, process 4711" in carrel("status").out


def test_status_says_how_many_folders_are_watched_and_what_to_do_about_the_rest(
    carrel: Call, library: FakeLibrary
) -> None:
    library.covered = Watching(folders=1260, covered=1204, remark="the limit is reached", fix="Raise the limit: sysctl")

    said = [line.strip() for line in carrel("status").out.splitlines()]

    assert "watching 1,204 of 1,260 folders; the limit is reached" in said
    assert "Raise the limit: sysctl" in said
    assert carrel("status", "--json").json["watching"]["covered"] == 1204


def test_status_as_json_has_every_stable_key(carrel: Call, library: FakeLibrary) -> None:
    library.watched = [Folder(1, b"/notes", "watching", 6402, 41870, 3)]
    library.writer = Writer(4711, "watching", 0.0)
    stable = {"format", "library", "schema", "documents", "passages", "bytes", "model", "folders", "writer", "stale"}

    status = carrel("status", "--json").json

    assert stable <= status.keys()
    assert {"path", "state", "documents", "failed"} <= status["folders"][0].keys()
    assert (status["writer"]["pid"], status["writer"]["task"], status["stale"]) == (4711, "watching", 0)


def test_status_as_json_has_null_where_nobody_writes(carrel: Call) -> None:
    assert carrel("status", "--json").json["writer"] is None


def test_doctor_finds_a_sound_library_sound(carrel: Call) -> None:
    ended = carrel("doctor")

    assert (ended.code, ended.out, ended.err) == (0, "✓ ok  file  sound\n", "The library is sound.\n")


def test_doctor_ends_with_one_where_a_check_failed_and_names_the_repair(carrel: Call, library: FakeLibrary) -> None:
    library.checks = DAMAGED

    ended = carrel("doctor")

    assert ended.code == 1
    assert "✗ fault  words  12 passages are missing from the words" in ended.out
    assert "carrel doctor --repair" in ended.err


def test_doctor_says_what_to_do_where_repair_did_not_help(carrel: Call, library: FakeLibrary) -> None:
    library.checks = DAMAGED

    ended = carrel("doctor", "--repair")

    assert (ended.code, library.of("check")) == (1, [True])
    assert "carrel restore FILE" in ended.err


def test_doctor_names_what_mends_a_fault_that_repair_cannot(carrel: Call, library: FakeLibrary) -> None:
    library.checks = (*DAMAGED, Check("model", False, 1, "the model is gone", False, "`carrel models use x`"))

    ended = carrel("doctor")

    assert ended.err.splitlines() == ["words: `carrel doctor --repair` mends this.", "model: `carrel models use x`"]


def test_doctor_as_json(carrel: Call, library: FakeLibrary) -> None:
    library.checks = DAMAGED

    ended = carrel("doctor", "--json")

    assert (ended.code, ended.json["ok"]) == (1, False)
    assert ended.json["checks"][1] == {
        "name": "words",
        "ok": False,
        "count": 12,
        "detail": "12 passages are missing from the words",
        "repairable": True,
        "remedy": "",
    }


def a_manifest(name: str) -> Manifest:
    return Manifest(
        id=name,
        revision="1",
        dimension=384,
        pooling="mean",
        normalised=True,
        query_prefix="",
        passage_prefix="",
        window=256,
        quantisation="int8",
        file_sha256="",
        tokenizer_sha256="",
        passage_rules={},
        background_cosine=0.05,
        language="en",
        license="apache-2.0",
        source="here",
    )


@pytest.fixture(autouse=True)
def models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Offer one model to fetch beside the embedded one; what is fetched or removed is in the list returned."""
    asked: list[str] = []
    here = [a_manifest(catalogue.EMBEDDED)]
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(bytes(23_000_000))

    def install(name: str, on_progress: Callable[[str], None]) -> Manifest:
        if name.lower() not in (BGE.lower(), catalogue.EMBEDDED.lower()):
            raise ModelError(f"There is no model called {name}.")
        on_progress(f"fetching {name}")
        asked.append(f"install {name}")
        return a_manifest(BGE if name.lower() == BGE.lower() else catalogue.EMBEDDED)

    def available() -> list[FastembedModel]:
        return [FastembedModel(BGE, 384, "cls", 512, "model.onnx", "en", "mit", "hub", 67)]

    monkeypatch.setattr(catalogue, "installed", lambda: here)
    monkeypatch.setattr(catalogue, "folder_of", lambda name: folder)
    monkeypatch.setattr(catalogue, "available", available)
    monkeypatch.setattr(catalogue, "available_late", list)
    monkeypatch.setattr(catalogue, "install", install)
    monkeypatch.setattr(catalogue, "remove", lambda name: asked.append(f"remove {name}"))
    return asked


@pytest.mark.parametrize("arguments", [("models",), ("models", "list")])
def test_models_are_listed_with_what_a_person_chooses_by(carrel: Call, arguments: tuple[str, ...]) -> None:
    ended = carrel(*arguments)

    assert ended.code == 0
    listed = [re.split(r"  +", line) for line in ended.out.splitlines()]  # the last stands at the right
    assert [row[:-1] for row in listed] == [
        ["", "model", "state", "dimensions", "MB", "tokens", "languages", "licence"],
        ["●", "all-MiniLM-L6-v2", "active", "384", "23", "256", "en", "apache-2.0"],
        ["", "BAAI/bge-small-en-v1.5", "offered", "384", "67", "512", "en", "mit"],
    ]
    assert listed[0][-1] == "here" and listed[1][-1].endswith(" s")
    assert "an estimate" in ended.err


@pytest.mark.usefixtures("no_library")
def test_without_a_library_no_time_is_told(carrel: Call) -> None:
    assert carrel("models").out.splitlines()[0].endswith("licence")


@pytest.mark.parametrize("arguments", [("models", "--json"), ("models", "list", "--json"), ("--json", "models")])
def test_models_as_json(carrel: Call, arguments: tuple[str, ...]) -> None:
    listed = carrel(*arguments).json

    assert listed["format"] == 1
    assert listed["active"] == "all-MiniLM-L6-v2"
    assert [(one["name"], one["state"], one["active"]) for one in listed["models"]] == [
        ("all-MiniLM-L6-v2", "embedded", True),
        (BGE, "offered", False),
    ]


@pytest.mark.usefixtures("no_library")
def test_models_are_listed_before_there_is_a_library(carrel: Call) -> None:
    assert carrel("models", "--json").json["active"] == "all-MiniLM-L6-v2"


def test_use_fetches_the_model_and_hands_it_to_the_library(
    carrel: Call, library: FakeLibrary, models: list[str]
) -> None:
    ended = carrel("models", "use", BGE.lower())

    assert (ended.code, ended.out) == (0, f"The library uses {BGE} now.\n")
    assert "fetching" in ended.err
    assert library.of("use_model") == [BGE]


def test_use_beside_an_indexer_asks_it(carrel: Call, library: FakeLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexer_request, "POLL_SECONDS", 0.0)
    library.writer = Writer(4711, "watching", 0.0)
    library.refusals["use_model"] = [LibraryBusy("Busy.")]
    library.outcomes = [SimpleNamespace(done=True, outcome={"model": BGE})]

    assert carrel("models", "use", BGE).code == 0
    assert library.of("request") == [("use_model", BGE)]


def test_an_indexer_that_cannot_use_the_model_says_why(
    carrel: Call, library: FakeLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexer_request, "POLL_SECONDS", 0.0)
    library.writer = Writer(4711, "watching", 0.0)
    library.refusals["use_model"] = [LibraryBusy("Busy.")]
    failed = {"error": "It is broken. Fetch it.", "message": "It is broken.", "cause": "", "fix": "Fetch it."}
    library.outcomes = [SimpleNamespace(done=True, outcome=failed)]

    ended = carrel("models", "use", BGE)

    assert (ended.code, ended.out) == (1, "")
    assert ended.err.endswith("carrel: It is broken.\nFetch it.\n")


def test_using_an_unknown_model_changes_nothing(carrel: Call, library: FakeLibrary) -> None:
    ended = carrel("models", "use", "nobody/none")

    assert (ended.code, ended.err) == (2, "carrel: There is no model called nobody/none.\n")
    assert library.of("use_model") == []


def test_a_model_in_use_is_not_removed(carrel: Call, library: FakeLibrary, models: list[str]) -> None:
    library.model = BGE

    ended = carrel("models", "remove", BGE.upper())

    assert (ended.code, models) == (2, [])
    assert "carrel models use all-MiniLM-L6-v2" in ended.err


def test_another_model_is_removed(carrel: Call, models: list[str]) -> None:
    assert carrel("models", "remove", BGE).out == f"Removed {BGE}.\n"
    assert models == [f"remove {BGE}"]


def test_building_without_the_training_extra_says_how_to_get_it(carrel: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("mine").mkdir()
    monkeypatch.setattr(model_builder, "NEEDED", ("a_module_that_is_not_there",))

    ended = carrel("models", "build", "mine")

    assert ended.code == 2
    assert ended.err.endswith(f"Run: {command_for('training')}\n")


def exporter(folder: Path, program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put another program in the place of the one that needs torch."""
    (folder / "exporter_stub.py").write_text(program)
    monkeypatch.setattr(model_builder, "NEEDED", ())
    monkeypatch.setattr(model_builder, "EXPORTER", "exporter_stub")
    monkeypatch.setenv("PYTHONPATH", str(folder))


def test_building_runs_the_exporter_and_tells_the_model(
    carrel: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Path("mine").mkdir()
    manifest = tmp_path / "manifest.json"
    manifest.write_text(a_manifest("mine").to_json())
    monkeypatch.setattr(Manifest, "read", classmethod(lambda cls, folder: cls.from_json(manifest.read_text())))
    exporter(tmp_path, f"import sys; open({str(tmp_path / 'asked')!r}, 'w').write(repr(sys.argv[1:]))", monkeypatch)

    ended = carrel("models", "build", "mine")

    assert (ended.code, ended.out) == (0, "Built mine: 384 dimensions, en.\n")
    place = str(catalogue.place_of("mine"))
    assert (tmp_path / "asked").read_text() == repr([str(Path("mine").resolve()), "--name", "mine", "--out", place])


def test_building_tells_why_it_failed(carrel: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    Path("mine").mkdir()
    exporter(tmp_path, "import sys; sys.exit('config.json is missing.')", monkeypatch)

    ended = carrel("models", "build", "mine")

    assert ended.code == 2
    assert "config.json is missing." in ended.err


def test_a_local_model_cannot_take_the_embedded_ones_name(carrel: Call) -> None:
    Path("mine").mkdir()

    assert carrel("models", "build", "mine", "--name", "all-minilm-l6-v2").code == 2


def test_building_wants_a_directory(carrel: Call) -> None:
    assert carrel("models", "build", "nowhere").code == 2
