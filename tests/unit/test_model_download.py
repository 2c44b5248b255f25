"""A model is fetched by its name from a hub on the loopback: whole, taken up again, or refused with what to do."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
import tiny_repository
from loopback_hub import Hub, home_of, loopback_hub
from notes import write
from tiny_training import where_training_is_installed

from engine.embedding import catalogue, model_download
from engine.errors import ModelError

pytestmark = [pytest.mark.processes, *where_training_is_installed("onnx")]

ROOT = Path(__file__).parents[2]
NAME, SOURCE = "BAAI/bge-small-en-v1.5", "Qdrant/bge-small-en-v1.5-onnx-Q"
E5 = "intfloat/multilingual-e5-small"
MODEL = "model_optimized.onnx"
AT_BREAK = 400_000  # bytes, about a tenth of the model
NOTES = {"bread.md": "# Sourdough\n\nFeed the starter twice a day.\n", "stove.md": "# Stove\n\nKeep it dry.\n"}


@pytest.fixture
def hub() -> Iterator[Hub]:
    with loopback_hub({SOURCE: dict(tiny_repository.files())}) as served:
        yield served


@pytest.fixture
def home(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return home_of(hub, tmp_path, monkeypatch)


def refused(name: str = NAME) -> ModelError:
    """Return the error that fetching a model ends in, once it is sure that no model was made."""
    with pytest.raises(ModelError) as raised:
        catalogue.install(name)
    assert [each.id for each in catalogue.installed()] == [catalogue.EMBEDDED]
    assert raised.value.message == f"The model {name} cannot be downloaded."
    assert raised.value.fix
    return raised.value


def beginnings(hub: Hub) -> list[int]:
    """Return the bytes from which on files were asked for, where it was not the first."""
    return [int(each.partition("bytes=")[2].rstrip("-")) for each in hub.asked if "bytes=" in each]


def test_a_model_is_fetched_once_with_progress_and_kept_once(hub: Hub, home: Path) -> None:
    stages: list[str] = []
    manifest = catalogue.install(NAME.lower(), stages.append)
    assert manifest.id == NAME
    assert [each for each in stages if " of " in each]
    assert stages[-1] == "measuring its scale"
    assert len(hub.asked) == 3  # the list, the model, its tokenizer
    assert not list((home / "cache").rglob("*.onnx"))
    asked = len(hub.asked)
    assert catalogue.install(NAME).fingerprint == manifest.fingerprint
    assert len(hub.asked) == asked


def test_a_model_of_many_languages_is_fetched_with_its_prefixes(hub: Hub, home: Path) -> None:
    """Its graph lies in a folder of the repository, its tokenizer does not."""
    files = tiny_repository.files()
    hub.files[E5] = {"onnx/model.onnx": files[MODEL], "tokenizer.json": files["tokenizer.json"]}
    manifest = catalogue.install(E5)
    assert (manifest.query_prefix, manifest.passage_prefix) == ("query: ", "passage: ")
    encoder = catalogue.load(E5)
    assert np.array_equal(encoder.encode_query("bread"), encoder.encode_passages(["query: bread"])[0])


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_a_line_that_breaks_is_taken_up_where_it_broke(hub: Hub, home: Path, knows_ranges: bool) -> None:
    hub.breaks_after, hub.breaks, hub.knows_ranges = AT_BREAK, 2, knows_ranges
    catalogue.install(NAME)
    assert 0 < beginnings(hub)[0] <= AT_BREAK
    assert (catalogue.folder_of(NAME) / "model.onnx").read_bytes() == hub.files[SOURCE][MODEL]


def test_what_was_fetched_before_a_failure_is_not_fetched_again(hub: Hub, home: Path) -> None:
    hub.breaks_after, hub.breaks, hub.dies = AT_BREAK, 1, True
    assert "cannot serve it now (503)" in refused().cause
    hub.status = 0
    hub.asked.clear()
    catalogue.install(NAME)
    assert 0 < beginnings(hub)[0] <= AT_BREAK
    assert (catalogue.folder_of(NAME) / "model.onnx").read_bytes() == hub.files[SOURCE][MODEL]


def test_a_part_of_an_older_file_is_never_put_before_a_newer_one(hub: Hub, home: Path) -> None:
    hub.breaks_after, hub.breaks, hub.dies = AT_BREAK, 1, True
    refused()
    hub.status = 0
    hub.asked.clear()
    hub.files[SOURCE] = dict(tiny_repository.files(seed=6))
    catalogue.install(NAME)
    assert beginnings(hub) == []
    assert (catalogue.folder_of(NAME) / "model.onnx").read_bytes() == hub.files[SOURCE][MODEL]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"tampered": True}, "its digest differs"),
        ({"surplus": b"more"}, "bytes, and"),
        ({"status": 401}, "accepted its terms"),
        ({"status": 403, "error_code": "GatedRepo"}, "accepted its terms"),
        ({"status": 401, "error_code": "RepoNotFound"}, "has no such file"),
        ({"status": 404}, "has no such file"),
        ({"status": 429}, "cannot serve it now (429)"),
        ({"status": 500}, "cannot serve it now (500)"),
        ({"breaks": 99}, "broke off in the middle"),
    ],
)
def test_each_fault_of_a_hub_is_told_with_its_remedy(
    hub: Hub, home: Path, fault: Mapping[str, object], said: str
) -> None:
    for name, value in fault.items():
        setattr(hub, name, value)
    assert said in refused().cause
    for name, value in {"tampered": False, "surplus": b"", "status": 0, "breaks": 0}.items():
        setattr(hub, name, value)
    catalogue.install(NAME)  # nothing that came before is in its way


def test_a_gated_model_names_the_page_and_the_token(hub: Hub, home: Path) -> None:
    hub.status, hub.error_code = 401, "GatedRepo"
    fix = refused().fix
    assert f"{hub.address}/{SOURCE}" in fix and "HF_TOKEN" in fix


def test_a_token_is_shown_to_the_hub_alone(hub: Hub, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.embedding import model_hub

    monkeypatch.setenv("HF_TOKEN", "hf_of_mine")
    with model_hub.requested_file(SOURCE, "config.json", 0) as answer:
        assert answer.request.headers["Authorization"] == "Bearer hf_of_mine"


def test_a_repository_without_the_file_is_told(hub: Hub, home: Path) -> None:
    del hub.files[SOURCE][MODEL]
    assert MODEL in refused().cause


@pytest.mark.parametrize("listing", [b"<html>Welcome", b"[]", b'{"siblings": 3}', b'{"siblings": [{"rfilename": 1}]}'])
def test_what_is_no_hub_is_told(hub: Hub, home: Path, listing: bytes) -> None:
    hub.listing = lambda _: listing  # type: ignore[method-assign]
    error = refused()
    assert "gave no list" in error.cause or "holds no" in error.cause


def test_a_hub_that_is_not_there_is_told_at_once(hub: Hub, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert "cannot be reached" in refused().cause
    monkeypatch.setattr(constants, "ENDPOINT", "no address")
    assert refused().fix == "Check HF_ENDPOINT."


def test_a_proxy_carries_what_is_fetched(hub: Hub, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://hub.invalid")
    monkeypatch.setenv("HTTP_PROXY", hub.address)
    monkeypatch.setenv("http_proxy", hub.address)
    catalogue.install(NAME)
    assert hub.asked[0].startswith("GET http://hub.invalid/api/models/")


def test_a_proxy_that_refuses_is_told(hub: Hub, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "https://hub.invalid")
    monkeypatch.setenv("HTTPS_PROXY", hub.address)
    monkeypatch.setenv("https_proxy", hub.address)
    error = refused()
    assert hub.asked == ["CONNECT hub.invalid:443"]
    assert "proxy" in error.cause and "HTTPS_PROXY" in error.fix


def test_a_disk_without_room_is_told_before_anything_comes(
    hub: Hub, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 1000))  # type: ignore[attr-defined]
    error = refused()
    assert "The disk is full" in error.cause and "Make room" in error.fix
    assert len(hub.asked) == 1


def test_a_disk_that_fills_on_the_way_is_told(hub: Hub, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_download, "_part", lambda folder, file: Path("/dev/full"))
    assert "The disk is full" in refused().cause


def carrel(home: Path, hub: Hub, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the program with a hub."""
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *arguments],
        cwd=ROOT,
        env={**environment(home, hub), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def environment(home: Path, hub: Hub) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    return {**kept, "CARREL_HOME": str(home), "HF_ENDPOINT": hub.address, "HF_HUB_OFFLINE": "0"}


def test_a_library_is_searched_with_a_model_fetched_by_name_and_goes_back(hub: Hub, home: Path, tmp_path: Path) -> None:
    notes = write(tmp_path / "notes", NOTES)
    carrel(home, hub, "add", str(notes))
    carrel(home, hub, "sync")
    assert hub.asked == []
    used = carrel(home, hub, "models", "use", NAME)
    assert (used.returncode, used.stdout) == (0, f"The library uses {NAME} now.\n")
    assert f"fetching {NAME}" in used.stderr
    found = json.loads(carrel(home, hub, "search", "starter", "--json").stdout)
    assert found["results"][0]["path"] == str(notes / "bread.md")
    assert json.loads(carrel(home, hub, "status", "--json").stdout)["model"] == NAME
    asked = len(hub.asked)
    back = carrel(home, hub, "models", "use", catalogue.EMBEDDED)
    assert (back.returncode, back.stdout) == (0, f"The library uses {catalogue.EMBEDDED} now.\n")
    assert json.loads(carrel(home, hub, "search", "starter", "--json").stdout)["results"]
    assert len(hub.asked) == asked


def test_nothing_is_asked_of_any_hub_unless_a_model_is_named(hub: Hub, home: Path, tmp_path: Path) -> None:
    notes = write(tmp_path / "notes", NOTES)
    through = {"HTTP_PROXY": hub.address, "HTTPS_PROXY": hub.address, "http_proxy": hub.address}
    for arguments in (
        ("add", str(notes)),
        ("sync",),
        ("search", "starter"),
        ("models",),
        ("models", "--json"),
        ("status",),
        ("doctor",),
        ("models", "use", "nobody/knows-this"),
        ("models", "use", catalogue.EMBEDDED),
    ):
        carrel(home, hub, *arguments, **through)
    assert hub.asked == []


@pytest.mark.parametrize("value", ["1", "ON"])
def test_offline_means_that_no_hub_is_asked(hub: Hub, home: Path, value: str) -> None:
    ended = carrel(home, hub, "models", "use", NAME, HF_HUB_OFFLINE=value)
    assert ended.returncode == 2
    assert "HF_HUB_OFFLINE forbids" in ended.stderr
    assert hub.asked == []


def test_ctrl_c_at_a_slow_hub_ends_at_once_and_the_next_time_goes_on(hub: Hub, home: Path) -> None:
    hub.slow_after = AT_BREAK
    with subprocess.Popen(
        [sys.executable, "-m", "app.cli", "models", "use", NAME],
        cwd=ROOT,
        env=environment(home, hub),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert hub.waiting.wait(120)
        until = time.monotonic() + 120
        while not any(part.stat().st_size for part in home.rglob("*.part")):  # what the hub sent may not be read yet
            assert time.monotonic() < until
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    assert f"Stopped; `carrel models use {NAME}` goes on from what has been fetched." in said
    assert NAME not in carrel(home, hub, "models", "--json", HF_HUB_OFFLINE="1").stdout.partition("offered")[0]
    hub.slow.set()
    hub.asked.clear()
    assert carrel(home, hub, "models", "use", NAME).returncode == 0
    assert 0 < beginnings(hub)[0] <= AT_BREAK
