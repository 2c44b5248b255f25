"""The manifest: what its fingerprint covers, and what it refuses."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from engine.embedding.catalogue import EMBEDDED_FOLDER
from engine.embedding.manifest import Manifest, verify
from engine.errors import ModelError


@pytest.fixture
def manifest() -> Manifest:
    return Manifest.read(EMBEDDED_FOLDER)


def test_the_embedded_model_is_the_one_the_design_names(manifest: Manifest) -> None:
    assert (manifest.id, manifest.dimension, manifest.pooling, manifest.window) == (
        "all-MiniLM-L6-v2",
        384,
        "mean",
        256,
    )
    assert manifest.revision.endswith("53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db")
    assert (manifest.query_prefix, manifest.passage_prefix, manifest.quantisation) == ("", "", "int8")
    assert (EMBEDDED_FOLDER / "LICENSE").read_text(encoding="utf-8").lstrip().startswith("Apache License")


def test_a_manifest_survives_being_written_and_read(manifest: Manifest, tmp_path: Path) -> None:
    written = dataclasses.replace(manifest, query_prefix="für: ", training={"run": "7", "steps": 12})
    written.write(tmp_path)
    assert Manifest.read(tmp_path) == written
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


@pytest.mark.parametrize(
    "change",
    [
        {"revision": "another"},
        {"pooling": "cls"},
        {"query_prefix": "query: "},
        {"passage_prefix": "passage: "},
        {"window": 128},
        {"quantisation": "none"},
        {"file_sha256": "0" * 64},
        {"tokenizer_sha256": "0" * 64},
        {"passage_rules": {"target": 120}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_changes_a_vector_changes_the_fingerprint(manifest: Manifest, change: dict[str, object]) -> None:
    assert dataclasses.replace(manifest, **change).fingerprint != manifest.fingerprint  # type: ignore[arg-type]


def test_facts_about_a_model_leave_the_fingerprint_alone(manifest: Manifest) -> None:
    told = dataclasses.replace(
        manifest, background_cosine=0.5, language="de", license="MIT", source="a friend", training={"run": "1"}
    )
    assert told.fingerprint == manifest.fingerprint


def test_a_fact_from_a_newer_carrel_is_ignored(manifest: Manifest) -> None:
    facts = json.loads(manifest.to_json()) | {"colour": "blue"}
    assert Manifest.from_json(json.dumps(facts)) == manifest


@pytest.mark.parametrize(
    "change",
    [
        {"id": ""},
        {"pooling": "max"},
        {"dimension": 0},
        {"dimension": "384"},
        {"dimension": True},
        {"window": -1},
        {"quantisation": "int4"},
        {"file": "../model.onnx"},
        {"query_prefix": None},
        {"passage_rules": [1]},
        {"background_cosine": 1.0},
        {"background_cosine": "0.1"},
    ],
    ids=str,
)
def test_a_manifest_with_an_impossible_fact_is_refused(manifest: Manifest, change: dict[str, object]) -> None:
    with pytest.raises(ModelError):
        Manifest.from_json(json.dumps(json.loads(manifest.to_json()) | change))


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"id": "x"}', "{" * 50])
def test_what_is_no_manifest_is_refused(text: str) -> None:
    with pytest.raises(ModelError):
        Manifest.from_json(text)


def test_a_folder_without_a_manifest_says_how_to_get_a_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as raised:
        Manifest.read(tmp_path)
    assert "carrel models" in raised.value.fix


def test_the_shipped_files_are_those_that_the_manifest_names() -> None:
    assert verify(EMBEDDED_FOLDER) == ()


def test_verifying_finds_a_damaged_and_a_missing_file(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(EMBEDDED_FOLDER, tmp_path / "model"))
    with (folder / "model.onnx").open("r+b") as stream:
        stream.seek(1_000_000)
        stream.write(b"damaged")
    (folder / "tokenizer.json").unlink()
    faults = verify(folder)
    assert [fault.split()[0] for fault in faults] == ["model.onnx", "tokenizer.json"]
