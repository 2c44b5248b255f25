"""The catalogue: which models are there, installing one from files that are there, and failing plainly."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from fake_encoder import FakeEncoder

from engine.embedding import catalogue, fastembed_models
from engine.embedding.embedding_cost import COST_OF_FULL_WEIGHTS, ModelSize, measured_rate
from engine.embedding.fastembed_models import FastembedModel, prefixes
from engine.embedding.manifest import Manifest, verify
from engine.embedding.out_of_domain import VECTORS_FILE, foreign_vectors, store_foreign_vectors
from engine.errors import ModelError

pytestmark = pytest.mark.processes

NAME = "sentence-transformers/all-MiniLM-L6-v2"  # offered by fastembed; here its cache holds the embedded model's files
SNAPSHOT = "models--Qdrant--all-MiniLM-L6-v2-onnx"


@pytest.fixture(scope="module")
def home_with_model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A Carrel home in which a model was installed from fastembed's cache, with no network."""
    home = tmp_path_factory.mktemp("home")
    snapshot = home / "cache" / "models" / SNAPSHOT / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    for name in ("model.onnx", "tokenizer.json"):
        shutil.copyfile(catalogue.EMBEDDED_FOLDER / name, snapshot / name)
    references = snapshot.parent.parent / "refs"
    references.mkdir()
    (references / "main").write_text("0" * 40, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARREL_HOME", str(home))
        patch.setenv("HF_HUB_OFFLINE", "1")
        catalogue.install(NAME.upper())
    yield home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def filled_home(home_with_model: Path, home: Path) -> Path:
    shutil.copytree(home_with_model / "data", home / "data")
    return home


def test_the_embedded_model_is_there_without_installing_anything(home: Path) -> None:
    assert [manifest.id for manifest in catalogue.installed()] == [catalogue.EMBEDDED]
    assert catalogue.load().encode_query("harbour").shape == (384,)
    assert catalogue.install(catalogue.EMBEDDED).id == catalogue.EMBEDDED
    assert list(home.iterdir()) == []


def test_a_model_in_the_cache_is_installed_without_a_network(filled_home: Path) -> None:
    embedded, installed = catalogue.installed()
    assert installed.id == NAME
    assert installed.quantisation == "int8"
    assert installed.pooling == "mean"
    assert installed.window == 256
    assert installed.background_cosine == pytest.approx(embedded.background_cosine, abs=1e-3)
    assert installed.fingerprint != embedded.fingerprint
    assert verify(catalogue.folder_of(NAME)) == ()


def test_an_installed_model_encodes_and_has_its_foreign_vectors(filled_home: Path) -> None:
    encoder = catalogue.load(NAME)
    assert np.array_equal(encoder.encode_query("harbour"), catalogue.load().encode_query("harbour"))
    assert foreign_vectors(encoder) == pytest.approx(foreign_vectors(catalogue.load()), abs=1e-3)


def test_an_installed_model_is_not_fetched_again(filled_home: Path) -> None:
    stages: list[str] = []
    assert catalogue.install(NAME, stages.append).id == NAME
    assert stages == []


def test_a_model_whose_files_are_damaged_is_installed_anew(filled_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    adopted: list[str] = []
    monkeypatch.setattr(fastembed_models, "fetch", lambda model, on_progress: filled_home)
    monkeypatch.setattr(catalogue, "adopt", lambda _, model: adopted.append(model.name))
    for damaged in ("model.onnx", "manifest.json"):
        (catalogue.folder_of(NAME) / damaged).write_bytes(b"")
        catalogue.install(NAME)
    assert adopted == [NAME, NAME]
    catalogue.folder_of(NAME).rename(catalogue.place_of("mine"))
    with pytest.raises(ModelError, match="mine is damaged") as raised:
        catalogue.install("mine")
    assert "carrel models build" in raised.value.fix


def test_what_is_left_of_a_model_whose_removal_was_cut_short_can_be_removed(filled_home: Path) -> None:
    (catalogue.folder_of(NAME) / "manifest.json").unlink()
    catalogue.remove(NAME)
    assert not catalogue.place_of(NAME).exists()
    with pytest.raises(ModelError, match="is not installed"):
        catalogue.remove(NAME)


def test_vectors_that_a_power_cut_emptied_are_made_again(tmp_path: Path) -> None:
    encoder = FakeEncoder(dimension=8)
    encoder.folder = tmp_path  # type: ignore[attr-defined]
    made = store_foreign_vectors(encoder, tmp_path)  # type: ignore[arg-type]
    for spoilt in (b"", (tmp_path / VECTORS_FILE).read_bytes()[:-2000]):
        (tmp_path / VECTORS_FILE).write_bytes(spoilt)
        assert np.array_equal(foreign_vectors(encoder), made)  # type: ignore[arg-type]


def test_a_removed_model_is_gone(filled_home: Path) -> None:
    catalogue.remove(NAME)
    assert [manifest.id for manifest in catalogue.installed()] == [catalogue.EMBEDDED]
    with pytest.raises(ModelError) as raised:
        catalogue.folder_of(NAME)
    assert NAME in raised.value.fix


def test_a_model_whose_files_cannot_be_deleted_is_told_in_plain_words(
    filled_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path) -> None:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(shutil, "rmtree", refuse)
    with pytest.raises(ModelError, match="cannot be removed"):
        catalogue.remove(NAME)


def test_the_embedded_model_cannot_be_removed(home: Path) -> None:
    with pytest.raises(ModelError):
        catalogue.remove(catalogue.EMBEDDED)
    assert verify(catalogue.EMBEDDED_FOLDER) == ()


def test_a_broken_model_folder_does_not_hide_the_others(filled_home: Path) -> None:
    broken = filled_home / "data" / "models" / "broken"
    broken.mkdir()
    (broken / "manifest.json").write_text("{", encoding="utf-8")
    assert [manifest.id for manifest in catalogue.installed()] == [catalogue.EMBEDDED, NAME]


@pytest.mark.parametrize("name", ["../../etc", "..", "a/../../b", "/etc/passwd"])
def test_no_name_leads_out_of_the_models_folder(home: Path, name: str) -> None:
    try:
        place = catalogue.place_of(name)
    except ModelError:
        return
    assert place.resolve().parent == home / "data" / "models"


def test_a_model_that_gives_other_vectors_than_promised_is_not_installed(home: Path) -> None:
    model = FastembedModel(
        name="someone/else",
        dimension=768,
        pooling="mean",
        window=256,
        model_file="model.onnx",
        language="en",
        license="mit",
        source="a folder",
    )
    with pytest.raises(ModelError) as raised:
        catalogue.adopt(catalogue.EMBEDDED_FOLDER, model)
    assert "768" in raised.value.cause
    missing = dataclasses.replace(model, dimension=384, model_file="onnx/model.onnx")
    with pytest.raises(ModelError):
        catalogue.adopt(catalogue.EMBEDDED_FOLDER, missing)
    assert list((home / "data" / "models").iterdir()) == []


def test_one_model_is_installed_by_several_at_the_same_time(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its measuring, which takes seconds, is left out, so that all of them come to the last step together."""
    begin = threading.Barrier(4)

    def measured(draft: Path, _: FastembedModel) -> Manifest:
        manifest = Manifest.read(catalogue.EMBEDDED_FOLDER)
        manifest.write(draft)
        begin.wait()
        return manifest

    monkeypatch.setattr(catalogue, "_measured", measured)
    monkeypatch.setattr(catalogue, "_copy_files", lambda *_: None)
    model = FastembedModel("twice/installed", 384, "mean", 256, "model.onnx", "en", "mit", "a folder")
    left = home / "data" / "models" / f".adopt-{2**22 + 1}-x" / "model"  # of a process that was killed
    left.mkdir(parents=True)
    with ThreadPoolExecutor(4) as pool:
        for _ in range(20):
            for done in [pool.submit(catalogue.adopt, home, model) for _ in range(4)]:
                done.result()
    assert [path.name for path in (home / "data" / "models").iterdir()] == ["twice--installed"]


def test_an_unknown_name_is_refused_before_anything_is_fetched(home: Path) -> None:
    with pytest.raises(ModelError) as raised:
        catalogue.install("nobody/knows-this")
    assert "carrel models list" in raised.value.fix


def test_without_cache_and_network_installing_fails_with_one_plain_error(home: Path) -> None:
    script = (
        "from engine.embedding import catalogue\nfrom engine.errors import ModelError\n"
        "try: catalogue.install('BAAI/bge-small-en-v1.5')\nexcept ModelError as error: print(error.message, error.fix)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("The model BAAI/bge-small-en-v1.5 cannot be downloaded. Run it without that variable")
    assert done.stderr == ""


def test_offered_models_come_with_the_prefixes_of_their_family(home: Path) -> None:
    models = {model.name: model for model in catalogue.available()}
    bge = models["BAAI/bge-small-en-v1.5"]
    assert (bge.dimension, bge.pooling, bge.window) == (384, "cls", 512)
    assert bge.query_prefix.startswith("Represent this sentence") and bge.passage_prefix == ""
    e5 = models["intfloat/multilingual-e5-large"]
    assert (e5.query_prefix, e5.passage_prefix, e5.language) == ("query: ", "passage: ", "multilingual (100)")
    assert all(model.dimension > 0 and model.source for model in models.values())
    assert models["jinaai/jina-embeddings-v2-base-de"].language == "de, en"
    assert "paraphrases" in models["sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2"].remark


def test_a_small_model_of_many_languages_that_was_made_to_find_answers_is_offered() -> None:
    for _ in range(2):
        (small,) = (model for model in catalogue.available() if model.name == "intfloat/multilingual-e5-small")
    assert (small.dimension, small.pooling, small.window, small.license) == (384, "mean", 512, "mit")
    assert (small.query_prefix, small.passage_prefix) == ("query: ", "passage: ")
    assert small.language.startswith("multilingual") and not small.remark


def test_a_model_costs_what_its_layers_weigh_and_not_its_vocabulary() -> None:
    embedded = ModelSize(23, 8, 384, multilingual=False)
    full = ModelSize(90, 32, 384, multilingual=False)
    of_many_languages = ModelSize(470, 32, 384, multilingual=True)
    assert full.cost / embedded.cost == pytest.approx(COST_OF_FULL_WEIGHTS, rel=0.1)
    assert 3 < of_many_languages.cost / embedded.cost < 6  # twice the layers, in 32 bits
    assert ModelSize(1, 32, 1024, multilingual=True).cost > 0
    assert measured_rate(catalogue.EMBEDDED_FOLDER) > 0


@pytest.mark.parametrize(
    ("name", "query", "passage"),
    [
        ("nomic-ai/nomic-embed-text-v1.5", "search_query: ", "search_document: "),
        ("snowflake/snowflake-arctic-embed-s", "Represent this sentence for searching relevant passages: ", ""),
        ("thenlper/gte-base", "", ""),
        ("sentence-transformers/all-MiniLM-L6-v2", "", ""),
    ],
)
def test_each_family_has_its_prefixes(name: str, query: str, passage: str) -> None:
    assert prefixes(name) == (query, passage)
